"""Layers that were pulled from registries, so that no layer moves twice while they are needed.

They lie in temporary files without a name, which vanish with the process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import BinaryIO

SHELF_BYTES = 8 * 1024**3
"""Most bytes of layers, as they are pulled, that are kept; others are pulled again."""
_PIECE = 1024 * 1024


class LayerShelf:
    """Layers by digest, at most `room` bytes of them.  Close it after use."""

    def __init__(self, room: int = SHELF_BYTES) -> None:
        self._room = room
        self._files: dict[str, BinaryIO] = {}

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
        import tempfile

        file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        is_whole = True
        try:
            for piece in pulled:
                if is_whole:
                    try:
                        file.write(piece)
                    except OSError:  # the disk is full
                        is_whole = False
                yield piece
            with suppress(OSError):
                file.flush()
                if is_whole and os.fstat(file.fileno()).st_size == size:
                    self._files.setdefault(digest, file)
                    self._room -= size
        finally:
            if self._files.get(digest) is not file:
                file.close()

    def close(self) -> None:
        """Forget all layers.  May be called twice."""
        for file in self._files.values():
            file.close()
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


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    offset = 0
    while piece := os.pread(file.fileno(), _PIECE, offset):
        offset += len(piece)
        yield piece
