"""Durable writes, and errors of the disk as messages that a user can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from envlock.errors import StoreError

_FEW = 64
"""Up to this many files are flushed one by one, which is cheaper and disturbs others less."""

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def store_errors(where: Path) -> Iterator[None]:
    """Raise each OSError of the body as a StoreError about `where`, a path of the store."""
    try:
        yield
    except OSError as error:
        raise _explain(error, where) from error


def _explain(error: OSError, where: Path) -> StoreError:
    reason = error.strerror or "input/output error"
    if error.errno in _DISK_FULL:
        return StoreError(
            f"the disk of the store is full: {reason}",
            where=str(where),
            hint="free space there, run `envlock store gc`, or set store.path to another disk",
        )
    if error.errno in _NOT_PERMITTED:
        return StoreError(
            f"the store cannot be written: {reason}",
            where=str(where),
            hint="set store.path (ENVLOCK_STORE_PATH) to a directory that you can write",
        )
    return StoreError(f"the store failed: {reason}", where=str(where))


def flush(root: Path, paths: Sequence[Path]) -> None:
    """Make the content of `paths` (files or directories on the disk of `root`) durable.

    Many are flushed by one syncfs(2), which was measured to be ten times as fast as one fsync(2)
    each, and which reports write errors since Linux 5.8.  Raise OSError.
    """
    if len(paths) > _FEW and _syncfs(root):
        return
    for path in paths:
        sync(path)


def sync(path: Path) -> None:
    """Call fsync(2) on a file or directory.  Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _syncfs(root: Path) -> bool:
    """Call syncfs(2); return False when the C library has none."""
    import ctypes

    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except AttributeError:
        return False
    descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(descriptor)
    return True
