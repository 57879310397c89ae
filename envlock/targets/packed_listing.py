"""The names in a directory with their stats, packed into bytes that a signature is taken of.

Worker processes import this module, so it imports little, and only from the standard library.
"""

from __future__ import annotations

import hashlib
import marshal
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

SignedStat = tuple[int, int, int, int, int, int]
"""The fields of lstat(2) that a signature covers: mode, inode, size, mtime_ns, ctime_ns, links."""

OwnerStat = tuple[int, int, int, int]
"""The other fields of lstat(2): uid, gid, device, and the device number of a device file."""

Xattrs = tuple[tuple[str, bytes], ...]
"""Extended attributes: name and value."""

Columns = list[tuple[int, ...]]
"""The fields of `SignedStat`, one column each, with one item per name; no columns for no names."""

_DIGEST_SIZE = 16
_LENGTH = struct.Struct("<I")


def columns_of(stats: Iterable[Sequence[int]]) -> Columns:
    """Return stats as columns, one for each field."""
    return list(zip(*stats, strict=True))


def pack_columns(names: list[str], columns: Columns) -> bytes:
    """Return names and the columns of their stats as bytes; see `pack`."""
    # Version 1 of the format has no references: equal values give equal bytes.
    first: tuple[Any, ...] = (names, *columns[:1])
    rest: tuple[Any, ...] = tuple(columns[1:])
    head = marshal.dumps(first, 1)
    return _LENGTH.pack(len(head)) + head + marshal.dumps(rest, 1)


def pack(names: list[str], stats: list[SignedStat]) -> bytes:
    """Return the names in a directory and their stats as bytes; equal values give equal bytes."""
    return pack_columns(names, columns_of(stats))


def unpack_modes(packed: bytes) -> tuple[list[str], Sequence[int]]:
    """Return the names in a directory and their modes: faster than `unpack`."""
    (length,) = _LENGTH.unpack_from(packed)
    names, *modes = marshal.loads(packed[_LENGTH.size : _LENGTH.size + length])  # noqa: S302  ours
    return names, modes[0] if modes else ()


def unpack(packed: bytes) -> tuple[list[str], Columns]:
    """Return the names in a directory and the columns of their stats; see `pack`."""
    (length,) = _LENGTH.unpack_from(packed)
    names, *modes = marshal.loads(packed[_LENGTH.size : _LENGTH.size + length])  # noqa: S302  ours
    columns = marshal.loads(packed[_LENGTH.size + length :])  # noqa: S302
    return names, [*modes, *columns]


def signed_stats(columns: Columns) -> list[SignedStat]:
    """Return the columns as one stat per name."""
    return list(zip(*columns, strict=True))


def digest(packed: bytes) -> bytes:
    """Return the signature of packed names and stats."""
    return hashlib.blake2b(packed, digest_size=_DIGEST_SIZE).digest()
