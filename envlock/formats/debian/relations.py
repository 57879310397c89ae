"""What Debian packages need of each other, and which one that somebody asked for needs it.

Source: deb-control(5), Depends, Pre-Depends, Recommends and Provides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.formats.debian.deb822 import Stanza
from envlock.model.text import sort_key

_NAME = re.compile(r"(?:\A|[,|])\s*([a-z0-9][a-z0-9+.-]+)")
_ALL = "all"
_NEEDS = ("pre-depends", "depends")


class Relations(NamedTuple):
    """Names of packages: what one needs, any alternative of it, likes, and stands in for."""

    needs: tuple[str, ...]
    recommends: tuple[str, ...]
    provides: tuple[str, ...]


class Node(NamedTuple):
    """One installed package: its key ``name:arch``, and whether somebody asked for it."""

    key: str
    name: str
    arch: str
    is_asked_for: bool
    relations: Relations


def parse_relations(stanza: Stanza) -> Relations:
    """Return the relations of a package; versions and architectures of them are left aside."""
    return Relations(
        _names(*(stanza.get(field, "") for field in _NEEDS)),
        _names(stanza.get("recommends", "")),
        _names(stanza.get("provides", "")),
    )


def _names(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in _NAME.findall(value)))


def needed_by(packages: Iterable[Node]) -> dict[str, str]:
    """Return key -> the key of the package that somebody asked for and that needs it.

    Of several the nearest, then the first by bytes; one that only recommends it comes after every
    one that depends on it.  What nobody asked for and nothing needs is left out, and so is what was
    asked for itself.
    """
    nodes = sorted(packages, key=lambda node: sort_key(node.key))
    known, native = _by_name(nodes), _native(nodes)
    found: dict[str, str] = {node.key: node.key for node in nodes if node.is_asked_for}
    for with_recommended in (False, True):
        level = [node for node in nodes if node.key in found]
        while level:
            following = []
            for node in level:
                wanted = node.relations.recommends if with_recommended else ()
                for needed in _there(node, (*node.relations.needs, *wanted), known, native):
                    if needed.key not in found:
                        found[needed.key] = found[node.key]
                        following.append(needed)
            level = following
    return {key: root for key, root in found.items() if key != root}


def _by_name(nodes: Iterable[Node]) -> Mapping[str, Sequence[Node]]:
    known: dict[str, list[Node]] = {}
    for node in nodes:
        for name in (node.name, *node.relations.provides):
            known.setdefault(name, []).append(node)
    return known


def _native(nodes: Iterable[Node]) -> str:
    """Return the architecture of most packages."""
    counts = Counter(node.arch for node in nodes if node.arch != _ALL)
    return min(counts, key=lambda arch: (-counts[arch], arch), default=_ALL)


def _there(
    node: Node, names: Iterable[str], known: Mapping[str, Sequence[Node]], native: str
) -> Iterator[Node]:
    arch = native if node.arch == _ALL else node.arch
    for name in names:
        there = known.get(name, ())
        # Of several architectures a package needs its own, or one that serves all.
        yield from [n for n in there if n.arch in (arch, _ALL)] or there
