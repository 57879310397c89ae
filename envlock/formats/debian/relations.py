"""Relations between Debian packages, and the manual package that needs an automatic one.

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
    """Package names in the relations of a package; `needs` has every alternative."""

    needs: tuple[str, ...]
    recommends: tuple[str, ...]
    provides: tuple[str, ...]


class Node(NamedTuple):
    """An installed package; `is_manual` when it was requested by a user."""

    key: str
    name: str
    arch: str
    is_manual: bool
    relations: Relations


def parse_relations(stanza: Stanza) -> Relations:
    """Return the relations of a package, without versions and architectures."""
    return Relations(
        _names(*(stanza.get(field, "") for field in _NEEDS)),
        _names(stanza.get("recommends", "")),
        _names(stanza.get("provides", "")),
    )


def _names(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in _NAME.findall(value)))


def needed_by(packages: Iterable[Node]) -> dict[str, str]:
    """Return key -> key of the manually installed package that needs it.

    Of several the nearest wins, then the first in byte order; any that depends on it wins over
    those that only recommend it.  Manually installed packages and those that none needs are left
    out.
    """
    nodes = sorted(packages, key=lambda node: sort_key(node.key))
    known, native = _by_name(nodes), _native(nodes)
    found: dict[str, str] = {node.key: node.key for node in nodes if node.is_manual}
    for with_recommended in (False, True):
        level = [node for node in nodes if node.key in found]
        while level:
            following = []
            for node in level:
                wanted = node.relations.recommends if with_recommended else ()
                for needed in _installed(node, (*node.relations.needs, *wanted), known, native):
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


def _installed(
    node: Node, names: Iterable[str], known: Mapping[str, Sequence[Node]], native: str
) -> Iterator[Node]:
    arch = native if node.arch == _ALL else node.arch
    for name in names:
        installed = known.get(name, ())
        # A package needs its own architecture of another one, or architecture "all".
        yield from [n for n in installed if n.arch in (arch, _ALL)] or installed
