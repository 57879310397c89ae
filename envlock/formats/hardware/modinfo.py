"""The .modinfo section of a kernel module file, which modinfo(8) prints.

Sources: elf(5); include/linux/moduleparam.h (``name=value`` strings, each ended by a NUL).
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from typing import BinaryIO, NamedTuple

MAX_SIZE = 256 * 1024 * 1024
"""Largest module file in bytes, unpacked."""

_MAX_SECTIONS = 65_536
_MAX_NAMES = 4 * 1024 * 1024
_MAX_MODINFO = 1024 * 1024


class _Section(NamedTuple):
    name: int
    offset: int
    size: int


def unpack(name: str, raw: bytes, limit: int = MAX_SIZE) -> bytes:
    """Return the content of a module file, compressed according to its name (.gz, .xz, .zst).

    Raise ValueError when it is damaged or unpacks to more than `limit` bytes.
    """
    try:
        if name.endswith(".gz"):
            content = zlib.decompressobj(wbits=31).decompress(raw, limit + 1)
        elif name.endswith(".xz"):
            content = lzma.LZMADecompressor(memlimit=MAX_SIZE).decompress(raw, limit + 1)
        elif name.endswith(".zst"):
            content = _unpack_zst(raw, limit + 1)
        else:
            content = raw
    except (zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"damaged: {error}") from error
    if len(content) > limit:
        raise ValueError("too large")
    return content


def _unpack_zst(raw: bytes, limit: int) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=limit).stream_reader(raw) as stream:
            return stream.read(limit)
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged: {error}") from error


def parse_modinfo(raw: bytes) -> dict[str, str]:
    """Return the same as `read_modinfo`, given the content of the file."""
    return read_modinfo(io.BytesIO(raw))


def read_modinfo(stream: BinaryIO) -> dict[str, str]:
    """Return name -> value of the .modinfo section in a seekable ELF file, the first of each name.

    Raise ValueError when it is not an ELF file, or has no such section.
    """
    head = stream.read(64)
    if len(head) < 52 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        raise ValueError("not an ELF file")
    sections, names = _sections(stream, head)
    for section in sections:
        if names[section.name : section.name + 9] == b".modinfo\0":
            return _pairs(_at(stream, section.offset, min(section.size, _MAX_MODINFO)))
    raise ValueError("no .modinfo section")


def _sections(stream: BinaryIO, head: bytes) -> tuple[list[_Section], bytes]:
    """Return the sections of an ELF file and their string table."""
    order = "<" if head[5] == 1 else ">"
    if head[4] == 2 and len(head) < 64:
        raise ValueError("truncated header")
    if head[4] == 2:
        (start,) = struct.unpack_from(f"{order}Q", head, 40)
        size, count, index = struct.unpack_from(f"{order}HHH", head, 58)
        layout = struct.Struct(f"{order}IIQQQQ")
    else:
        (start,) = struct.unpack_from(f"{order}I", head, 32)
        size, count, index = struct.unpack_from(f"{order}HHH", head, 46)
        layout = struct.Struct(f"{order}IIIIII")
    if size < layout.size or index >= count or count > _MAX_SECTIONS:
        raise ValueError("malformed section headers")
    table = _at(stream, start, size * count)
    if len(table) != size * count:
        raise ValueError("truncated section headers")
    fields = [layout.unpack_from(table, place * size) for place in range(count)]
    sections = [_Section(found[0], found[4], found[5]) for found in fields]
    named = sections[index]
    return sections, _at(stream, named.offset, min(named.size, _MAX_NAMES))


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    if offset > MAX_SIZE:
        raise ValueError("offset beyond the end")
    stream.seek(offset)
    return stream.read(size)


def _pairs(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in raw.split(b"\0"):
        name, equals, value = word.decode("utf-8", "surrogateescape").partition("=")
        if equals and name:
            found.setdefault(name, value)
    return found
