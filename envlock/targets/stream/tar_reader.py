"""Read a tar archive as a stream: names, metadata and content, without unpacking it.

Supports ustar, GNU long names, base-256 numbers and PAX records (POSIX.1-2017 pax; GNU tar manual,
"Basic Tar Format"; ``SCHILY.xattr.*`` as star and Docker write them).  A header takes microseconds,
where the standard library's tarfile takes tens of microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envlock.errors import TargetError
from envlock.model.text import from_bytes
from envlock.model.tree import Entry, EntryType, Xattrs
from envlock.targets.attributes import is_recorded

BLOCK = 512
_XATTR = "SCHILY.xattr."
_TYPES = {
    b"0": EntryType.FILE,
    b"\0": EntryType.FILE,
    b"7": EntryType.FILE,
    b"1": EntryType.HARDLINK,
    b"2": EntryType.SYMLINK,
    b"3": EntryType.CHAR,
    b"4": EntryType.BLOCK,
    b"5": EntryType.DIRECTORY,
    b"6": EntryType.FIFO,
}
_LINK_MODE = 0o777
_HEADER_LIMIT = 16 * 1024 * 1024
"""Most bytes of extended headers before one member."""
NAME_LIMIT = 4096
"""Longest path or link target, in bytes, as on Linux (PATH_MAX)."""
_NUMBER_LIMIT = 1 << 63


class TarLimits(NamedTuple):
    """What an archive may have.

    `members`: most members.  `names`: most bytes of names, link targets and extended attributes of
    all members together.  `trailing`: most bytes after its end.
    """

    members: int = 4_000_000
    names: int = 1 << 30
    trailing: int = 1 << 30


DEFAULT_LIMITS = TarLimits()


class Member(NamedTuple):
    """One member: its entry (path absolute from the archive's root) and its content.

    `chunks` is only valid until the next member is requested.
    """

    entry: Entry
    chunks: Iterator[bytes]


class ByteStream:
    """A forward-only stream over chunks of any size."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end of the stream."""
        if len(self._rest) >= size:
            taken, self._rest = self._rest[:size], self._rest[size:]
            return taken.tobytes()
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces; fewer only at the end of the stream."""
        while size:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return
                self._rest = memoryview(chunk)
            taken, self._rest = self._rest[:size], self._rest[size:]
            size -= len(taken)
            yield taken.tobytes()


def members(
    chunks: Iterable[bytes], where: str = "", limits: TarLimits = DEFAULT_LIMITS
) -> Iterator[Member]:
    """Yield the members of the archive in `chunks`.

    Raise TargetError when it is malformed, truncated or beyond the limits; `where` names it in the
    message.
    """
    stream = ByteStream(chunks)
    try:
        yield from _members(stream, where, limits)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise TargetError(f"the archive is damaged: {error}", where=where) from error


def _members(stream: ByteStream, where: str, limits: TarLimits) -> Iterator[Member]:
    extended: dict[str, bytes] = {}
    headers = count = held = 0
    while True:
        header = stream.exactly(BLOCK)
        if len(header) < BLOCK:
            raise ValueError("it is truncated")
        if header.count(0) == BLOCK:
            _drain(stream, limits.trailing)
            return
        _check(header)
        kind = header[156:157]
        size = _number(header[124:136])
        if kind in _TYPES:
            size = int(extended.get("size", size))
        if size < 0:
            raise ValueError("a member of negative size")
        if kind in (b"L", b"K", b"x", b"g"):
            headers += size
            if headers > _HEADER_LIMIT:
                raise ValueError("extended headers that are too large")
            _extend(extended, kind, _payload(stream, size))
            continue
        entry = _entry(header, extended, kind, size)
        extended, headers, count = {}, 0, count + 1
        if count > limits.members:
            raise ValueError(f"more than {limits.members:,} members")
        held += len(entry.path) + len(entry.target) + sum(len(v) for _, v in entry.xattrs)
        if held > limits.names:
            raise ValueError(f"more than {limits.names:,} bytes of names")
        content = _Content(stream, size, where)
        yield Member(entry, content.chunks())
        content.skip()


def _drain(stream: ByteStream, most: int) -> None:
    """Read what follows the end, so that the writer does not get a broken pipe."""
    left = most
    for piece in stream.pieces(1 << 62):
        left -= len(piece)
        if left < 0:
            raise ValueError(f"more than {most:,} bytes after its end")


class _Content:
    """The content of one member and its padding, read exactly once."""

    def __init__(self, stream: ByteStream, size: int, where: str) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK
        self._where = where

    def chunks(self) -> Iterator[bytes]:
        for piece in self._stream.pieces(self._left):
            self._left -= len(piece)
            yield piece
        if self._left:
            raise _truncated(self._where)

    def skip(self) -> None:
        for piece in self._stream.pieces(self._left):
            self._left -= len(piece)
        if self._left or len(self._stream.exactly(self._padding)) < self._padding:
            raise _truncated(self._where)


def _truncated(where: str) -> TargetError:
    return TargetError("the archive is damaged: it is truncated", where=where)


def _payload(stream: ByteStream, size: int) -> bytes:
    payload = stream.exactly(size + -size % BLOCK)
    if len(payload) < size:
        raise ValueError("a truncated header")
    return payload[:size]


def _check(header: bytes) -> None:
    expected = _number(header[148:156])
    actual = sum(header) - sum(header[148:156]) + 256
    if expected != actual:
        raise ValueError("a header with a wrong checksum")


def _number(field: bytes) -> int:
    """Return an octal number, or one in base 256 (GNU tar manual, "Extensions to the format")."""
    if field[0] == 0xFF:
        return int.from_bytes(field, "big", signed=True)
    if field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    text = field.strip(b" \0")
    return int(text, 8) if text else 0


def _extend(extended: dict[str, bytes], kind: bytes, payload: bytes) -> None:
    match kind:
        case b"L":
            extended["path"] = payload.rstrip(b"\0")
        case b"K":
            extended["linkpath"] = payload.rstrip(b"\0")
        case b"x":
            extended.update(_records(payload))
        case _:  # global records describe the archive, not its members
            dict(_records(payload))


def _records(payload: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(payload):
        space = payload.index(b" ", at)
        length = int(payload[at:space])
        record = payload[space + 1 : at + length]
        is_whole = space - at + 1 < length <= len(payload) - at
        if not is_whole or record[-1:] != b"\n":
            raise ValueError("a damaged extended header")
        key, equals, value = record[:-1].partition(b"=")
        if not equals:
            raise ValueError("a damaged extended header")
        yield key.decode("utf-8", "surrogateescape"), value
        at += length


def _entry(header: bytes, extended: dict[str, bytes], kind: bytes, size: int) -> Entry:
    if kind == b"S" or any(key.startswith("GNU.sparse.") for key in extended):
        raise ValueError("sparse members are not supported")
    if kind not in _TYPES:
        raise ValueError(f"a member of unknown type {kind!r}")
    name = extended.get("path") or _name(header)
    link = extended.get("linkpath") or header[157:257].split(b"\0", 1)[0]
    if len(name) > NAME_LIMIT or len(link) > NAME_LIMIT:
        raise ValueError(f"a name of more than {NAME_LIMIT:,} bytes")
    entry_type = _TYPES[kind]
    if entry_type is EntryType.FILE and name.endswith(b"/"):
        entry_type = EntryType.DIRECTORY
    device = None
    if entry_type in (EntryType.CHAR, EntryType.BLOCK):
        device = (_number(header[329:337]), _number(header[337:345]))
    target = from_bytes(link)
    return Entry(
        absolute(from_bytes(name)),
        entry_type,
        # No system call changes the mode of a link: what a builder wrote means nothing.
        _LINK_MODE if entry_type is EntryType.SYMLINK else _number(header[100:108]) & 0o7777,
        _integer(extended, "uid", header[108:116]),
        _integer(extended, "gid", header[116:124]),
        _integer(extended, "mtime", header[136:148]),
        size if entry_type is EntryType.FILE else 0,
        absolute(target) if entry_type is EntryType.HARDLINK else target,
        device,
        _xattrs(extended),
    )


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    if header[257:263] == b"ustar\0":
        prefix = header[345:500].split(b"\0", 1)[0]
        if prefix:
            return prefix + b"/" + name
    return name


def _integer(extended: dict[str, bytes], key: str, field: bytes) -> int:
    value = extended.get(key)
    if value is None:
        number = _number(field)
    else:
        whole, _, fraction = value.decode("ascii").partition(".")
        # Seconds are rounded down, also before 1970.
        number = int(whole) - (whole.startswith("-") and bool(fraction.strip("0")))
    if not -_NUMBER_LIMIT < number < _NUMBER_LIMIT:
        raise ValueError(f"a {key} that is too large")
    return number


def _xattrs(extended: dict[str, bytes]) -> Xattrs:
    if len(extended) == 0:
        return ()
    return tuple(
        sorted(
            (key.removeprefix(_XATTR), value)
            for key, value in extended.items()
            if key.startswith(_XATTR) and is_recorded(key.removeprefix(_XATTR))
        )
    )


def absolute(name: str) -> str:
    """Return a member's name as an absolute path.  Raise ValueError when it has a ``..``.

    >>> absolute("./etc/passwd"), absolute("./")
    ('/etc/passwd', '/')
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError(f"a member outside of the archive: {name!r}")
    return "/" + "/".join(parts)
