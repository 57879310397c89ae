"""Lists of crates installed by Cargo, and lists that cargo-auditable writes into programs.

Sources: The Cargo Book, "cargo install" and "Package ID specifications"; Cargo's
``src/cargo/ops/common_for_install_and_uninstall.rs`` (``.crates.toml``, ``.crates2.json``);
rust-secure-code/cargo-auditable, ``PARSING.md`` and its JSON schema.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.json_values import at, is_text, items, json_or_none, members, text_at
from envlock.model.document import parse_toml

_PACKAGE_ID = re.compile(
    r"(?P<name>[\w-]+) (?P<version>\S+) \((?P<kind>registry|sparse|git|path)\+(?P<url>[^)]*)\)\Z"
)
_LARGEST = 8 * 1024 * 1024
_MOST_CRATES = 10_000


class Installed(NamedTuple):
    """A crate installed by ``cargo install``: the parts of its package ID, and build options.

    `kind` is ``registry``, ``git`` or ``path``; `programs` are the files in the directory ``bin``.
    """

    name: str
    version: str
    kind: str
    url: str
    revision: str
    programs: tuple[str, ...]
    features: tuple[str, ...] = ()
    profile: str = ""
    target: str = ""
    toolchain: str = ""
    requirement: str = ""


class Crate(NamedTuple):
    """A crate built into a program; `source` is ``crates.io``, ``git``, ``local``, ``registry``."""

    name: str
    version: str
    source: str
    is_build: bool
    is_root: bool


def parse_crates(text: str) -> list[Installed] | None:
    """Return the crates of a ``.crates2.json``, or None when the text is not one."""
    document = json_or_none(text)
    if not isinstance(at(document, "installs"), dict):
        return None
    found = []
    for package, facts in members(document, "installs"):
        installed = _parse_id(package)
        if installed is None:
            continue
        features = [*_texts(facts, "features")]
        if at(facts, "all_features") is True:
            features = ["(all)"]
        elif at(facts, "no_default_features") is True:
            features.insert(0, "(no default)")
        found.append(
            installed._replace(
                programs=tuple(sorted(_texts(facts, "bins"))),
                features=tuple(features),
                profile=text_at(facts, "profile"),
                target=text_at(facts, "target"),
                toolchain=text_at(facts, "rustc").partition("\n")[0],
                requirement=text_at(facts, "version_req"),
            )
        )
    return found


def parse_crates_toml(text: str) -> list[Installed] | None:
    """Return the crates of a ``.crates.toml``, or None when the text is not one."""
    try:
        document: object = parse_toml(text)
    except ValueError:
        return None
    if not isinstance(at(document, "v1"), dict):
        return None
    return [
        installed._replace(programs=tuple(sorted(_texts(document, "v1", package))))
        for package, _ in members(document, "v1")
        if (installed := _parse_id(package)) is not None
    ]


def parse_audit(section: bytes) -> list[Crate] | None:
    """Return the crates in a ``.dep-v0`` section, or None when it is malformed."""
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(section, _LARGEST)
    except zlib.error:
        return None
    document = json_or_none(content.decode("utf-8", "surrogateescape"))
    if not isinstance(at(document, "packages"), list):
        return None
    found: list[Crate] = []
    for package in items(document, "packages"):
        name, version = text_at(package, "name"), text_at(package, "version")
        if name and version and len(found) < _MOST_CRATES:
            is_build = at(package, "kind") == "build"
            is_root = at(package, "root") is True
            found.append(Crate(name, version, text_at(package, "source"), is_build, is_root))
    return found


def _parse_id(package: str) -> Installed | None:
    match = _PACKAGE_ID.match(package)
    if match is None:
        return None
    name, version, kind, url = match.group("name", "version", "kind", "url")
    url, _, revision = url.partition("#")
    is_registry = kind in ("registry", "sparse")
    return Installed(name, version, "registry" if is_registry else kind, url, revision, ())


def _texts(document: object, *path: str) -> Iterator[str]:
    for value in items(document, *path):
        if isinstance(value, str) and value and is_text(value):
            yield value
