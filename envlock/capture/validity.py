"""What must be the same for a result of an earlier capture to be valid now."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

import envlock
from envlock.capture.request import Request


def circumstances(request: Request, *more: object, but_not: Collection[str]) -> str:
    """Return a digest (hex) of what decides the result of a capture, besides what is captured.

    It covers the version and the files of envlock, the Python, the user, the `request` but for the
    fields `but_not`, and `more`.
    """
    asked = [
        (each.name, sorted(value) if isinstance(value, frozenset) else value)
        for each in fields(request)
        if each.name not in but_not
        for value in [getattr(request, each.name)]
    ]
    parts = [
        envlock.__version__,
        _code(),
        sys.version,
        *more,
        asked,
        os.geteuid(),
        sorted(os.getgroups()),
    ]
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _code() -> str:
    """Return a digest of envlock's own files, which changes with any edit or installation."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(Path(envlock.__file__).parent):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            status = os.lstat(os.path.join(parent, name))
            digest.update(f"{parent}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
