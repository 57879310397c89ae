"""A file of which only some pages are at hand: what a collector read of a large one."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PAGE = 64 * 1024
"""The size of a page in bytes; the last one of a file may be shorter."""


class PagedFile(io.RawIOBase):
    """A stream of `size` bytes that gets each page from `load`, by its number, when it is read."""

    def __init__(self, size: int, load: Callable[[int], bytes]) -> None:
        self._size = size
        self._load = load
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read the next bytes into `buffer`, up to the end of a page."""
        view = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, PAGE)
        piece = self._load(number)[start : start + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def pages_of(content: bytes, numbers: list[int]) -> dict[int, bytes]:
    """Return pages by their number, from their contents one after another."""
    return {number: content[at * PAGE : (at + 1) * PAGE] for at, number in enumerate(numbers)}
