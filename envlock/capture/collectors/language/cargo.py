"""Rust programs: crates installed by ``cargo install``, and crates listed inside programs.

Programs built with cargo-auditable contain the list; those that a package owns are skipped.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.programs import program_names, programs
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.rust import (
    Crate,
    Installed,
    parse_audit,
    parse_crates,
    parse_crates_toml,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import LOCAL, clean_facts, clean_origin

_LISTS = (".crates2.json", ".crates.toml")
_DEFAULT_REGISTRY = re.compile(r"[/.]crates\.io(?:-index)?/?\Z")
_AUDIT = ".dep-v0"
_LARGEST_SECTION = 4 * 1024 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each installed crate, each program with a list, and each listed crate."""
    roots = _roots(context)
    for name, (_, crates) in roots.items():
        for key, installed in crates.items():
            yield Record("cargo", f"{name}/{key}", _facts(installed))
    lists = dict(_audited(context))
    for path, name in program_names(lists, roots).items():
        yield from _listed(name, path, lists[path], context)


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each program that ``cargo install`` installed."""
    return {
        f"{root.rstrip('/')}/bin/{program}": Claim(owner=f"cargo {name}/{key}")
        for name, (root, crates) in _roots(context).items()
        for key, installed in crates.items()
        for program in installed.programs
    }


def _roots(context: Context) -> dict[str, tuple[str, Mapping[str, Installed]]]:
    """Return name -> (directory, key -> crate) of every installation root of Cargo."""
    folders = {posixpath.dirname(path) for path in context.glob(*(f"**/{name}" for name in _LISTS))}
    found = {}
    for folder in folders:
        crates = _installed(folder, context)
        if crates:
            found[folder] = _keyed(crates)
    names = unique_names({folder: (folder, logical_name(folder)) for folder in found})
    return {names[folder]: (folder, found[folder]) for folder in sorted(found, key=sort_key)}


def _installed(folder: str, context: Context) -> list[Installed]:
    for name, parse in zip(_LISTS, (parse_crates, parse_crates_toml), strict=True):
        text = context.text(f"{folder.rstrip('/')}/{name}")
        if text is None:
            continue
        crates = parse(text)
        if crates is None:
            context.gap(f"{folder.rstrip('/')}/{name}", "not a list of installed crates")
        elif crates:
            return crates
    return []


def _keyed(crates: list[Installed]) -> dict[str, Installed]:
    count = Counter(crate.name for crate in crates)
    ordered = sorted(crates, key=lambda crate: (crate.name, crate.version, crate.url))
    return {
        crate.name if count[crate.name] == 1 else f"{crate.name}@{crate.version}": crate
        for crate in ordered
    }


def _facts(installed: Installed) -> dict[str, str]:
    origin = ""
    if installed.kind == "path":
        origin = LOCAL
    elif installed.kind == "git" or not _DEFAULT_REGISTRY.search(installed.url):
        origin = clean_origin(installed.url)
    return clean_facts(
        {
            "version": installed.version,
            "origin": origin,
            "revision": installed.revision,
            "programs": " ".join(installed.programs),
            "features": " ".join(installed.features),
            "profile": "" if installed.profile == "release" else installed.profile,
            "platform": installed.target,
            "toolchain": installed.toolchain,
            "requested": installed.requirement,
        }
    )


def _audited(context: Context) -> Iterator[tuple[str, list[Crate]]]:
    for program in programs(context, owners=("cargo",)):
        offset, size = program.elf.sections.get(_AUDIT, (0, 0))
        if not size:
            continue
        crates = parse_audit(program.read(offset, min(size, _LARGEST_SECTION)))
        if crates is None:
            context.gap(program.path, "not a list of crates")
        else:
            yield program.path, crates


def _listed(name: str, path: str, crates: list[Crate], context: Context) -> Iterator[Record]:
    root = next((crate for crate in crates if crate.is_root), None)
    owner = context.owner(path)
    yield Record(
        "cargo",
        name,
        clean_facts(
            {
                "version": root.version if root else "",
                "path": path,
                "package": root.name if root else "",
                "packaged-by": owner,
            }
        ),
    )
    count = Counter(crate.name for crate in crates)
    seen = set()
    for crate in crates:
        key = crate.name if count[crate.name] == 1 else f"{crate.name}@{crate.version}"
        if crate.is_root or key in seen:
            continue
        seen.add(key)
        facts = {
            "version": crate.version,
            "origin": "" if crate.source in ("crates.io", "") else crate.source,
            "build-only": "true" if crate.is_build else "",
            "packaged-by": owner or f"cargo {name}",
        }
        yield Record("cargo", f"{name}/{key}", clean_facts(facts))


COLLECTOR = Collector(
    name="cargo",
    sections=("cargo",),
    reads=tuple(f"**/{name}" for name in _LISTS),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=("The Cargo Book, cargo install", "cargo-auditable, PARSING.md"),
)
