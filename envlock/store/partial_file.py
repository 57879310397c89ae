"""A file that is downloaded, kept where the next run finds it when this one is killed.

Beside it is a file with the ``ETag`` that the server gave (RFC 9110, 8.8.3), so that what follows
is of the same version.  A lock keeps two processes from writing one file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from envlock.reading import read_file
from envlock.store.objects import Store
from envlock.writing import replace_file

_STRONG = re.compile(r'"[!#-~]{1,512}"\Z')
_LIMIT = 1024


class PartialFile:
    """What was received of a file so far; `is_kept` when the next run may go on with it."""

    def __init__(self, path: Path, *, is_kept: bool) -> None:
        self.path = path
        self.is_kept = is_kept
        self.validator = ""
        if is_kept:
            with suppress(OSError, UnicodeDecodeError):
                self.validator = _strong(read_file(self._validator_path, _LIMIT).decode())

    @property
    def size(self) -> int:
        """The bytes received so far.  Raise OSError."""
        return self.path.stat().st_size

    def begin(self, validator: str) -> None:
        """Forget what was received, and remember the ETag of what comes.  Raise OSError."""
        os.truncate(self.path, 0)
        self.validator = _strong(validator)
        if self.is_kept:
            replace_file(self._validator_path, self.validator.encode())

    def deliver(self, path: Path) -> None:
        """Move the complete file to `path`, on the same file system.  Raise OSError."""
        if path != self.path:
            self.path.replace(path)
        self.drop_validator()

    def drop(self) -> None:
        """Delete it.  Raise OSError."""
        self.path.unlink(missing_ok=True)
        self.drop_validator()

    def drop_validator(self) -> None:
        """Delete the file with the ETag."""
        if self.is_kept:
            self._validator_path.unlink(missing_ok=True)

    @property
    def _validator_path(self) -> Path:
        return self.path.with_suffix(".etag")


def partial_folder(store: Store) -> Path:
    """Return the folder of a store that has such files."""
    return store.cache / "partial"


@contextmanager
def partial_file(folder: Path, name: str) -> Iterator[PartialFile | None]:
    """Yield the partial file of a name, of any characters, in `folder`.

    None while another process has that file.  Raise OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()}.part"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield PartialFile(path, is_kept=True) if _is_ours(descriptor, path) else None
    finally:
        os.close(descriptor)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock a file; False when another process has it, or has just moved it away."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _strong(validator: str) -> str:
    """Return an ETag that proves the same bytes, empty for a weak one or another text."""
    return validator if _STRONG.match(validator) else ""
