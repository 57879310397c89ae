"""Scope in reports: what was taken as the application, and what is outside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import NamedTuple

from envlock.diff.drift import Change, DriftReport, Note, NoteKind
from envlock.model.scoping import PairedBy, RolePair
from envlock.model.text import escape
from envlock.report.items import Item, items_of
from envlock.report.visible import visible
from envlock.report.wording import presence_lines, rank, section_title

POLICY = "policy"
"""The title of what counts for every application, because policy demands it."""


class Part(NamedTuple):
    """Differences that are listed below one title, and how many of them are listed at first."""

    title: str
    items: tuple[Item, ...]
    room: int


_PER_SECTION = 12
_PER_ROLE = 24


def parts_of(
    report: DriftReport, listed: Sequence[Change], clean: Callable[[str], str]
) -> list[Part]:
    """Return the differences by section, or by application where applications are compared.

    The part with the worst difference comes first.
    """
    if report.scoping is None:
        parts = [
            Part(section_title(section), tuple(items_of(found, clean)), _PER_SECTION)
            for section, found in groupby(listed, lambda change: change.section)
        ]
    else:
        groups: dict[str, list[Change]] = {}
        for change in listed:
            groups.setdefault(" and ".join(change.scope or (POLICY,)), []).append(change)
        parts = [
            Part(title, tuple(_of_role(found, clean)), _PER_ROLE) for title, found in groups.items()
        ]
    return sorted(parts, key=lambda part: min(rank(item.lead) for item in part.items))


def _of_role(changes: Iterable[Change], clean: Callable[[str], str]) -> Iterator[Item]:
    """Yield the items of several sections, each with its section before its label."""
    for section, found in groupby(changes, lambda change: change.section):
        for item in items_of(found, clean):
            yield item._replace(label=f"{clean(section)} {item.label}".rstrip())


def roles_text(report: DriftReport) -> str:
    """Return the roles that were compared as words, empty where everything was."""
    return _and(report.scoping.roles) if report.scoping else ""


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def scope_lines(report: DriftReport) -> Iterator[str]:
    """Yield a line for each application: what it is on both sides, how sure that is, its parity.

    Where none was compared, yield why.
    """
    if report.scoping is None:
        yield from (visible(n.text) for n in report.notes if n.kind is NoteKind.SCOPE)
    left, right = (visible(name) for name in _short_names(report))
    for pair in report.scoping.pairs if report.scoping else ():
        roots = f"{pair.left} on {left}, {pair.right} on {right}"
        yield visible(f"{pair.role}: {roots}; {_sureness(pair, left, right)}; {_parity(pair)}")


def _short_names(report: DriftReport) -> tuple[str, str]:
    """Return the names of both sides, lockfiles without directory and suffix if that tells them."""
    names = report.left_name, report.right_name
    left, right = (PurePosixPath(n).stem if n.endswith(".lock") else n for n in names)
    return names if left == right else (left, right)


def _sureness(pair: RolePair, left: str, right: str) -> str:
    if pair.paired_by is PairedBy.DECLARED:
        return "declared"
    found = f"paired by likeness: {pair.basis}"
    if not pair.projected:
        return found
    here, there = (left, right) if pair.projected == "left" else (right, left)
    return f"{found}; {here} was compared by what {there} needs"


def _parity(pair: RolePair) -> str:
    return "same closure" if pair.is_equal else "another closure"


def declare_lines(report: DriftReport) -> Iterator[str]:
    """Yield a line with what would declare each root that was found by likeness."""
    for pair in report.scoping.pairs if report.scoping else ():
        if pair.declare:
            yield visible(f"to declare it in envlock.toml: {' '.join(pair.declare)}")


def outside_line(report: DriftReport) -> str:
    """Return how many differences concern no application, empty for none."""
    count = sum(report.outside.values()) if report.scoping else 0
    if not count:
        return ""
    what = "difference" if count == 1 else "differences"
    return f"outside of {visible(roles_text(report))}: {count:,} {what} (--whole shows them)"


def notes_of(report: DriftReport) -> list[Note]:
    """Return the notes that `scope_lines` does not tell."""
    return [n for n in report.notes if report.scoping or n.kind is not NoteKind.SCOPE]


def note_lines(report: DriftReport, *, with_scope: bool = True) -> list[str]:
    """Return the lines beside the changes: scope, notes about policy, and what is hidden."""
    found = [*declare_lines(report)]
    if with_scope:
        found = [*scope_lines(report), *filter(None, (outside_line(report),)), *found]
    found += [visible(f"{note.kind.value}: {note.text}") for note in notes_of(report)]
    found += presence_lines(report)
    if report.hidden:
        hidden = ", ".join(f"{count} {visible(name)}" for name, count in report.hidden.items())
        found.append(f"hidden: {hidden}")
    return found


def roles_document(report: DriftReport) -> dict[str, object]:
    """Return the applications that were compared as members of a JSON document, by role."""
    pairs = report.scoping.pairs if report.scoping else ()
    return {escape(pair.role): _role(pair) for pair in pairs}


def _role(pair: RolePair) -> dict[str, object]:
    return {
        "left": escape(pair.left),
        "right": escape(pair.right),
        "paired_by": pair.paired_by,
        "score": round(pair.score, 3),
        "basis": escape(pair.basis),
        "projected": pair.projected,
        "parity": pair.is_equal,
    }
