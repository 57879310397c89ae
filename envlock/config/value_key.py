"""The key of a project for fingerprints of values: a file of the user, outside every repository."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from envlock.errors import ConfigError, UsageError
from envlock.secrets.keyed import KEY_BYTES, ValueKey
from envlock.writing import replacing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_HEX = re.compile(rb"[0-9a-f]{%d}\n?\Z" % (2 * KEY_BYTES))


def key_path(folder: Path, name: str) -> Path:
    """Return the path of the key `name`.  Raise UsageError when it cannot be a file name."""
    if not _NAME.match(name):
        raise UsageError(f"not the name of a key: {name}", hint="use letters, digits, . _ and -")
    return folder / name


def create_key(path: Path) -> None:
    """Write a new random key that only its owner can read.  Raise UsageError if there is one."""
    if os.path.lexists(path):
        raise UsageError("this key already exists", where=str(path))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path, mode=0o600) as stream:
            stream.write(os.urandom(KEY_BYTES).hex().encode() + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write the key: {error.strerror}", where=str(path)) from error


def read_key(path: Path) -> ValueKey:
    """Return the key at a path.  Raise ConfigError if it is missing, damaged, or not private."""
    hint = f"make it with `envlock key {path.name}`, or copy it from where it was made"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            content = stream.read(4 * KEY_BYTES) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        why = f"cannot read the key of capture.key: {error.strerror}"
        raise ConfigError(why, where=str(path), hint=hint) from error
    if status.st_mode & 0o077:
        raise ConfigError("others can read this key", where=str(path), hint=f"chmod 600 {path}")
    if not _HEX.match(content):
        raise ConfigError("this is no key of envlock", where=str(path), hint=hint)
    return ValueKey(bytes.fromhex(content.decode()))
