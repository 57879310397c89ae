"""Changes of Debian packages that the change of another package explains.

If the soname of a library changes, so does its package name (Debian Policy 8.1): ``libicu72``
replaces ``libicu67``.  A dependency that was added or removed with a manually installed package is
explained by that package.  Only facts in the locks are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import is_core_library
from envlock.model.text import sort_key

_DEB = "deb"
_LIBRARY = re.compile(r"(lib[^:]{1,128}?)-?([0-9]{1,9}(?:\.[0-9]{1,9}){0,4}(?:t64|v5)?)(:.+)\Z")
_ONE_SIDED = (ChangeKind.ADDED, ChangeKind.REMOVED)


class _Library(NamedTuple):
    """The package name of a library without its soname version, and its architecture."""

    stem: str
    arch: str


def explain_packages(deltas: Iterable[Delta]) -> list[Delta]:
    """Return the differences; Debian packages that another one explains say so."""
    found = list(deltas)
    one_sided = {
        d.key: d for d in found if d.section == _DEB and not d.field and d.kind in _ONE_SIDED
    }
    successors = _successors(one_sided)
    owners = {_name(delta): key for key, delta in sorted(one_sided.items())}
    for delta in found:
        if delta.section == _DEB and delta.field == "version":
            owners.setdefault(_name(delta), delta.key)
    return [_diverted(_explain(delta, one_sided, successors), owners) for delta in found]


def _diverted(delta: Delta, owners: Mapping[str, str]) -> Delta:
    """Return a diversion as explained by its package, if that came, went or changed."""
    owner = owners.get(delta.facts.get("package", "")) if delta.section == "diversion" else None
    return delta._replace(explained_by=f"{_DEB} {owner}") if owner else delta


def _explain(delta: Delta, one_sided: Mapping[str, Delta], partners: Mapping[str, str]) -> Delta:
    if delta.section != _DEB or one_sided.get(delta.key) is not delta:
        return delta
    partner = partners.get(delta.key)
    if partner is not None:
        # The first in byte order leads, on whichever side: the comparison stays symmetric.
        if sort_key(partner) < sort_key(delta.key):
            return delta._replace(explained_by=f"{_DEB} {partner}")
        here, there = sorted((delta, one_sided[partner]), key=lambda d: d.left is None)
        note = (
            f"the library has another ABI: {_name(here)} on the left, {_name(there)} on the right; "
            "programs built for one do not start with the other"
        )
        return delta._replace(note=note, special_rule="abi")
    requester = one_sided.get(delta.facts.get("needed-by", ""))
    # A package that is itself a dependency explains nothing, or two could hide each other.
    if requester is None or requester.kind is not delta.kind or "needed-by" in requester.facts:
        return delta
    if is_core_library(delta):
        return delta
    return delta._replace(explained_by=requester.record)


def _successors(one_sided: Mapping[str, Delta]) -> dict[str, str]:
    """Return key -> key of the same library with another soname, in both directions.

    Only if each side has exactly one that the other side lacks.
    """
    groups: dict[_Library, list[Delta]] = {}
    for key, delta in one_sided.items():
        match = _LIBRARY.match(key)
        if match:
            groups.setdefault(_Library(match[1], match[3]), []).append(delta)
    found = {}
    for group in groups.values():
        if len(group) == 2 and {delta.kind for delta in group} == {*_ONE_SIDED}:
            one, other = (delta.key for delta in group)
            found[one], found[other] = other, one
    return found


def _name(delta: Delta) -> str:
    return delta.key.partition(":")[0]
