"""Write tar archives: the same rows always give the same bytes.

POSIX.1-2017 pax, chapter "pax Interchange Format": a plain ustar header wherever the fields fit,
an extended header before it where they do not, holding only ``path``, ``linkpath``, ``size``,
``uid``, ``gid``, ``mtime`` and ``SCHILY.xattr.*``, sorted.  Names are relative without ``./``,
user and group names empty, times whole seconds; two zero blocks end the archive, without padding
to a full record.  Names are written as raw bytes in both kinds of header: every reader in use
accepts that, and GNU tar warns about ``hdrcharset``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from zlib import adler32

from envlock.errors import MaterializeError
from envlock.materialize.image.blobs import Readable
from envlock.materialize.tree.contents import Contents
from envlock.model.text import escape, to_bytes
from envlock.model.tree import Entry, EntryType, Row

BLOCK = 512
END = bytes(2 * BLOCK)
"""The end of an archive."""

_CHUNK = 256 * 1024
_NAME, _PREFIX = 100, 155
_ID_LIMIT = 0o7777777
_NUMBER_LIMIT = 0o77777777777
_MAGIC = b"ustar\x0000" + bytes(64)
_NO_DEVICE = b"0000000\x00" * 2
_NO_LINK = bytes(_NAME)
_PLAIN_TAIL = _MAGIC + _NO_DEVICE + bytes(_PREFIX + 12)
_PLAIN_TAIL_SUM = sum(_PLAIN_TAIL)
_BLANKS = 8 * 0x20  # the checksum field itself counts as blanks

_FLAGS = {
    EntryType.FILE: b"0",
    EntryType.HARDLINK: b"1",
    EntryType.SYMLINK: b"2",
    EntryType.CHAR: b"3",
    EntryType.BLOCK: b"4",
    EntryType.DIRECTORY: b"5",
    EntryType.FIFO: b"6",
}


def emit(rows: Iterable[Row], contents: Contents) -> Iterator[bytes]:
    """Yield the archive of `rows`, in their order, in pieces of about 256 KiB.

    Raise MaterializeError for a row that no archive can hold, and when content has another length
    than its row.
    """
    pending: list[bytes] = []
    held = 0
    for piece in _pieces(rows, contents):
        pending.append(piece)
        held += len(piece)
        if held >= _CHUNK:
            yield b"".join(pending)
            pending.clear()
            held = 0
    pending.append(END)
    yield b"".join(pending)


def is_archive_of(stream: Readable, rows: Iterable[Row]) -> bool:
    """True when `stream` is, byte for byte, what `emit` yields for `rows`.

    Content is compared with the digests of the rows, so only the rows are trusted.
    """
    for row in rows:
        expected = header(row.entry)
        if stream.read(len(expected)) != expected:
            return False
        if row.entry.type is EntryType.FILE and not _is_content_of(stream, row.entry):
            return False
    return stream.read(len(END) + 1) == END


def header(entry: Entry) -> bytes:
    """Return what precedes the content of `entry`: one block, or more with an extended header.

    Raise MaterializeError for a socket, the root directory and a device number out of range.
    """
    kind = entry.type
    flag = _FLAGS.get(kind)
    name = to_bytes(entry.path[1:])
    if flag is None or not name:
        raise MaterializeError("no archive can hold this path", where=escape(entry.path))
    link = _NO_LINK
    prefix = b""
    extended: list[tuple[bytes, bytes]] = []
    if kind is EntryType.DIRECTORY:
        name += b"/"
    elif entry.target:
        text = to_bytes(entry.target[1:] if kind is EntryType.HARDLINK else entry.target)
        if len(text) > _NAME:
            extended.append((b"linkpath", text))
        link = text[:_NAME].ljust(_NAME, b"\0")
    if len(name) > _NAME:
        prefix, short = _split(name)
        if not short:
            extended.append((b"path", name))
        name = short or name[:_NAME]
    size = entry.size if kind is EntryType.FILE else 0
    numbers = (entry.mode, entry.uid, entry.gid, size, entry.mtime)
    if entry.xattrs or not _fits(numbers):
        numbers = _extend(entry, numbers, extended)
    tail = _PLAIN_TAIL
    if prefix or entry.device:
        tail = _MAGIC + _device(entry) + prefix.ljust(_PREFIX, b"\0") + bytes(12)
    block = _block(name, numbers, flag, link, tail)
    return _extended_header(extended) + block if extended else block


def _pieces(rows: Iterable[Row], contents: Contents) -> Iterator[bytes]:
    for row in rows:
        entry = row.entry
        yield header(entry)
        if entry.type is not EntryType.FILE or not entry.size:
            continue
        written = 0
        for chunk in contents.chunks(row):
            written += len(chunk)
            yield chunk
        if written != entry.size:
            raise MaterializeError(
                f"read {written} bytes of content instead of {entry.size}",
                where=escape(entry.path),
            )
        yield bytes(-written % BLOCK)


def _is_content_of(stream: Readable, entry: Entry) -> bool:
    digest = hashlib.sha256()
    left = entry.size
    while left and (chunk := stream.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    padding = stream.read(-entry.size % BLOCK)
    same = not entry.size or digest.hexdigest() == entry.sha256
    return same and not left and not padding.strip(b"\0")


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Return (prefix, name) of a long name as ustar splits it, or two empty strings."""
    cut = name.rfind(b"/", 0, min(_PREFIX + 1, len(name) - 1))
    rest = name[cut + 1 :]
    return (name[:cut], rest) if cut > 0 and len(rest) <= _NAME else (b"", b"")


def _fits(numbers: tuple[int, int, int, int, int]) -> bool:
    _, uid, gid, size, mtime = numbers
    return (
        uid <= _ID_LIMIT
        and gid <= _ID_LIMIT
        and size <= _NUMBER_LIMIT
        and 0 <= mtime <= _NUMBER_LIMIT
    )


def _extend(
    entry: Entry, numbers: tuple[int, int, int, int, int], extended: list[tuple[bytes, bytes]]
) -> tuple[int, int, int, int, int]:
    """Add extended attributes and large numbers to `extended`; return the numbers that remain."""
    mode, *rest = numbers
    keys = ((b"uid", _ID_LIMIT), (b"gid", _ID_LIMIT), (b"size", _NUMBER_LIMIT))
    for index, (key, limit) in enumerate((*keys, (b"mtime", _NUMBER_LIMIT))):
        if not 0 <= rest[index] <= limit:
            extended.append((key, b"%d" % rest[index]))
            rest[index] = 0
    extended.extend((b"SCHILY.xattr." + to_bytes(key), value) for key, value in entry.xattrs)
    uid, gid, size, mtime = rest
    return mode, uid, gid, size, mtime


def _device(entry: Entry) -> bytes:
    if entry.device is None:
        return _NO_DEVICE
    if not all(0 <= number <= _ID_LIMIT for number in entry.device):
        raise MaterializeError("no archive can hold this device number", where=escape(entry.path))
    return b"%07o\0%07o\0" % entry.device


def _block(
    name: bytes, numbers: tuple[int, int, int, int, int], flag: bytes, link: bytes, tail: bytes
) -> bytes:
    """Return one 512-byte header with its checksum, the sum of its bytes.

    The low half of Adler-32 is one more than the sum modulo 65521, and 30 times as fast as `sum`.
    Each part is short enough to stay below the modulus.
    """
    left = name.ljust(_NAME, b"\0") + b"%07o\0%07o\0%07o\0%011o\0%011o\0" % numbers
    total = _BLANKS + (adler32(left) & 0xFFFF) - 1 + flag[0]
    if link is not _NO_LINK:
        total += (adler32(link) & 0xFFFF) - 1
    total += _PLAIN_TAIL_SUM if tail is _PLAIN_TAIL else (adler32(tail) & 0xFFFF) - 1
    return b"%b%06o\0 %b%b%b" % (left, total, flag, link, tail)


def _extended_header(records: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(_record(key, value) for key, value in sorted(records))
    block = _block(b"@PaxHeader", (0o644, 0, 0, len(body), 0), b"x", _NO_LINK, _PLAIN_TAIL)
    return block + body + bytes(-len(body) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """Return one record, ``LENGTH KEY=VALUE`` and a newline; LENGTH counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if length - len(str(length)) != rest:
        length += 1
    return b"%d %b=%b\n" % (length, key, value)
