"""Java archives, and the archives packed inside them: an EAR with a WAR with a library.

An archive is read as far as its limits allow, since it may be made to exhaust who reads it; what is
left out is a gap.
"""

from __future__ import annotations

import posixpath
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, NamedTuple, cast

from envlock.capture.context import Context
from envlock.formats.binary.zip_archive import (
    DAMAGE,
    member_pieces,
    open_archive,
    read_beginning,
)
from envlock.formats.java import (
    Archive,
    archive_of,
    parse_manifest,
    parse_properties,
    split_file_name,
)
from envlock.model.tree import Entry

EXTENSIONS = ("jar", "war", "ear", "hpi", "jpi", "kar", "nar")
"""Archives that are found as files."""
_INSIDE = tuple(f".{extension}" for extension in (*EXTENSIONS, "rar", "sar", "aar"))
"""Archives that are found in others."""
_MANIFEST = "META-INF/MANIFEST.MF"
_LARGEST_ARCHIVE = 1 << 30
LARGEST_INSIDE = 256 * 1024 * 1024
"""Largest archive inside another, in bytes."""
_LARGEST_MEMBER = 1024 * 1024
_MOST_MEMBERS = 200_000
_MOST_PROJECTS = 2_000
MOST_ARCHIVES = 2_000
"""Most archives inside of one file."""
MOST_BYTES = 512 * 1024 * 1024
"""Most bytes that these have unpacked."""
_IN_MEMORY = 16 * 1024 * 1024
DEEPEST = 4
"""Most archives inside one another."""


class JavaArchive(NamedTuple):
    """An archive: its coordinates, its manifest, and what is packed inside it.

    `path` is that of the file; inside another archive, the name of the member.  A library that was
    merged into the archive has neither a path nor a manifest.
    """

    path: str
    coordinates: Archive
    manifest: str = ""
    inside: tuple[JavaArchive, ...] = ()


def read_archive(entry: Entry, context: Context) -> JavaArchive | None:
    """Return the archive in a file, or None when (with a gap) it cannot be read."""
    if entry.size > _LARGEST_ARCHIVE:
        context.gap(entry.path, "too large")
        return None
    stream = context.open(entry)
    if stream is None:
        return None
    with closing(stream):
        return _Reader(context, entry.path).read(stream, entry.path)


class _Reader:
    """Reads one file; what may be read inside of it is limited as a whole."""

    def __init__(self, context: Context, path: str) -> None:
        self._context = context
        self._path = path
        self._archives = MOST_ARCHIVES
        self._bytes = MOST_BYTES
        self._is_cut = False

    def read(self, stream: BinaryIO, path: str, where: tuple[str, ...] = ()) -> JavaArchive | None:
        """Return an archive; `where` are the names of the members that lead to it."""
        try:
            with open_archive(stream) as archive:
                return self._read(archive, path, where)
        except (*DAMAGE, OSError):
            self._gap(where, "not a readable archive")
        return None

    def _read(self, archive: zipfile.ZipFile, path: str, where: tuple[str, ...]) -> JavaArchive:
        projects: list[Archive] = []
        inside: list[JavaArchive] = []
        manifest = ""
        for member in archive.infolist()[:_MOST_MEMBERS]:
            name = member.filename
            if name == _MANIFEST:
                manifest = _text(archive, member)
            elif name.startswith("META-INF/maven/") and name.endswith("/pom.properties"):
                project = parse_properties(_text(archive, member))
                projects += [project] if project and len(projects) < _MOST_PROJECTS else []
            elif name.lower().endswith(_INSIDE) and len(inside) < _MOST_PROJECTS:
                inside.append(self._inner(archive, member, (*where, name)))
        own = archive_of(_stem(path), projects, parse_manifest(manifest))
        merged = (JavaArchive("", project) for project in projects if project != own)
        return JavaArchive(path, own, manifest, (*dict.fromkeys((*merged, *inside)),))

    def _inner(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: tuple[str, ...]
    ) -> JavaArchive:
        """Return an archive inside another; by its name alone where it cannot be read."""
        name = member.filename
        named = JavaArchive(name, Archive("", *split_file_name(_stem(name))))
        if len(where) > DEEPEST or not self._archives or member.file_size > self._bytes:
            self._cut()
            return named
        if member.file_size > LARGEST_INSIDE:
            self._gap(where, "too large")
            return named
        self._archives -= 1
        self._bytes -= member.file_size
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as content:
            try:
                content.writelines(member_pieces(archive, member))
            except (*DAMAGE, OSError):
                self._gap(where, "not a readable archive")
                return named
            return self.read(cast("BinaryIO", content), name, where) or named

    def _cut(self) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._gap((), "more archives inside than are read")

    def _gap(self, where: tuple[str, ...], reason: str) -> None:
        self._context.gap("!/".join((self._path, *where)), reason)


def walk(archive: JavaArchive) -> Iterator[JavaArchive]:
    """Yield an archive and everything inside it."""
    yield archive
    for inner in archive.inside:
        yield from walk(inner)


def _stem(path: str) -> str:
    return posixpath.basename(path).rpartition(".")[0]


def _text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    return read_beginning(archive, member, _LARGEST_MEMBER).decode("utf-8", "replace")
