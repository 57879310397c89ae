"""Layers that were pulled from registries, so that no layer moves twice while they are needed.

They lie in temporary files without a name, which vanish with the process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import FileIO

SHELF_BYTES = 8 * 1024**3
"""Most bytes of layers, as they are pulled, that are kept; others are pulled again."""
_PIECE = 1024 * 1024


class LayerShelf:
    """Layers by digest, at most `room` bytes of them.  Close it after use."""

    def __init__(self, room: int = SHELF_BYTES) -> None:
        self._room = room
        self._files: dict[str, FileIO] = {}

    def layer(self, digest: str, size: int, pull: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        """Yield a layer, from here if it was pulled whole before.

        `pull` yields it from the registry and raises at its end when its digest is wrong.
        """
        held = self._files.get(digest)
        if held is not None:
            yield from _pieces(held)
        elif size > self._room:
            yield from pull()
        else:
            yield from self._kept(digest, size, pull())

    def _kept(self, digest: str, size: int, pulled: Iterator[bytes]) -> Iterator[bytes]:
        file = _open_temporary()
        written = 0
        try:
            for piece in pulled:
                if file is not None and not _write(file, piece):
                    _close(file)
                    file = None
                written += len(piece)
                yield piece
            is_whole = file is not None and written == size
            if file is not None and is_whole and digest not in self._files and size <= self._room:
                self._files[digest] = file
                self._room -= size
        finally:
            if file is not None and self._files.get(digest) is not file:
                _close(file)

    def close(self) -> None:
        """Forget all layers.  May be called twice."""
        for file in self._files.values():
            _close(file)
        self._files.clear()


_shared: ContextVar[LayerShelf | None] = ContextVar("_shared", default=None)


def shared_shelf() -> LayerShelf | None:
    """Return the shelf that `layers_shared` gives, None outside of it."""
    return _shared.get()


@contextmanager
def layers_shared() -> Iterator[None]:
    """Let all images of registries that are read in the block share their layers."""
    shelf = LayerShelf()
    token = _shared.set(shelf)
    try:
        yield
    finally:
        _shared.reset(token)
        shelf.close()


def _open_temporary() -> FileIO | None:
    """Return a new file without a name, None where no folder takes one."""
    import tempfile

    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError:
        return None


def _write(file: FileIO, piece: bytes) -> bool:
    """Write a piece whole; return False when the disk is full."""
    left = memoryview(piece)
    with suppress(OSError):
        while left:
            left = left[file.write(left) :]
        return True
    return False


def _close(file: FileIO) -> None:
    with suppress(OSError):
        file.close()


def _pieces(file: FileIO) -> Iterator[bytes]:
    offset = 0
    while piece := os.pread(file.fileno(), _PIECE, offset):
        offset += len(piece)
        yield piece
