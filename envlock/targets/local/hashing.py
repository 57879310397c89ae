"""Hash files, in this process or in worker processes.

Hashing many small files is limited by the interpreter, not by the hash, so threads gain nothing.
`envlock.targets.local.worker_main` runs this file in worker processes, so it imports little: from
the standard library, and a module that does the same.
"""

from __future__ import annotations

import hashlib
import os
import stat

from envlock.targets.local.beneath import Beneath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

Job = tuple[bytes, str]
"""A path below the root, and the algorithm wanted in addition to SHA-256 (empty for none)."""

Result = tuple[str, str, int, int, int] | str
"""SHA-256, the other digest (or empty), size, mtime_ns and ctime_ns; or why it cannot be read."""

_CHUNK = 256 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK
_CHANGED = "changed while it was read"


def hash_file(beneath: Beneath, path: bytes, second: str, buffer: bytearray) -> Result:
    """Hash one regular file; try again once when it changes while it is read."""
    try:
        return (
            _hash_once(beneath, path, second, buffer)
            or _hash_once(beneath, path, second, buffer)
            or _CHANGED
        )
    except PermissionError:
        return "permission denied"
    except OSError as error:
        return error.strerror or "cannot be read"


def _hash_once(beneath: Beneath, path: bytes, second: str, buffer: bytearray) -> Result | None:
    try:
        descriptor = beneath.open(path, _FLAGS | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for owners only
        descriptor = beneath.open(path, _FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return "no longer a regular file"
        sha256 = hashlib.sha256()
        other = hashlib.new(second, usedforsecurity=False) if second else None
        size = 0
        view = memoryview(buffer)
        while count := os.readv(descriptor, (buffer,)):
            sha256.update(view[:count])
            if other is not None:
                other.update(view[:count])
            size += count
            if size > before.st_size:  # it may grow for ever
                return None
            if count < len(buffer) and size >= before.st_size:
                break
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if size != after.st_size or after.st_mtime_ns != before.st_mtime_ns:
        return None
    digest = other.hexdigest() if other is not None else ""
    return sha256.hexdigest(), digest, size, after.st_mtime_ns, after.st_ctime_ns


def handle(request: tuple[str, Sequence[Job]]) -> list[Result]:
    """Return a result for each job, in order; the request is a root directory and the jobs."""
    root, jobs = request
    buffer = bytearray(_CHUNK)
    with Beneath(root) as beneath:
        return [hash_file(beneath, path, second, buffer) for path, second in jobs]
