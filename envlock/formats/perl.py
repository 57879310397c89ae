"""Perl distributions: what installers write down of them, and versions in modules.

Sources: ExtUtils::Packlist and ExtUtils::Installed (``.packlist``), ExtUtils::Install
(``perllocal.pod``), App::cpanminus (``.meta/*/install.json``), ExtUtils::MM_Unix (parse_version).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.formats.json_values import json_or_none, text_at

_ENTRY = re.compile(r"^=head2 .*?C<Module> L<([\w:]+)\|", re.MULTILINE)
_LOCAL_VERSION = re.compile(r"C<VERSION: ([^>\s]+)>")
_VERSION = re.compile(
    r"""^[^#\n]*?(?:\bpackage\s+[\w:]+\s+(?P<package>v?[\d._]+)\s*[;{]
    |(?<!\\)[$*](?:[\w:']*::)?VERSION\b\s*=\s*(?P<quote>['"]?)(?P<value>v?\d[\d._]*)(?P=quote)\s*(?:;|\}|$))""",
    re.MULTILINE | re.VERBOSE,
)
_LONGEST = 1024 * 1024


class Installed(NamedTuple):
    """What cpanm wrote of a distribution: its main module, version and archive."""

    module: str
    version: str
    archive: str


def parse_install_json(text: str) -> Installed | None:
    """Return what an ``install.json`` states, or None when the text is not one."""
    document = json_or_none(text)
    module, version = text_at(document, "name"), text_at(document, "version")
    if not module or not version:
        return None
    return Installed(module, version, text_at(document, "pathname"))


def parse_perllocal(text: str) -> dict[str, str]:
    """Return module -> version of a ``perllocal.pod``; the last installation counts."""
    found = {}
    _, *entries = _ENTRY.split(text)
    for module, entry in zip(entries[::2], entries[1::2], strict=True):
        version = _LOCAL_VERSION.search(entry)
        if version:
            found[module] = version[1]
    return found


def parse_packlist(text: str) -> list[str]:
    """Return the paths of a ``.packlist``; words after a path describe it."""
    rows = (re.split(r" (?=\w+=)", line, maxsplit=1)[0] for line in text.split("\n"))
    return [row for row in rows if row[:1] == "/"]


def parse_module_version(text: str) -> str:
    """Return the version that a module states for itself as a plain number; empty for others.

    >>> parse_module_version("package Foo; our $VERSION = '1.02';")
    '1.02'
    """
    code = re.split(r"^__(?:END|DATA)__", text[:_LONGEST], maxsplit=1, flags=re.MULTILINE)[0]
    code = re.sub(r"^=[a-zA-Z].*?(?:^=cut.*?$|\Z)", "", code, flags=re.MULTILINE | re.DOTALL)
    match = _VERSION.search(code)
    return (match["package"] or match["value"]) if match else ""
