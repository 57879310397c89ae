"""Durable writes, and failures of the disk in words a user can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from envlock.errors import StoreError

_FEW = 64
"""Up to so many files are flushed one by one: cheaper, and it spares other users of the disk."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def storing(where: Path) -> Iterator[None]:
    """Turn an OSError of the body into a StoreError about the store at `where`."""
    try:
        yield
    except OSError as error:
        raise _explain(error, where) from error


def _explain(error: OSError, where: Path) -> StoreError:
    reason = error.strerror or "input/output error"
    if error.errno in _FULL:
        return StoreError(
            f"the store cannot take more: {reason}",
            where=str(where),
            hint="free space there, run `envlock store gc`, or set store.path to another disk",
        )
    if error.errno in _REFUSED:
        return StoreError(
            f"the store cannot be written: {reason}",
            where=str(where),
            hint="set store.path (ENVLOCK_STORE_PATH) to a folder you may write",
        )
    return StoreError(f"the store failed: {reason}", where=str(where))


def flush(root: Path, paths: Sequence[Path]) -> None:
    """Make the content of `paths` (files or directories on the disk of `root`) durable.

    Many are flushed by one syncfs(2), which Linux since 5.8 lets report write errors; measured
    ten times faster than fsync(2) for each.  Raise OSError.
    """
    if len(paths) > _FEW and _syncfs(root):
        return
    for path in paths:
        sync(path)


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, durably: a crash leaves the old file or the new one.

    Raise OSError; nothing is left behind then.
    """
    import tempfile

    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Call fsync(2) on a file or directory.  Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _syncfs(root: Path) -> bool:
    """Call syncfs(2); False where the C library has none."""
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
