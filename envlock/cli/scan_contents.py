"""Search what envlock wrote, or any file, for secrets: where they are and by which rule.

Everything is read as a stream and judged by the same rules as a capture: a lock by record, a file
tree by row, a report by its findings, and any other content by its path, piece by piece.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from envlock.cli.scan_archives import opened
from envlock.cli.scan_recording import Hit, is_recording, scan_recording
from envlock.errors import EnvlockError, LockfileError, StoreError
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.syntax import HEADER
from envlock.model.document import parse_json
from envlock.model.process import HIDDEN
from envlock.model.text import escape
from envlock.model.tree import REDACTED, TREE_HEADER, EntryType, Tree
from envlock.reading import open_file
from envlock.report.disclosure import disclosed_value
from envlock.report.lock_disclosure import disclosed_record
from envlock.secrets.files import FileKind, Judgement, judge_file
from envlock.secrets.keyed import is_fingerprint
from envlock.secrets.records import clean_entry, clean_name
from envlock.secrets.shapes import find_shape, shape_spans
from envlock.secrets.stream import redact_stream
from envlock.secrets.values import SETTING_RULE
from envlock.store.bundle import Bundle
from envlock.store.manifests import PACKED_TREE_TYPE, TREE_TYPE, parse_manifest
from envlock.store.unpacking import content_of
from envlock.targets.stream.packed import MOST_LEVELS, PIECE, NotSearchedError, Packed, peek

_WHOLE = 1 << 20
"""Files up to this size in bytes are judged in one piece."""
_DOCUMENT = 256 << 20
"""The largest lock, file tree or report that is read as what it is."""
_MOST_HITS = 100
"""Most hits that are told of one file."""
_DIGEST = re.compile(r"[0-9a-f]{62,64}(?:\.zst)?\Z")
_UNREADABLE = (
    OSError, NotSearchedError, EnvlockError, ValueError, TypeError, LookupError, AttributeError,
    RecursionError, OverflowError,
)  # fmt: skip
"""What damaged and hostile outputs raise: they are not searched, which is told."""
_UNKNOWN = "/usr/share/doc/unknown"
"""Where a content without a name is taken to be: only what is surely a secret is told."""
_BUNDLE_BEGINS = 16
_READABLE = 0o644
_PAGE = re.compile(r"<script[^>]{0,200}application/json[^>]{0,200}>(.*?)</script>", re.DOTALL)


class Unsearched(NamedTuple):
    """Something that was not searched, and why: nothing is known of it.

    `file` names a member of an archive with the archive before it, ``ARCHIVE!MEMBER``.
    """

    file: str
    reason: str


Found = Hit | Unsearched
Places = Mapping[str, tuple[str, int]]
"""Digest -> path and mode of the file that an object of a store is the content of."""


class _Item(NamedTuple):
    """A content to search: how it is told, its path as it is judged, its mode, and its pieces."""

    shown: str
    path: str
    mode: int
    chunks: Iterable[bytes]
    level: int = 0
    places: Places = MappingProxyType({})


def scan(path: Path) -> Iterator[Found]:
    """Yield what is found in a file, or in all files of a directory; links are not followed."""
    if not path.is_dir():
        yield from _scan_file(path, path.name, {})
        return
    files = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    places = dict(_places(files))
    for file in sorted(files):
        yield from _scan_file(file, str(file.relative_to(path)), places)


def scan_content(shown: str, path: str, mode: int, chunks: Iterable[bytes]) -> Iterator[Found]:
    """Yield what is found in a content that lies at `path` in an environment.

    `shown` is what messages call it, in the form of `shown_name`.
    """
    try:
        yield from islice(_search(_Item(shown, path, mode, chunks)), _MOST_HITS)
    except _UNREADABLE as error:
        yield Unsearched(shown, _why(error))


def shown_name(name: str) -> str:
    """Return the name of a file as messages have it: in one line, without what may be secret."""
    return clean_name(escape(name))


def _scan_file(path: Path, inside: str, places: Places) -> Iterator[Found]:
    shown = shown_name(str(path))
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)
            if find_shape(target):
                yield Hit(shown, "link target", find_shape(target))
            return
        if not stat.S_ISREG(status.st_mode):
            return
        digest = f"{path.parent.name}{path.name}".removesuffix(".zst")[-64:]
        judged, mode = places.get(digest, (f"/{inside}", status.st_mode & 0o7777))
        if digest not in places and _DIGEST.match(path.name):
            judged = _UNKNOWN
        places = places or dict(_places_in_bundle(path))
        item = _Item(shown, judged, mode, _pieces(path), places=places)
        yield from islice(_search(item), _MOST_HITS)
    except _UNREADABLE as error:
        yield Unsearched(shown, _why(error))


def _why(error: Exception) -> str:
    """Return why something was not searched, without words of a content that broke a parser."""
    if isinstance(error, OSError | NotSearchedError | EnvlockError):
        return getattr(error, "strerror", None) or str(error)
    return f"damaged ({type(error).__name__})"


def _pieces(path: Path) -> Iterator[bytes]:
    with open_file(path) as stream:
        while piece := stream.read(PIECE):
            yield piece


def _places(files: Iterable[Path]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield what the file trees of a store tell about its objects; a damaged one tells nothing."""
    for file in files:
        if file.suffix == ".zst" and _DIGEST.match(file.name) and not file.is_symlink():
            with suppress(OSError, ValueError, NotSearchedError):
                yield from _places_in_object(file)


def _places_in_object(file: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    head, chunks = peek(_pieces(file))
    for part in opened(file.name, head, chunks) or ():
        inner, content = peek(part.chunks)
        if inner.startswith(TREE_HEADER.encode()):
            yield from _places_of(_read(content))


def _places_of(tree: bytes) -> Iterator[tuple[str, tuple[str, int]]]:
    for row in Tree.from_bytes(tree).rows:
        if row.source.startswith(("blob ", REDACTED)):
            yield row.source.split(" ")[1], (row.entry.path, row.entry.mode)


def _places_in_bundle(path: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield what the file tree of a bundle tells about its objects; nothing for other files."""
    with open_file(path) as stream:
        if not (stream.read(_BUNDLE_BEGINS) or b"").startswith(b"blobs/sha256/"):
            return
    with suppress(StoreError, LockfileError, ValueError), Bundle(path) as bundle:
        for layer in parse_manifest(bundle.manifest(), bundle.name):
            is_tree = layer.media_type in (TREE_TYPE, PACKED_TREE_TYPE)
            if is_tree and layer.unpacked <= _DOCUMENT:
                yield from _places_of(b"".join(content_of(layer, bundle)))


def _read(chunks: Iterable[bytes]) -> bytes:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > _DOCUMENT:
            raise NotSearchedError(f"a document of more than {_DOCUMENT:,} bytes")
    return bytes(held)


def _search(item: _Item) -> Iterator[Found]:
    head, chunks = peek(item.chunks)
    item = item._replace(chunks=chunks)
    parts = opened(item.path, head, chunks)
    if parts is not None and item.level >= MOST_LEVELS:
        yield Unsearched(item.shown, f"archives in archives, more than {MOST_LEVELS} deep")
    elif parts is not None:
        yield from _search_parts(item, parts)
    elif head.startswith((HEADER[:20].encode(), b"lock-version")):
        yield from _lock(item)
    elif head.startswith(TREE_HEADER.encode()):
        yield from _tree(item)
    elif head.lstrip()[:1] in (b"{", b"[") or item.path.endswith((".html", ".htm")):
        yield from _document(item)
    else:
        yield from _content(item)


def _search_parts(item: _Item, parts: Iterator[Packed]) -> Iterator[Found]:
    try:
        for name, entry, chunks in parts:
            if entry is None:
                folder = item.path.rpartition("/")[0]
                path = item.path if item.path == _UNKNOWN else f"{folder}/{name}"
                yield from _search(item._replace(path=path, chunks=chunks, level=item.level + 1))
                continue
            shown = f"{item.shown}!{shown_name(name)}"
            if (rule := find_shape(entry.path)) or clean_entry(entry) != entry:
                yield Hit(shown, "name, link target or attribute", rule or SETTING_RULE)
            if entry.type is EntryType.FILE:
                path, mode = entry.path.removeprefix("/rootfs"), entry.mode
                digest = path.rpartition("/")[2]
                if digest in item.places:
                    path, mode = item.places[digest]
                elif "/blobs/" in path or _DIGEST.match(digest):
                    path = _UNKNOWN
                yield from _search(_Item(shown, path, mode, chunks, item.level + 1, item.places))
    except NotSearchedError as error:
        yield Unsearched(item.shown, str(error))


def _lock(item: _Item) -> Iterator[Found]:
    raw = _read(item.chunks)
    try:
        lock = parse_lock(raw, where=item.shown)
    except LockfileError:
        yield from _content(item._replace(chunks=[raw]))
        return
    records = [*lock.records()]
    for record in records:
        shown = disclosed_record(record)
        place = f"{record.section} {escape(shown.key)}".rstrip()
        if shown.key != record.key:
            yield Hit(item.shown, place, find_shape(record.key))
        for name, value in record.facts.items():
            is_keyed = name == "fingerprint" and is_fingerprint(value)
            if shown.facts[name] != value and not is_keyed:
                yield Hit(item.shown, f"{place} {name}", find_shape(value) or SETTING_RULE)


def _tree(item: _Item) -> Iterator[Found]:
    try:
        rows = Tree.from_bytes(_read(item.chunks)).rows
    except ValueError as error:
        yield Unsearched(item.shown, f"a damaged file tree: {error}")
        return
    for row in rows:
        if (rule := find_shape(row.entry.path)) or clean_entry(row.entry) != row.entry:
            yield Hit(item.shown, shown_name(row.entry.path), rule or SETTING_RULE)


def _document(item: _Item) -> Iterator[Found]:
    """Search JSON, and the pages that hold it: findings by name and value, all else as text."""
    raw = _read(item.chunks).replace(HIDDEN.encode(), b"")
    text = raw.decode("utf-8", "replace")
    pages = [found[1] for found in _PAGE.finditer(text)] if "<script" in text else [text]
    for page in pages:
        try:
            document = parse_json(page)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict | list):  # not one word, whoever may read it
            item = item._replace(mode=_READABLE)
        if is_recording(document):
            yield from scan_recording(item.shown, document)
            yield from _shapes(item, text)
            return
        yield from _findings(item, document)
    path = item.path if item.path != _UNKNOWN else "/document.json"
    yield from _content(item._replace(path=path, chunks=[raw]))


def _shapes(item: _Item, text: str) -> Iterator[Hit]:
    for span in shape_spans(text):
        yield Hit(item.shown, f"line {text.count(chr(10), 0, span.start) + 1}", span.rule)


_VALUES = ("left", "right", "value", "majority")


def _findings(item: _Item, document: object) -> Iterator[Hit]:
    """Yield what stands beside a name that means a secret, in objects of a report."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        if not isinstance(each, dict):
            continue
        waiting += each.values()
        section, key, field = (str(each.get(name, "")) for name in ("section", "key", "field"))
        for name in _VALUES if section else ():
            value = each.get(name)
            if isinstance(value, str) and disclosed_value(section, key, field, value) != value:
                place = f"{section} {clean_name(key)} {field}".rstrip()
                yield Hit(item.shown, place, find_shape(value) or SETTING_RULE)


def _content(item: _Item) -> Iterator[Found]:
    """Judge a content by its path: whole if it is small, a large text piece by piece."""
    chunks = iter(item.chunks)
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > _WHOLE:
            break
    start = bytes(held)
    judged = judge_file(item.path, mode=item.mode, content=start[:_WHOLE], size=len(start))
    if judged.kind is FileKind.SECRET or len(start) <= _WHOLE:
        yield from _hits(item, judged)
    elif b"\0" not in start[:8192]:
        for number, piece in enumerate(redact_stream(item.path, chain([start], chunks))):
            for rule, where in piece.findings:
                yield Hit(item.shown, f"{where} of part {number + 1}", rule)
    for _ in chunks:
        pass  # what contains it goes on behind it


def _hits(item: _Item, judged: Judgement) -> Iterator[Hit]:
    if judged.kind is FileKind.SECRET:
        yield Hit(item.shown, "whole file", judged.rule)
    for rule, where in judged.findings if judged.kind is FileKind.REDACTED else ():
        yield Hit(item.shown, where, rule)
