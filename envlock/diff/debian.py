"""What Debian packages explain of each other, by what a lock holds: no package is asked for it.

A library whose soname moved is another package (Debian Policy 8.1): ``libicu72`` came for
``libicu67``.  What came or went with a package that somebody asked for is explained by that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import is_core_library
from envlock.model.text import sort_key

_DEB = "deb"
_LIBRARY = re.compile(r"(lib.+?)-?([0-9]+(?:\.[0-9]+)*(?:t64|v5)?)(:.+)\Z")
_ALONE = (ChangeKind.ADDED, ChangeKind.REMOVED)


class _Library(NamedTuple):
    """A library without its soname version, and its architecture."""

    stem: str
    arch: str


def explain_packages(deltas: Iterable[Delta]) -> list[Delta]:
    """Return the differences, those of Debian packages that another one explains folded."""
    found = list(deltas)
    alone = {d.key: d for d in found if d.section == _DEB and not d.field and d.kind in _ALONE}
    if not alone:
        return found
    successors = _successors(alone)
    return [_explain(delta, alone, successors) for delta in found]


def _explain(delta: Delta, alone: Mapping[str, Delta], partners: Mapping[str, str]) -> Delta:
    if delta.section != _DEB or alone.get(delta.key) is not delta:
        return delta
    partner = partners.get(delta.key)
    if partner is not None:
        # The first by bytes leads, whichever side it is on: the comparison stays a mirror.
        if sort_key(partner) < sort_key(delta.key):
            return delta._replace(explained_by=f"{_DEB} {partner}")
        here, there = sorted((delta, alone[partner]), key=lambda d: d.left is None)
        note = (
            f"the library has another ABI: {_name(here)} on the left, {_name(there)} on the right; "
            "what is built for one does not start with the other"
        )
        return delta._replace(note=note, special_rule="abi")
    puller = alone.get(delta.facts.get("needed-by", ""))
    # A lock may say anything: what is needed itself explains nothing, or two could hide each other.
    if puller is None or puller.kind is not delta.kind or "needed-by" in puller.facts:
        return delta
    if is_core_library(delta):
        return delta
    return delta._replace(explained_by=puller.record)


def _successors(alone: Mapping[str, Delta]) -> dict[str, str]:
    """Return key -> key of the same library with another soname, both ways.

    Only where each side has exactly one that the other lacks.
    """
    groups: dict[_Library, list[Delta]] = {}
    for key, delta in alone.items():
        match = _LIBRARY.match(key)
        if match:
            groups.setdefault(_Library(match[1], match[3]), []).append(delta)
    found = {}
    for group in groups.values():
        if len(group) == 2 and {delta.kind for delta in group} == {*_ALONE}:
            one, other = (delta.key for delta in group)
            found[one], found[other] = other, one
    return found


def _name(delta: Delta) -> str:
    return delta.key.partition(":")[0]
