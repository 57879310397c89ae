"""pacman's local database, and the options of its configuration that affect installed files.

Sources: libalpm's be_local.c for ``desc`` and ``files``, mtree(5) for ``mtree``, pacman.conf(5).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

_OCTAL = re.compile(rb"\\([0-7]{3})")
LARGEST_MTREE = 64 << 20
"""The largest ``mtree``, in bytes, compressed or not."""

_GZIP = 31

Fields = Mapping[str, tuple[str, ...]]
"""Field name, without its percent signs -> the lines below it."""


def parse_fields(text: str) -> Fields:
    """Return the fields of a ``desc`` or ``files``; of duplicates the first counts."""
    fields: dict[str, tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        name, *lines = block.strip("\n").split("\n")
        if name[:1] == "%" and name[-1:] == "%" and len(name) > 2:
            fields.setdefault(name[1:-1], tuple(lines))
    return fields


class File(NamedTuple):
    """A path of a package, absolute.

    `kind` is mtree's type: ``file``, ``dir``, ``link``.  `digest` is ``sha256:<hex>`` or
    ``md5:<hex>``, empty where there is none; `link` is where a link leads.
    """

    path: str
    kind: str
    mode: int | None
    uid: str
    gid: str
    digest: str
    link: str


def decompress_mtree(raw: bytes) -> str:
    """Return the text of a gzip-compressed ``mtree``.  Raise ValueError for anything else."""
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(raw, LARGEST_MTREE)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not stream.eof:
        raise ValueError("truncated, or too large")
    return content.decode("utf-8", "surrogateescape")


def parse_mtree(text: str, *, of_package: bool = False) -> Iterator[File]:
    """Yield the files of an mtree; metadata such as ``.PKGINFO`` only if it is that of a package.

    Such metadata is in a package, and is not installed.
    """
    defaults: dict[str, str] = {}
    for line in text.split("\n"):
        name, *words = line.split(" ")
        values = dict(word.partition("=")[::2] for word in words)
        if name == "/set":
            defaults.update(values)
        elif name == "/unset":
            for word in words:
                defaults.pop(word, None)
        elif name.startswith("./") and (of_package or not name.startswith("./.")):
            yield _file(_unescape(name[1:]), {**defaults, **values})


def _file(path: str, values: Mapping[str, str]) -> File:
    mode, sha256, md5 = (values.get(name, "") for name in ("mode", "sha256digest", "md5digest"))
    return File(
        path=path,
        kind=values.get("type", "file"),
        mode=int(mode, 8) if re.fullmatch("[0-7]{1,5}", mode) else None,
        uid=values.get("uid", ""),
        gid=values.get("gid", ""),
        digest=f"sha256:{sha256}" if sha256 else f"md5:{md5}" if md5 else "",
        link=_unescape(values.get("link", "")),
    )


def _unescape(text: str) -> str:
    """Return text with its octal escapes (a backslash and three digits) decoded."""
    raw = text.encode("utf-8", "surrogateescape")
    raw = _OCTAL.sub(lambda match: bytes((int(match[1], 8) & 0xFF,)), raw)
    return raw.decode("utf-8", "surrogateescape")


class Configuration(NamedTuple):
    """Options of ``pacman.conf``: packages that are not upgraded, and paths not extracted."""

    held: frozenset[str]
    not_extracted: tuple[str, ...]

    def extracts(self, path: str) -> bool:
        """True when pacman extracts the absolute `path`; the last matching pattern decides.

        The path of a directory ends with a slash.
        """
        for pattern in reversed(self.not_extracted):
            if fnmatchcase(path[1:], pattern.removeprefix("!")):
                return pattern.startswith("!")
        return True


def parse_configuration(text: str) -> Configuration:
    """Return the options of a ``pacman.conf``."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        name, _, value = line.partition("#")[0].partition("=")
        found.setdefault(name.strip(), []).extend(value.split())
    return Configuration(frozenset(found.get("IgnorePkg", ())), tuple(found.get("NoExtract", ())))
