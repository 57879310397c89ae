"""apt's sources, pins, marks and package indices.

Sources: sources.list(5), apt_preferences(5), apt-mark(8), deb822(5).
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from envlock.formats.debian.deb822 import parse_stanzas

_ENTRY = re.compile(r"(deb|deb-src)(?:\s+\[([^\]]*)\])?\s+(\S+)\s+(\S+)\s*([^#]*)")
_NO = frozenset({"no", "false", "without", "off", "disable", "0"})
_USERINFO = re.compile(r"://[^/@\s]*@")


_PACKAGE = re.compile(rb"^Package: (\S+)$", re.MULTILINE)


LISTS = "/var/lib/apt/lists"
"""Where apt keeps the indices of its sources."""
INDEX_LIMIT = 512 * 1024 * 1024
"""Largest index that is read, in bytes."""
_DECOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}


class Listed(NamedTuple):
    """A package archive in an index; `sha256` in hex."""

    name: str
    version: str
    arch: str
    sha256: str


class AptSource(NamedTuple):
    """One suite of one repository.

    `uri` is without credentials.  A flat repository has a `suite` ending in ``/`` and no
    components.  `signed_by` is a path, a list of fingerprints or ``inline``; `options` are the
    remaining ones, lower case.
    """

    kind: str
    uri: str
    suite: str
    components: tuple[str, ...] = ()
    archs: tuple[str, ...] = ()
    signed_by: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_enabled: bool = True


def parse_one_line(text: str) -> Iterator[AptSource]:
    """Yield the entries of a file in one-line style, without commented ones."""
    for line in text.split("\n"):
        match = _ENTRY.match(line.strip())
        if match:
            kind, options, uri, suite, components = match.groups()
            yield _source(kind, uri, suite, components.split(), _options(options or ""))


def parse_deb822(text: str) -> Iterator[AptSource]:
    """Yield the entries of a file in deb822 style, one for each type, URI and suite."""
    for stanza in parse_stanzas(text):
        enabled = stanza.get("enabled", "yes").lower() not in _NO
        options = {
            name: " ".join(value.split())
            for name, value in stanza.items()
            if name not in ("types", "uris", "suites", "components", "enabled", "signed-by")
            and not name.startswith("x-")
        }
        if "signed-by" in stanza:
            options["signed-by"] = _signed_by(stanza["signed-by"])
        words = (stanza.get(name, "").split() for name in ("types", "uris", "suites"))
        components = stanza.get("components", "").split()
        for kind, uri, suite in product(*words):
            yield _source(kind, uri, suite, components, options)._replace(is_enabled=enabled)


def _signed_by(value: str) -> str:
    return "inline" if "BEGIN PGP" in value else " ".join(value.replace(",", " ").split())


def _options(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.split())
    return {name.lower().rstrip("+-"): value for name, equals, value in pairs if equals}


def _source(
    kind: str, uri: str, suite: str, components: Iterable[str], options: Mapping[str, str]
) -> AptSource:
    plural = {"arch": "architectures"}
    named = {plural.get(name, name): value for name, value in options.items()}
    archs = named.pop("architectures", "").replace(",", " ").split()
    signed_by = named.pop("signed-by", "")
    return AptSource(
        kind=kind,
        uri=_USERINFO.sub("://", uri).rstrip("/"),
        suite=suite,
        components=tuple(components),
        archs=tuple(sorted(archs)),
        signed_by=signed_by,
        options=tuple(sorted(named.items())),
    )


class Pin(NamedTuple):
    """A pin: the packages, what they are pinned to, and the priority."""

    packages: str
    pin: str
    priority: str


def parse_preferences(text: str) -> Iterator[Pin]:
    """Yield the pins of a preferences file."""
    for stanza in parse_stanzas(text):
        if stanza.get("pin") and stanza.get("package"):
            packages = " ".join(stanza["package"].split())
            yield Pin(packages, " ".join(stanza["pin"].split()), stanza.get("pin-priority", ""))


def parse_extended_states(text: str) -> set[tuple[str, str]]:
    """Return (name, arch) of every package that was installed automatically.

    apt writes the native architecture for packages of architecture ``all``.
    """
    return {
        (stanza["package"], stanza.get("architecture", ""))
        for stanza in parse_stanzas(text)
        if stanza.get("package") and stanza.get("auto-installed") == "1"
    }


def compression_of_index(name: str) -> str | None:
    """Return the end of the name of a Packages index that says how it is compressed.

    None for any other file, and for a compression that is not read.

    >>> compression_of_index("x_Packages.gz"), compression_of_index("x_Release")
    ('.gz', None)
    """
    _, marker, suffix = name.partition("_Packages")
    return suffix if marker and suffix in _DECOMPRESS else None


def decompress_index(raw: bytes, compression: str) -> bytes:
    """Return the text of an index.  Raise ValueError when it is damaged."""
    try:
        return _DECOMPRESS[compression](raw)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise ValueError(str(error)) from error


def find_in_index(index: bytes, wanted: Collection[tuple[str, str, str]]) -> Iterator[Listed]:
    """Yield the `wanted` packages (name, version, arch) that a Packages index lists.

    The index is searched, not parsed: only a few hundred of its 60,000 stanzas are wanted.
    """
    names = {name.encode() for name, _, _ in wanted}
    for match in _PACKAGE.finditer(index):
        if match[1] not in names:
            continue
        end = index.find(b"\n\n", match.end())
        stanza = index[match.start() : end if end >= 0 else len(index)].decode("utf-8", "replace")
        fields = dict(line.split(": ", 1) for line in stanza.split("\n") if ": " in line)
        key = (match[1].decode(), fields.get("Version", ""), fields.get("Architecture", ""))
        if key in wanted:
            yield Listed(*key, fields.get("SHA256", ""))
