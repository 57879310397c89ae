"""Artifacts that are compressed tars: read through a table of their members.

The table stays in the cache of the store.  The tar itself is decompressed for as long as a rebuild
reads it, into a directory of that rebuild: later ones find its files in the layers that they were
written to (`envlock.materialize.image.kept_layers`).
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import IO, NamedTuple

import zstandard

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Reader, Rooms
from envlock.materialize.artifacts.verify import sha256_of
from envlock.model.document import parse_json
from envlock.model.text import escape, unescape
from envlock.reading import HeaderReader, open_file, read_file
from envlock.writing import end_with_holes, replacing, write_with_holes

_CHUNK = 1024 * 1024

MOST_MEMBERS = 4_000_000
"""Most members of a tar."""
TABLE_LIMIT = 1 << 30

DAMAGE = (
    EOFError,
    ValueError,
    lzma.LZMAError,
    tarfile.TarError,
    zlib.error,
    zstandard.ZstdError,
    RecursionError,  # tarfile follows extended headers by calling itself
    OverflowError,
)
"""What a tar or its compression raises when it is damaged."""


class Member(NamedTuple):
    """A regular file of a tar: its position in it, and its digest."""

    offset: int
    size: int
    sha256: str


class UnpackedTar:
    """The regular files of a tar by path; it is decompressed when the first of them is read."""

    def __init__(self, members: Mapping[str, Member], tar: Callable[[], Path]) -> None:
        self.members = members
        self._tar = tar

    def find(self, member: str, sha256: str) -> Reader | None:
        """Return a reader of the file with this digest, at `member` if possible, or None."""
        found = self.members.get(member)
        if found is None or found.sha256 != sha256:
            found = self._by_digest.get(sha256)
        return None if found is None else self._reader(found)

    def contents(self) -> Mapping[str, str]:
        """Return path -> SHA-256."""
        return {name: member.sha256 for name, member in self.members.items()}

    def close(self) -> None:
        """Do nothing: the file is open only while a member is read."""

    def _reader(self, member: Member) -> Reader:
        def read() -> Iterator[bytes]:
            try:
                data = self._tar()
            except DAMAGE as error:
                raise OSError(0, str(error)) from error
            return read_member(data, member)()

        return read

    @cached_property
    def _by_digest(self) -> Mapping[str, Member]:
        return {member.sha256: member for member in reversed(tuple(self.members.values()))}


def unpack_tar(
    path: Path,
    rooms: Rooms,
    pieces: Callable[[IO[bytes]], Iterator[bytes]],
    *,
    what: str,
    rename: Callable[[str], str] = str,
) -> UnpackedTar:
    """Return the members of the tar in the file at `path`, from their table if there is one.

    `pieces` yields the bytes of the tar, given the open file; `what` names the format in messages,
    and `rename` gives the names by which members are found.  Raise SourceError when the file is
    truncated or of another format.
    """
    index = partial(index_members, rename=rename)
    return unpack_archive(path, rooms, pieces, what=what, index=index)


def unpack_archive(
    path: Path,
    rooms: Rooms,
    pieces: Callable[[IO[bytes]], Iterator[bytes]],
    *,
    what: str,
    index: Callable[[Path], dict[str, Member]],
) -> UnpackedTar:
    """Do the same for an archive of any kind, given a function that returns its files by name."""
    key = f"{path.name}-{sha256_of(path)[:32]}"
    table = rooms.tables / f"{key}.json"
    tar = _Tar(path, rooms.tars / f"{key}.tar", pieces)
    try:
        return UnpackedTar(_read_table(table), tar)
    except (OSError, ValueError):
        pass
    rooms.tables.mkdir(parents=True, exist_ok=True)
    try:
        members = index(tar())
    except (*DAMAGE, OSError) as error:
        raise SourceError(
            f"not a complete {what}: {error}", where=str(path), hint="delete it and retry"
        ) from error
    _write_table(table, members)
    return UnpackedTar(members, tar)


class _Tar:
    """Decompresses a tar when it is called first; returns where it is.

    Raises OSError, and `DAMAGE` for a damaged one.
    """

    def __init__(
        self, path: Path, data: Path, pieces: Callable[[IO[bytes]], Iterator[bytes]]
    ) -> None:
        self._path = path
        self._data = data
        self._pieces = pieces
        self._guard = threading.Lock()
        self._is_there = False

    def __call__(self) -> Path:
        with self._guard:
            if not self._is_there:
                self._decompress()
                self._is_there = True
        return self._data

    def _decompress(self) -> None:
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("rb") as source, replacing(self._data, is_durable=False) as sink:
            for piece in self._pieces(source):
                write_with_holes(sink, piece)
            end_with_holes(sink)


def read_member(data: Path, member: Member) -> Reader:
    """Return a reader of a part of the file `data`, which is opened when it is called."""

    def read() -> Iterator[bytes]:
        offset, left = member.offset, member.size
        with data.open("rb", buffering=0) as stream:
            while left:
                chunk = os.pread(stream.fileno(), min(left, _CHUNK), offset)
                if not chunk:
                    raise OSError(0, f"{data} became shorter")
                offset += len(chunk)
                left -= len(chunk)
                yield chunk

    return read


def index_members(
    data: Path, most: int = MOST_MEMBERS, rename: Callable[[str], str] = str
) -> dict[str, Member]:
    """Return the files of a tar by name, of at most so many members.  Raise ValueError for more.

    `rename` gives the name by which a member is found.
    """
    members: dict[str, Member] = {}
    with (
        data.open("rb") as raw,
        HeaderReader(open_file(data)) as headers,
        tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape") as archive,
    ):
        for count, info in enumerate(archive, 1):
            if count > most:
                raise ValueError(f"more than {most:,} members")
            name = info.name.removeprefix("./")
            if info.isreg():
                digest = _digest(raw, info.offset_data, info.size)
                members[rename(name)] = Member(info.offset_data, info.size, digest)
            elif info.islnk() and (target := rename(info.linkname.removeprefix("./"))) in members:
                members[rename(name)] = members[target]
    return members


def _digest(raw: IO[bytes], offset: int, size: int) -> str:
    digest = hashlib.sha256()
    raw.seek(offset)
    while size:
        chunk = raw.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of a file")
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


def _read_table(table: Path) -> dict[str, Member]:
    rows = parse_json(read_file(table, TABLE_LIMIT), max_values=TABLE_LIMIT)
    return {unescape(name): Member(offset, size, sha256) for name, offset, size, sha256 in rows}


def _write_table(table: Path, members: Mapping[str, Member]) -> None:
    rows = [[escape(name), *member] for name, member in members.items()]
    with replacing(table, is_durable=False) as stream:
        stream.write(json.dumps(rows).encode())
