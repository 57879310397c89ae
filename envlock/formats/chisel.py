"""Chisel's manifest of a cut image: packages, slices and paths.

Sources: Chisel documentation, "Chisel manifest" and "jsonwall".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.formats.json_values import at, items, json_or_none, text_at

_MOST_LINES = 2_000_000


class ChiselPackage(NamedTuple):
    """A package, and the slices of it that are installed."""

    name: str
    version: str
    arch: str
    sha256: str
    slices: tuple[str, ...]


class ChiselPath(NamedTuple):
    """A path and the package it is from; `sha256` is of its content, `link` where it leads."""

    path: str
    package: str
    mode: str
    sha256: str
    link: str


class ChiselManifest(NamedTuple):
    """What a manifest states."""

    packages: tuple[ChiselPackage, ...]
    paths: tuple[ChiselPath, ...]


def parse_chisel(text: str) -> ChiselManifest:
    """Parse a manifest: one JSON object a line, the first of which states their number.

    Raise ValueError when it is another file, or not whole.
    """
    lines = [line for line in text.split("\n") if line]
    documents = list(map(json_or_none, lines[:_MOST_LINES]))
    header = documents[0] if documents else None
    if not text_at(header, "jsonwall"):
        raise ValueError("not a manifest of Chisel")
    if at(header, "count") != len(documents) or None in documents:
        raise ValueError(f"{len(documents)} of {at(header, 'count')} lines can be read")
    slices: dict[str, list[str]] = {}
    for document in documents:
        if text_at(document, "kind") == "slice":
            package, _, name = text_at(document, "name").rpartition("_")
            slices.setdefault(package, []).append(name)
    return ChiselManifest(
        tuple(_packages(documents, slices)),
        tuple(_path(each) for each in documents if text_at(each, "kind") == "path"),
    )


def _packages(
    documents: Iterable[object], slices: Mapping[str, list[str]]
) -> Iterable[ChiselPackage]:
    for document in documents:
        name, version = text_at(document, "name"), text_at(document, "version")
        if text_at(document, "kind") == "package" and name and version:
            yield ChiselPackage(
                name=name,
                version=version,
                arch=text_at(document, "arch"),
                sha256=text_at(document, "sha256"),
                slices=tuple(sorted(slices.get(name, ()))),
            )


def _path(document: object) -> ChiselPath:
    named = [name for name in items(document, "slices") if isinstance(name, str)]
    return ChiselPath(
        path=text_at(document, "path"),
        package=min(named, default="").rpartition("_")[0],
        mode=text_at(document, "mode"),
        sha256=text_at(document, "final_sha256") or text_at(document, "sha256"),
        link=text_at(document, "link"),
    )
