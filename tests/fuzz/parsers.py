"""Every parser of foreign bytes, as a function of bytes that may raise only what it documents.

Those of `envlock.formats` are found by their name and the types of their arguments, so that a new
one is never forgotten; those that take something else have a row here.
"""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable, Iterator, Mapping

import envlock.formats
from envlock.config.convert import ToPath
from envlock.config.sources import Source, read_bytes
from envlock.diff.policy.baseline import parse_baseline
from envlock.errors import EnvlockError
from envlock.formats.binary.elf import parse_elf
from envlock.formats.binary.elf_file import bounded_reader
from envlock.formats.binary.zip_archive import DAMAGE, member_pieces, open_archive
from envlock.formats.debian.deb822 import parse_stanzas
from envlock.formats.debian.relations import parse_relations
from envlock.formats.go import read_build
from envlock.formats.hardware.modinfo import read_modinfo
from envlock.formats.rpm.header import Header, parse_files, parse_package
from envlock.formats.rpm.package_file import read_package_header
from envlock.formats.rpm.repodata import packages_in
from envlock.formats.system.settings import parse_pairs
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.trace_file import parse_trace
from envlock.materialize.artifacts.identify import name_of_package
from envlock.materialize.artifacts.kinds.rpm import read_cpio
from envlock.materialize.artifacts.package_digest import control_digest, mtree_digest
from envlock.materialize.artifacts.sources.apk import controls_in
from envlock.materialize.artifacts.sources.pacman import listed_files
from envlock.model.document import parse_json, parse_toml
from envlock.targets.stream.decompress import decompressed
from envlock.targets.stream.tar_reader import members

Run = Callable[[bytes], object]
MOST_ITEMS = 10_000


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _elf(data: bytes) -> object:
    read = bounded_reader(lambda offset, size: data[offset : offset + size])
    elf = parse_elf(read)
    return elf and read_build(elf, read)


def _relations(data: bytes) -> object:
    return [parse_relations(stanza) for stanza in parse_stanzas(text(data))]


def _tar(data: bytes) -> object:
    return [len(b"".join(chunks)) for _, chunks in members([data])]


def _zip(data: bytes) -> object:
    with open_archive(io.BytesIO(data)) as archive:
        return [sum(map(len, member_pieces(archive, one))) for one in archive.infolist()[:10]]


def _rpm(data: bytes) -> object:
    header = Header(data)
    return parse_package(header), parse_files(header)


_PATHS: ToPath = lambda name: f"/{name}"  # noqa: E731

OTHERS: Mapping[str, Run] = {
    "binary.elf.parse_elf": _elf,
    "go.read_build": _elf,
    "debian.relations.parse_relations": _relations,
    "hardware.modinfo.read_modinfo": lambda data: read_modinfo(io.BytesIO(data)),
    "rpm.header.parse_package": _rpm,
    "rpm.header.parse_files": _rpm,
    "rpm.package_file.read_package_header": lambda data: read_package_header(io.BytesIO(data)),
    "primary": lambda data: list(packages_in([data], lambda *_: True))[:MOST_ITEMS],
    "cpio": lambda data: read_cpio(io.BytesIO(data)),
    "pacman-package": lambda data: mtree_digest([data]),
    "apk-package": lambda data: control_digest([data]),
    "apk-index": lambda data: controls_in([data]),
    "pacman-database": lambda data: dict(listed_files([data], [("shop", "1-1", "any")])),
    "system.settings.parse_pairs": lambda data: parse_pairs(text(data).split("\0")),
    "binary.zip_archive.read_member": _zip,
    "binary.zip_archive.read_beginning": _zip,
    "lock": lambda data: parse_lock(data, "x"),
    "settings": lambda data: read_bytes(data, "x", Source.PROJECT, _PATHS),
    "trace": lambda data: parse_trace(data, "x"),
    "baseline": lambda data: parse_baseline(data, "x"),
    "json": parse_json,
    "toml": lambda data: parse_toml(data.decode()),
    "published-name": lambda data: name_of_package(io.BytesIO(data)),
    "tar": _tar,
    "layer": lambda data: [len(piece) for piece in decompressed([data], "x")],
}
"""Parsers that take something else than text or bytes, or are elsewhere."""

_MAKERS: Mapping[str, Callable[[bytes], object]] = {
    "bytes": lambda data: data,
    "str": text,
    "Header": Header,
    "Reader": lambda data: lambda offset, size: data[offset : offset + size],
}
"""What makes an argument of a parser, by its type."""

ALLOWED = (ValueError, EnvlockError, OSError, *DAMAGE)
"""What a parser may raise: its caller takes all of these for damage."""


def parsers() -> dict[str, Run]:
    """Return every parser by its name."""
    found: dict[str, Run] = dict(OTHERS)
    for name, function in _functions():
        if name not in found:
            found[name] = _run_of(name, function)
    return found


def _functions() -> Iterator[tuple[str, Callable[..., object]]]:
    for module in pkgutil.walk_packages(envlock.formats.__path__, "envlock.formats."):
        for name, value in vars(importlib.import_module(module.name)).items():
            is_ours = inspect.isfunction(value) and value.__module__ == module.name
            if is_ours and name.startswith(("parse_", "read_", "unpack")):
                yield f"{module.name.removeprefix('envlock.formats.')}.{name}", value


def _run_of(name: str, function: Callable[..., object]) -> Run:
    kinds = [
        str(one.annotation)
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty
    ]
    if not kinds or set(kinds) - _MAKERS.keys():
        raise LookupError(f"{name} takes {kinds}: it needs a row in OTHERS")

    def run(data: bytes) -> object:
        parts = data.split(b"\xff", len(kinds) - 1)
        parts += [b""] * (len(kinds) - len(parts))
        found = function(*(_MAKERS[kind](part) for part, kind in zip(parts, kinds, strict=True)))
        if isinstance(found, Iterator):
            return [item for item, _ in zip(found, range(MOST_ITEMS), strict=False)]
        return found

    return run
