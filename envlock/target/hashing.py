"""Hash files, in this process or in a few small ones beside it.

Hashing many small files is bound by the interpreter, not by the hash, so threads gain nothing.
The workers are this very file run as a script: it imports the standard library only and is up in a
few milliseconds, and unlike a fork it is safe beside threads.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO

Job = tuple[bytes, str]
"""A path and the name of an algorithm that is wanted as well, empty for none."""

Result = tuple[str, str, int, int, int] | str
"""SHA-256, the other digest (or empty), size, mtime_ns and ctime_ns; or why it was not read."""

_CHUNK = 256 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHANGED = "changed while it was read"


def hash_file(path: bytes, second: str, buffer: bytearray) -> Result:
    """Hash one regular file; one that changes while it is read is read once more."""
    try:
        return _hash_once(path, second, buffer) or _hash_once(path, second, buffer) or _CHANGED
    except PermissionError:
        return "permission denied"
    except OSError as error:
        return error.strerror or "cannot be read"


def _hash_once(path: bytes, second: str, buffer: bytearray) -> Result | None:
    try:
        descriptor = os.open(path, _FLAGS | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for owners only
        descriptor = os.open(path, _FLAGS)
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
            if count < len(buffer) and size >= before.st_size:
                break
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if size != after.st_size or after.st_mtime_ns != before.st_mtime_ns:
        return None
    digest = other.hexdigest() if other is not None else ""
    return sha256.hexdigest(), digest, size, after.st_mtime_ns, after.st_ctime_ns


class Worker:
    """A process that hashes batches of files."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which then closes the worker
        )

    def hash(self, jobs: Sequence[Job]) -> list[Result]:
        """Return a result for each job, in order."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the worker is closed")
        marshal.dump(list(jobs), self._process.stdin)
        self._process.stdin.flush()
        answer: list[Result] = marshal.load(self._process.stdout)  # noqa: S302  our own child
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer batches until the source ends."""
    buffer = bytearray(_CHUNK)
    while True:
        try:
            jobs = marshal.load(source)  # noqa: S302  written by our own parent
        except EOFError:
            return
        marshal.dump([hash_file(path, second, buffer) for path, second in jobs], sink)
        sink.flush()


def hash_here(jobs: Sequence[Job]) -> list[Result]:
    """Hash a few files without any worker."""
    buffer = bytearray(_CHUNK)
    return [hash_file(path, second, buffer) for path, second in jobs]


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
