"""Open what is packed, packs of the store among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Never

from envlock.model.tree import Entry, EntryType
from envlock.store import deltas, packs
from envlock.store.carried import LARGEST_PACK_FILE
from envlock.targets.stream import packed
from envlock.targets.stream.packed import NotSearchedError, Packed


def opened(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Packed] | None:
    """Return the parts of what begins with `head`, as `packed.opened` does, or of a pack."""
    if head.startswith(packs.MAGIC):
        return _pack(chunks)
    if head.startswith(deltas.MAGIC):
        return map(_not_alone, chunks)
    return packed.opened(name, head, chunks)


def _pack(chunks: Iterator[bytes]) -> Iterator[Packed]:
    """Yield the objects of a pack of envlock, each named by its digest."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > LARGEST_PACK_FILE:
            raise NotSearchedError(f"a pack of more than {LARGEST_PACK_FILE:,} bytes")

    def read(offset: int, size: int) -> bytes:
        return bytes(held[offset : offset + size])

    try:
        for each in packs.read_table(read):
            content = packs.read_object(read, each)
            entry = Entry(f"/{each.sha256}", EntryType.FILE, 0o644, size=each.size)
            yield Packed(entry.path, entry, iter([content]))
    except packs.PackError as error:
        raise NotSearchedError(str(error)) from error


def _not_alone(_chunk: bytes) -> Never:
    """Raise NotSearchedError: what a delta was made against is elsewhere."""
    raise NotSearchedError("what changed since an earlier version; `envlock unbundle` unpacks it")
