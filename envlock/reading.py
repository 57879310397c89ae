"""Open and read regular files only, within a limit and without ever waiting for one.

Every file that a user names, or that lies in a directory a user names, is opened here.  A named
pipe would wait for a writer, a device may never end, and a sparse file may claim any size.
Sources: open(2), O_NONBLOCK; fifo(7).
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_Found = TypeVar("_Found")

MAX_DOCUMENT = 16 << 20
"""The largest document of an image, in bytes: an index, a manifest, a configuration."""
MAX_HEADER = 16 << 20
"""The largest extended header of a tar archive, in bytes."""

_PIECE = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NULL = os.makedev(1, 3)
"""The device /dev/null (Linux devices.txt), which stands for an empty file."""
_OTHER: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class RegularFile(io.FileIO):
    """An open file that never waits: where others return None, it raises OSError.

    Some files of the kernel are regular and yet have nothing to read for now.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        found: bytes | None = super().read(-1 if size is None else size)
        return _require(found)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into `buffer`; return the number of bytes, 0 at the end."""
        found: int | None = super().readinto(buffer)
        return _require(found)


class HeaderReader(io.BufferedReader):
    """An archive of which tarfile reads only headers; one that claims to be large is refused."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes.  Raise ValueError for more than a header has."""
        if size is None or not 0 <= size <= MAX_HEADER:
            raise ValueError("a header that is too large")
        return super().read(size)


def open_file(path: str | Path) -> RegularFile:
    """Open a regular file, unbuffered.  Raise OSError, also for anything else than a file."""
    # What opening a device does is up to its driver, so it is asked before; a pipe that is swapped
    # in between is opened without waiting, and found afterwards.
    _require_file(os.stat(path), path)
    descriptor = os.open(path, _FLAGS)
    try:
        _require_file(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return RegularFile(descriptor, "rb")


def read_file(path: str | Path, limit: int) -> bytes:
    """Return the content of a regular file.

    Raise OSError, also for anything else than a file, and for one of more than `limit` bytes.
    """
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise _too_large(path, limit)
        return read_stream(file, path, limit)


def read_stream(stream: BinaryIO, path: str | Path, limit: int) -> bytes:
    """Return all of a stream.  Raise OSError naming `path` when it has more than `limit` bytes."""
    pieces = []
    left = limit + 1
    while left and (piece := stream.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise _too_large(path, limit)
    return b"".join(pieces)


def _require_file(found: os.stat_result, path: str | Path) -> None:
    mode = found.st_mode
    if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and found.st_rdev == _NULL):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for test, name in _OTHER if test(mode)), "no file")
    raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def _require(found: _Found | None) -> _Found:
    if found is None:
        raise BlockingIOError(errno.EAGAIN, "nothing to read from it")
    return found


def _too_large(path: str | Path, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))
