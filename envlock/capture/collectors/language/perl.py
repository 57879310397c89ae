"""Perl distributions outside of the system's packages, by their packing lists.

The version is that of the installer's notes (cpanm's install.json, perllocal.pod), or else of the
main module, as ExtUtils::Installed tells it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.perl import (
    parse_install_json,
    parse_module_version,
    parse_packlist,
    parse_perllocal,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_PACKLISTS = "**/auto/**/.packlist"
_NOTES = "**/.meta/*/install.json"
_LOCAL = "**/perllocal.pod"
_PREFIX = re.compile(
    r"(?P<prefix>.*?)/(?:lib|lib64|share)(?:/[^/]+)?/(?:perl5?|site_perl)(?:/.*)?\Z"
)
_LARGEST = 4 * 1024 * 1024


class _Distribution(NamedTuple):
    """A packing list: the main module, the library it is in, and its paths."""

    module: str
    library: str
    packlist: str
    paths: tuple[str, ...]


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each distribution of each prefix."""
    notes = _notes(context)
    local = _local(context)
    for key, one in _distributions(context).items():
        prefix = _prefix(one.library)
        version, archive = notes.get((prefix, one.module), ("", ""))
        stated = version or local.get((prefix, one.module), "") or _version(one, context)
        facts = {
            "version": stated,
            "module": "" if stated else one.module,  # all that is known of it
            "archive": archive,
        }
        yield Record("perl", key, clean_facts(facts))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the packing lists."""
    found: dict[str, Claim] = {}
    for key, one in _distributions(context).items():
        for path in (one.packlist, *one.paths):
            folder, _, name = path.rpartition("/")
            real = f"{context.resolve(folder or '/').rstrip('/')}/{name}"
            found.setdefault(real, Claim(owner=f"perl {key}"))
    return found


def _distributions(context: Context) -> dict[str, _Distribution]:
    """Return key -> distribution, without those of the system's packages and of Perl itself."""
    found: dict[str, dict[str, _Distribution]] = {}
    for path in context.glob(_PACKLISTS):
        library, _, rest = path.rpartition("/auto/")
        owner = context.owner(path)
        if owner and not owner.startswith("perl "):
            continue
        text = context.written(path, _LARGEST)
        paths = parse_packlist(text or "")
        if text is not None and not paths:
            context.gap(path, "lists no files")
        module = posixpath.dirname(rest).replace("/", "::")
        if text is not None and module:
            one = _Distribution(module, library, path, tuple(paths))
            found.setdefault(_prefix(library), {}).setdefault(module, one)
    names = unique_names({prefix: (prefix, logical_name(prefix or "/")) for prefix in found})
    return {
        f"{names[prefix]}/{module}": found[prefix][module]
        for prefix in sorted(found, key=lambda prefix: sort_key(names[prefix]))
        for module in sorted(found[prefix], key=sort_key)
    }


def _prefix(library: str) -> str:
    match = _PREFIX.match(library)
    return match["prefix"] if match else library


def _notes(context: Context) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return (prefix, module) -> version and archive, as cpanm noted them."""
    found = {}
    for path in context.glob(_NOTES):
        text = context.text(path, _LARGEST)
        noted = parse_install_json(text) if text is not None else None
        if noted is not None:
            found[_prefix(path.rpartition("/.meta/")[0]), noted.module] = noted[1:]
        elif text is not None:
            context.gap(path, "not the note of an installation")
    return found


def _local(context: Context) -> Mapping[tuple[str, str], str]:
    """Return (prefix, module) -> version, as Perl's own installer noted them."""
    found: dict[tuple[str, str], str] = {}
    for path in context.glob(_LOCAL):
        noted = parse_perllocal(context.text(path, _LARGEST) or "")
        prefix = _prefix(posixpath.dirname(path))
        found |= {(prefix, module): version for module, version in noted.items()}
    return found


def _version(one: _Distribution, context: Context) -> str:
    """Return the version that the main module states."""
    end = f"/{one.module.replace('::', '/')}.pm"
    path = next((path for path in one.paths if path.endswith(end)), "")
    return parse_module_version(context.text(path, _LARGEST) or "") if path else ""


COLLECTOR = Collector(
    name="perl",
    sections=("perl",),
    reads=(_PACKLISTS, _NOTES, _LOCAL, "**/*.pm"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=("ExtUtils::Installed", "ExtUtils::Packlist", "App::cpanminus"),
)
