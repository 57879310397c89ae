"""What is known of the layers of images, in the store's cache: no layer is read twice.

It is found by the digest of the layer together with the request, the user and envlock's own files,
the rules about secrets among them.  Kept are the members with their metadata; the digest of a file
only where a lock has it; how programs are linked; the content that collectors asked for, where a
package has published it.  Nothing is kept of a secret file but its name, and nothing of a layer
with a secret in a name or a link.

The file is only a cache: one that is damaged is as none, and the layer is read anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

from envlock.capture.beginnings import Beginning, Beginnings
from envlock.capture.files.classify import NOT_STORED
from envlock.capture.files.ownership import Claim
from envlock.capture.request import Request
from envlock.capture.validity import circumstances
from envlock.errors import StoreError
from envlock.formats.binary.linkage import Linkage
from envlock.model.tree import OBSERVED, Entry, EntryType, FileClass, Row, Tree
from envlock.secrets.records import clean_entry, secret_names
from envlock.store.blob_file import BlobFile, DamagedBlobFileError, write_blob_file
from envlock.store.known import forget_most_layers, layer_path
from envlock.store.objects import Store
from envlock.targets.stream.known_layer import KnownLayer, LayeredTarget

MOST_PATHS = 500_000
"""Most members of a layer that is kept."""
CONTENT_BYTES = 64 * 1024 * 1024
"""Most bytes of content, compressed, that are kept of one layer; the rest is read again."""

_WITHOUT_EFFECT = (
    *("jobs", "timeout", "value_key", "env_allow", "env_deny"),
    *("roots", "traces", "workdir"),
)
"""Fields of a request that do not change what is known of files."""
_NO_DIGEST = NOT_STORED | {FileClass.SECRET, FileClass.IDENTITY}
_NOT_PUBLISHED = ("blob", "redacted", OBSERVED)


MOST_MISSES = 3
"""Most files of known layers that are fetched one by one; then all is read."""


class UnreadFileError(Exception):
    """What was not read is needed after all: capture without the memory."""


class Bounds(NamedTuple):
    """What is kept of a layer, and how many files are fetched one by one; see the constants."""

    paths: int = MOST_PATHS
    content: int = CONTENT_BYTES
    misses: int = MOST_MISSES


DEFAULT_BOUNDS = Bounds()


class KnownLayers:
    """The layers that a store knows; implements `envlock.targets.stream.known_layer.LayerMemory`.

    `beginnings` takes what is known of how files begin.  `is_given_up` is True once
    UnreadFileError was raised, which a collector may have taken for an error of its own.
    `opened` are files that were fetched by themselves.
    """

    def __init__(self, store: Store, request: Request, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._store = store
        self._bounds = bounds
        self._key = circumstances(request, "layer", but_not=_WITHOUT_EFFECT)
        self._known: dict[str, KnownLayer | None] = {}
        self._noted: dict[str, KnownLayer] = {}
        self._files: dict[str, BlobFile] = {}
        self._place: dict[str, BlobFile] = {}
        self._unread: dict[str, str] = {}
        self._stated: dict[str, str] = {}
        self.opened: set[str] = set()
        self._misses = 0
        self.is_given_up = False
        self.beginnings = Beginnings()

    def layer(self, digest: str) -> KnownLayer | None:
        """Return what is known of a layer, None where that is nothing."""
        if digest not in self._known:
            self._known[digest] = self._load(digest)
        return self._known[digest]

    def content(self, entry: Entry) -> bytes | None:
        """Return the content of a file whose digest is known, None where it is not kept."""
        if not entry.size:
            return b""
        sha256 = entry.sha256
        with suppress(StoreError):
            if self._store.holds(sha256, entry.size):
                return self._store.read(sha256)
        return self._blob(sha256)

    def note(self, digest: str, layer: KnownLayer) -> None:
        """Take what was read of a layer: all digests, also those that must not be kept."""
        self._noted[digest] = layer

    def fetched(self, path: str) -> None:
        """Take that a file was fetched by itself.  Raise UnreadFileError for too many."""
        self.opened.add(path)
        self._misses += any(path in each.paths for each in self._known.values() if each)
        if self._misses > self._bounds.misses:
            self._give_up(path)

    def see(self, entry: Entry, claim: Claim | None) -> None:
        """Take the claim on a file.

        Raise UnreadFileError when its digest was not read and would decide now.
        """
        stated = claim.digest if claim is not None else ""
        if not entry.sha256 and self._unread.get(entry.path) != stated:
            self._give_up(entry.path)
        if stated:
            self._stated[entry.path] = stated

    def _give_up(self, path: str) -> None:
        self.is_given_up = True
        raise UnreadFileError(path)

    def save(self, tree: Tree, target: LayeredTarget) -> None:
        """Keep what was read of layers; `tree` says what of it may be kept."""
        rows = {row.entry.path: row for row in tree.rows}
        for digest, layer in self._noted.items():
            if len(layer.entries) > self._bounds.paths or not _is_clean(layer.entries):
                continue
            before, room = self.layer(digest), self._bounds.content
            kept = _Kept(before, rows, self.beginnings, target, self._stated, self.opened, room)
            value, blobs = kept.of(layer, self._files.get(digest))
            path = layer_path(self._store, self._name(digest))
            with suppress(OSError):
                path.parent.mkdir(mode=0o700, exist_ok=True)
                write_blob_file(path, self._key, value, blobs)
        if self._noted:
            forget_most_layers(self._store)

    def _name(self, digest: str) -> str:
        return hashlib.sha256(f"{self._key} {digest}".encode()).hexdigest()

    def _load(self, digest: str) -> KnownLayer | None:
        path = layer_path(self._store, self._name(digest))
        file = BlobFile.open(path, self._key)
        if file is None:
            return None
        try:
            value = file.value
            entries = [_entry(each) for each in value["entries"]]
            layer = KnownLayer(entries, value["unread"], value["checks"])
            self._files[digest] = file
            self._place |= dict.fromkeys(file.names(), file)
            sizes = {entry.sha256: entry for entry in entries if entry.sha256}
            for sha256, (linkage, head, is_cut) in value["beginnings"].items():
                self._tell(sizes[sha256], linkage, head, is_cut=is_cut)
        except (KeyError, TypeError, ValueError):
            return None
        self._unread |= layer.unread
        with suppress(OSError):
            os.utime(path)
        return layer

    def _tell(self, entry: Entry, linkage: Any, head: bytes, *, is_cut: bool) -> None:
        script = head
        if head and not is_cut:
            whole = self.content(entry)
            if whole is None:
                return
            script = whole
        found = Linkage(*linkage) if linkage else None
        self.beginnings.tell(entry.sha256, Beginning(found, script, is_cut))

    def _blob(self, sha256: str) -> bytes | None:
        """Return a content that is kept beside a layer, None for a damaged one, too."""
        import zstandard

        file = self._place.get(sha256)
        with suppress(DamagedBlobFileError, zstandard.ZstdError):
            packed = file.blob(sha256) if file is not None else None
            if packed is not None:
                found = zstandard.ZstdDecompressor().decompress(packed)
                if hashlib.sha256(found).hexdigest() == sha256:
                    return found
        return None


class _Kept(NamedTuple):
    """Decides what is kept of a layer; `before` is what was kept of it until now."""

    before: KnownLayer | None
    rows: Mapping[str, Row]
    beginnings: Beginnings
    target: LayeredTarget
    stated: Mapping[str, str]
    opened: Collection[str]
    room: int

    def of(
        self, layer: KnownLayer, file: BlobFile | None
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return the value and the blobs of the file of a layer; `file` is the one there was."""
        known = {e.path: e.sha256 for e in self.before.entries} if self.before else {}
        unread = dict(layer.unread)
        entries: list[Entry] = []
        blobs: dict[str, bytes] = dict(file.blobs(())) if file is not None else {}
        noted: dict[str, tuple[Any, bytes, bool]] = {}
        room = self.room - sum(map(len, blobs.values()))
        for entry in layer.entries:
            if entry.type is not EntryType.FILE or not entry.sha256:
                entries.append(entry)
                continue
            row = self._row(entry.path)
            is_public = row is not None and row.entry.sha256 == entry.sha256
            if not is_public and known.get(entry.path) != entry.sha256:
                if row is not None and self._is_unread(row, entry):
                    unread[entry.path] = self.stated.get(entry.path, "")
                entries.append(entry._replace(sha256="", md5="", sha1=""))
                continue
            entries.append(entry)
            begins = self.beginnings.beginning(entry.sha256)
            if begins is not None:
                plain = tuple(begins.linkage) if begins.linkage else None
                head = begins.script if begins.is_cut else begins.script[:2]
                noted[entry.sha256] = (plain, head, begins.is_cut)
            content = self._content(row, begins) if row is not None and is_public else None
            if content and entry.sha256 not in blobs:
                packed = _packed(content)
                if len(packed) <= room:
                    blobs[entry.sha256] = packed
                    room -= len(packed)
        value = {
            "entries": [_plain(entry) for entry in entries],
            "unread": unread,
            "checks": list(layer.checks),
            "beginnings": noted,
        }
        return value, blobs

    def _row(self, path: str) -> Row | None:
        row = self.rows.get(path)
        if row is not None and row.entry.type is EntryType.HARDLINK:
            row = self.rows.get(row.entry.target)
        return row

    def _is_unread(self, row: Row, entry: Entry) -> bool:
        """True for a file whose digest no lock has and nobody looks at, a log for example."""
        begins = self.beginnings.beginning(entry.sha256)
        return (
            row.source == OBSERVED
            and row.file_class in _NO_DIGEST
            and begins == Beginning()
            and row.entry.path == entry.path
            and entry.path not in self.opened
            and self.target.content_of(entry.path) is None
        )

    def _content(self, row: Row, begins: Beginning | None) -> bytes | None:
        """Return the content of a file that a package has published, where it will be asked for."""
        if row.source.startswith(_NOT_PUBLISHED) or not row.source:
            return None
        content = self.target.content_of(row.entry.path)
        if content is None and begins is not None and not begins.is_cut:
            return begins.script
        return content


def _is_clean(entries: Iterable[Entry]) -> bool:
    """True when nothing secret is in names and links, and no path is there twice."""
    every = list(entries)
    paths = {entry.path for entry in every}
    if len(paths) < len(every):
        return False
    if secret_names(chain.from_iterable(path.split("/") for path in paths)):
        return False
    return all(clean_entry(e) == e for e in every if e.target or e.xattrs)


def _packed(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=3).compress(content)


def _plain(entry: Entry) -> tuple[Any, ...]:
    return (entry.path, entry.type.value, *entry[2:])


def _entry(plain: tuple[Any, ...]) -> Entry:
    path, kind, *rest = plain
    return Entry(path, EntryType(kind), *rest)
