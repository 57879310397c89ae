"""Metadata of rpm repositories: which index there is, and where in it a package is.

Sources: createrepo_c (repomd.xml, primary.xml), RFC 5854 and Metalink 3.0 for lists of mirrors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.parsers import expat

LARGEST_TAG = 4 << 20
"""The largest tag or comment of a document, in bytes."""

_LONGEST_TEXT = 4096
_MOST_MIRRORS = 64
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")
_REPOMD = "/repodata/repomd.xml"


class Index(NamedTuple):
    """A file of the metadata: where it is below the repository, and its digest, if stated."""

    href: str
    sha256: str


class Listed(NamedTuple):
    """A package in an index: `base` is another address that `href` is below, usually empty."""

    name: str
    evr: str
    arch: str
    href: str
    base: str


def parse_repomd(raw: bytes) -> Index:
    """Return the index of packages that a ``repomd.xml`` names.

    Raise ValueError when it names none or is damaged.
    """
    within, found, checksum = "", "", ""
    for event in _events([raw]):
        if event.name == "data":
            within = event.attributes.get("type", "")
        elif within != "primary":
            continue
        elif event.name == "location":
            found = event.attributes.get("href", "")
        elif event.name == "checksum" and event.attributes.get("type") == "sha256":
            checksum = event.text
    if not found:
        raise ValueError("it names no index of packages")
    return Index(found, checksum)


def parse_mirrors(raw: bytes) -> list[str]:
    """Return the addresses of repositories in a list of mirrors, in its order.

    A list is a metalink, in which mirrors have preferences, or a text of one address a line.  Raise
    ValueError when it is damaged.
    """
    if not raw.lstrip().startswith(b"<"):
        lines = raw.decode("utf-8", "replace").splitlines()
        found = [line.strip() for line in lines if _ADDRESS.fullmatch(line.strip())]
        return [address.rstrip("/") for address in dict.fromkeys(found)][:_MOST_MIRRORS]
    preferred: dict[str, int] = {}
    for event in _events([raw]):
        is_mirror = event.name == "url" and event.text.endswith(_REPOMD)
        if is_mirror and _ADDRESS.fullmatch(event.text):
            number = event.attributes.get("preference", "")
            base = event.text.removesuffix(_REPOMD)
            preferred.setdefault(base, int(number) if number.isdecimal() else 0)
    return sorted(preferred, key=lambda base: -preferred[base])[:_MOST_MIRRORS]


def packages_in(
    pieces: Iterable[bytes], is_wanted: Callable[[str, str, str], bool]
) -> Iterator[Listed]:
    """Yield those packages of a ``primary.xml`` that are wanted, given name, version and arch.

    `pieces` are its bytes.  Raise ValueError when it is damaged.
    """
    known: dict[str, str] = {}
    for event in _events(pieces):
        match event.name:
            case "name" | "arch":
                known.setdefault(event.name, event.text)
            case "version" if "evr" not in known:
                known["evr"] = _evr(event.attributes)
            case "location":
                known["href"] = event.attributes.get("href", "")
                known["base"] = event.attributes.get("xml:base", "")
            case "package":
                listed = Listed(*(known.get(field, "") for field in Listed._fields))
                if listed.href and is_wanted(listed.name, listed.evr, listed.arch):
                    yield listed
                known = {}


def _evr(attributes: Mapping[str, str]) -> str:
    epoch, version, release = (attributes.get(name, "") for name in ("epoch", "ver", "rel"))
    return f"{f'{epoch}:' if epoch not in ('', '0') else ''}{version}-{release}"


class _Event(NamedTuple):
    """An element that ended; of ``data`` and of elements without text also that it began."""

    name: str
    attributes: Mapping[str, str]
    text: str


_KEPT = frozenset(
    {"data", "location", "checksum", "url", "name", "arch", "version", "package", "release"}
)


def _events(pieces: Iterable[bytes]) -> Iterator[_Event]:
    """Yield elements of a document as they end, ``data`` as it begins.

    Raise ValueError for damage, and for declarations of a document type: they could multiply text.
    """
    reader = _Reader()
    given = 0
    try:
        for piece in pieces:
            given += len(piece)
            reader.parser.Parse(piece, False)
            if given - reader.parser.CurrentByteIndex > LARGEST_TAG + len(piece):
                raise ValueError("damaged: a tag that does not end")
            yield from reader.taken()
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that is not known
        raise ValueError(f"damaged: {error}") from error
    yield from reader.taken()


class _Reader:
    """Collects the elements that count, with their text up to `_LONGEST_TEXT`."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._attributes: dict[str, str] = {}
        self._text = ""
        self._found: list[_Event] = []

    def taken(self) -> list[_Event]:
        """Return what was found since the last call."""
        found, self._found = self._found, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._text = ""
        self._attributes = attributes
        if name == "data":
            self._found.append(_Event(name, attributes, ""))

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in _KEPT and name != "data":
            self._found.append(_Event(name, self._attributes, self._text.strip()))
        self._text, self._attributes = "", {}

    def _data(self, text: str) -> None:
        if len(self._text) < _LONGEST_TEXT:
            self._text += text

    def _refuse(self, *_: object) -> None:
        raise ValueError("damaged: it declares a document type")
