"""Scope in a comparison: which application a difference concerns, and what it means for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from envlock.diff.alike import fold_alike
from envlock.diff.drift import Change, ChangeKind, Delta
from envlock.diff.filters import SETTING
from envlock.diff.records import UNSUPPORTED
from envlock.diff.rules import BREAKING
from envlock.diff.rules.scope import ADJUSTMENTS, SECTION, Case, is_inconsistency
from envlock.model.facts import Part, part_of
from envlock.model.scope import STEP
from envlock.model.scoping import Scoping
from envlock.model.severity import Severity

_LISTED = 8
_PROCESS = "process"
LIMITS = (
    "ulimits",
    "memory",
    "memory_swap",
    "cpus",
    "cpuset",
    "pids_limit",
    "shm_size",
    "read_only",
    "cap_add",
    "cap_drop",
    "privileged",
    "security",
)
"""Facts of how a container was started that limit what the application in it can do."""


def within(deltas: Iterable[Delta], scoping: Scoping | None) -> Iterator[Delta]:
    """Yield the differences; one in scope is not explained by a record that is outside."""
    for delta in deltas:
        if scoping is None or not delta.explained_by:
            yield delta
            continue
        section, _, key = delta.explained_by.partition(" ")
        is_ours = roles_of(delta, scoping) and not scoping.of(section, key)
        yield delta._replace(explained_by="") if is_ours else delta


def ours(deltas: Iterable[Delta], scoping: Scoping | None) -> Iterator[Delta]:
    """Yield the differences that concern an application; all of them where none is compared."""
    return (delta for delta in deltas if scoping is None or roles_of(delta, scoping))


_LAUNCHERS = re.compile(r"/(?:bin/[^/]+|pyvenv\.cfg)\Z")
"""Files in the directory of an environment that are made with its path in them."""


def roles_of(delta: Delta, scoping: Scoping) -> tuple[str, ...]:
    """Return the roles that a difference concerns.

    The content of a launcher names the directory that it lies in, and concerns none; nor does what
    only a machine can have, such as its kernel, where the other side is an image.  Of how a
    container is started, against a machine, only its limits count.
    """
    is_of_process = delta.section == _PROCESS and scoping.is_machine_against_container
    if is_of_process and delta.field not in LIMITS:
        return ()
    is_of_machine = part_of(delta.section) is Part.HOST
    if is_of_machine and delta.kind is ChangeKind.UNKNOWN and delta.note.startswith(UNSUPPORTED):
        return ()
    is_content = delta.field in ("sha256", "target") or delta.field.startswith(SETTING)
    if is_content and delta.section == "file" and _is_launcher(delta.key, scoping):
        return ()
    return scoping.of(delta.section, delta.key, delta.field, delta.facts)


def _is_launcher(path: str, scoping: Scoping) -> bool:
    return any(
        path.startswith(place) and _LAUNCHERS.fullmatch(path[len(place) :])
        for pair in scoping.pairs
        for place in pair.places
    )


def in_scope(change: Change, delta: Delta, scoping: Scoping) -> Change:
    """Return a change with its roles, and with the severity and reason that it has for them."""
    if change.is_unmet or change.rule == "REQUIRED-NOT-COVERED":
        return change  # what policy demands counts everywhere
    if delta.section == SECTION:
        return replace(change, scope=(delta.key,))
    roles = roles_of(delta, scoping)
    if not roles:
        return replace(change, scope=())
    if change.explained_by:
        return replace(change, scope=roles)
    members = [scoping.member(role, change.section, change.key) for role in roles]
    breaks = change.rule in BREAKING or is_inconsistency(change)
    severities: list[Severity] = []
    for member in members:
        row = next((row for row in ADJUSTMENTS if row.when(Case(change, member, breaks))), None)
        severities.append(row.apply(change.severity) if row else change.severity)
    via = next((m.via for m in members if m is not None and m.via), "")
    why = f"{change.why}; {roles[0]} needs it: {via}" if STEP in via else change.why
    worst = min(severities, key=lambda severity: severity.rank)
    return replace(change, scope=roles, severity=worst, via=via, why=why)


def of_roles(scoping: Scoping | None) -> Iterator[Delta]:
    """Yield what differs between applications beside the records that both sides name."""
    if scoping is not None:
        yield from _absent_roots(scoping)
        yield from _membership(scoping)


def _absent_roots(scoping: Scoping) -> Iterator[Delta]:
    """Yield a difference for each declared root that only one side has."""
    for absent in scoping.absent:
        kind = ChangeKind.ADDED if absent.left is None else ChangeKind.REMOVED
        yield Delta(SECTION, absent.role, "", kind, absent.left, absent.right, {})


def _membership(scoping: Scoping) -> Iterator[Delta]:
    """Yield a difference for each role whose members are not the same on both sides."""
    for pair in scoping.pairs:
        if pair.only_left or pair.only_right:
            kind = ChangeKind.CHANGED
            left, right = _listed(pair.only_left), _listed(pair.only_right)
            if not pair.only_right or not pair.only_left:
                kind = ChangeKind.REMOVED if pair.only_left else ChangeKind.ADDED
            yield Delta(SECTION, pair.role, "members", kind, left, right, {})


def _listed(names: Sequence[str]) -> str | None:
    if not names:
        return None
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def fold(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes with one cause below the first of them; scope and rest apart."""
    parts = [(c.is_outside, c) for c in changes]
    folded = [
        iter(fold_alike([c for outside, c in parts if outside is side])) for side in (False, True)
    ]
    return tuple(next(folded[outside]) for outside, _ in parts)


def size(scoping: Scoping) -> int:
    """Return how many records of both sides are in the scope of an application."""
    return len(frozenset().union(*(pair.records for pair in scoping.pairs)))
