"""The report for people: the verdict first, then what differs, the worst section first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind, DriftReport, MovedSide, Result, Severity
from envlock.model.facts import Kind, kind_of
from envlock.report.items import Item, is_hole, items_of, varied_items
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.visible import cells, shorten, visible
from envlock.report.wording import (
    DIGEST_DIGITS,
    Parts,
    fact_name,
    is_setting,
    section_title,
    varied,
)
from envlock.versions.relation import Relation

_SHOWN_PER_SECTION = 12
_SHOWN_SETTINGS = 6
_LABEL_LIMIT = 44
_FIRST_SCREEN = 16
_SHOWN_FIRST = 3
_LOUD = (Severity.CRITICAL, Severity.HIGH)
_VERDICTS: Mapping[Result, Piece] = {
    Result.EQUAL: Piece("EQUAL", "bold green"),
    Result.DRIFT: Piece("DRIFT", "bold red"),
    Result.INCONCLUSIVE: Piece("INCONCLUSIVE", "bold yellow"),
}
_STYLES: Mapping[Severity, str] = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_SIGN_STYLES = {"+": "green", "-": "red", "~": "yellow", "?": "magenta"}
_VERSION_PART = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]")


class _Signs(NamedTuple):
    """The characters of the gutter and between values that have a form in ASCII."""

    newer: str
    older: str
    arrow: str
    more: str


_UNICODE = _Signs("↑", "↓", "→", "…")
_ASCII = _Signs("^", "v", "->", "...")


def render_text(
    report: DriftReport,
    *,
    width: int = 100,
    color: bool = False,
    ascii: bool = False,  # noqa: A002  # named like the setting
    full: bool = False,
) -> str:
    """Return `report` as text, about `width` columns wide.

    `ascii` uses no other characters; `full` lists every change with its id, those too that policy
    covers or another change explains, and cuts no value short.
    """
    return paint(_Page(report, width, ascii_only=ascii, full=full).lines(), color=color)


class _Page:
    """One rendering of a report; remembers which reasons it has given."""

    def __init__(self, report: DriftReport, width: int, *, ascii_only: bool, full: bool) -> None:
        self._report = report
        self._width = width
        self._ascii = ascii_only
        self._full = full
        self._signs = _ASCII if ascii_only else _UNICODE
        self._told: set[str] = set()
        self._used: set[str] = set()
        self._left = self._clean(report.left_name)
        self._right = self._clean(report.right_name)
        self._parts = Parts.of(report)
        self._settings = _settings_of(report.changes)

    def lines(self) -> Iterator[Line]:
        """Yield the whole page."""
        yield from self._verdict()
        yield from self._what_matters()
        listed = groupby(self._parts.listed, lambda change: change.section)
        groups = [(name, list(found)) for name, found in listed]
        groups.sort(key=lambda group: min(change.severity.rank for change in group[1]))
        for name, found in groups:
            yield line()
            yield from self._section(name, found)
        if self._full:
            yield from self._aside()
        yield from self._footer()

    def _verdict(self) -> Iterator[Line]:
        sign = "=" if self._report.result is Result.EQUAL else self._signs.arrow
        verdict = _VERDICTS[self._report.result]
        base = f"  since {self._clean(self._report.base_name)}" if self._report.base_name else ""
        yield line(verdict, f"  {self._left} {sign} {self._right}{base}")
        counts = [
            Piece(f"{self._report.summary[severity.value]} {severity.value}  ", style)
            for severity, style in _STYLES.items()
            if self._report.summary.get(severity.value)
        ]
        if counts:
            yield [*counts, Piece(f"{self._report.parity:g} % equal", "dim")]

    def _what_matters(self) -> Iterator[Line]:
        """Yield the worst changes where the page is too long to see them at once."""
        loud = [c for c in varied(self._parts.listed) if c.severity in _LOUD]
        # Those of one section stand together at the top anyway.
        is_spread = len({change.section for change in loud}) > 1
        if self._full or not is_spread or len(self._parts.listed) <= _FIRST_SCREEN:
            return
        yield line()
        yield line(Piece("what matters most", "bold"))
        for change in loud[:_SHOWN_FIRST]:
            severity = Piece(f"{change.severity.value:<9}", _STYLES[change.severity])
            label = self._clean(" ".join(filter(None, (change.section, change.key))))
            label += f" {change.field}" if not change.key and change.field else ""
            alike = sum(other.rule == change.rule for other in loud) - 1
            more = Piece(f"  and {alike} more: {change.rule}" if alike else "", "dim")
            yield [self._gutter(change), severity, Piece(f"{label}  "), *self._values(change), more]

    def _section(self, name: str, changes: Sequence[Change]) -> Iterator[Line]:
        items = list(items_of(changes, self._clean))
        rollup = Counter(self._word(item.changes[0]) for item in items)
        words = ", ".join(f"{count} {word}" for word, count in sorted(rollup.items()))
        yield line(Piece(self._clean(section_title(name)), "bold"), f": {words}")
        holes = [item for item in items if is_hole(item)]
        if len(holes) > 1 and not self._full:
            items = [item for item in items if not is_hole(item)]
        else:
            holes = []
        items.sort(key=lambda item: item.lead.severity.rank)
        critical = sum(item.lead.severity is Severity.CRITICAL for item in items)
        room = len(items) if self._full else max(_SHOWN_PER_SECTION, critical)
        shown = varied_items(items, room)
        column = max((min(cells(item.label), _LABEL_LIMIT) for item in shown), default=0)
        for item in shown:
            yield from self._item(item, column)
        if len(items) > room:
            hidden = f"  {self._signs.more} {len(items) - room} more, --all shows them"
            yield line(Piece(hidden, "dim"))
        yield from self._folded_holes(holes)

    def _item(self, item: Item, column: int) -> Iterator[Line]:
        lead = item.lead
        severity = Piece(f"{lead.severity.value:<9}", _STYLES[lead.severity])
        label = item.label + " " * (column - cells(item.label))
        pieces = [self._gutter(item.changes[0]), severity, Piece(f"{label}  ")]
        for position, change in enumerate(item.changes):
            pieces += line(", ") if position else []
            pieces += self._values(change)
            if change.moved is not None:
                who = {MovedSide.LEFT: self._left, MovedSide.RIGHT: self._right}.get(
                    change.moved, "both"
                )
                pieces.append(Piece(f"  ({who} moved)", "dim"))
        if self._full or lead.severity in _LOUD:
            named = item.changes if self._full else (lead,)
            pieces.append(Piece(f"  {' '.join(change.id for change in named)}", "dim"))
        yield pieces
        yield from self._settings_lines(lead)
        for change in item.changes:
            if change.policy and change.status.counts:
                yield from self._remark(change.policy)
        if lead.severity in _LOUD and (lead.is_unmet or lead.rule not in self._told):
            self._told.add(lead.rule)
            yield from self._remark(f"{lead.why} [{lead.rule}]")
            if lead.fix:
                yield from self._remark(f"fix: {lead.fix}")
        elif lead.kind is ChangeKind.UNKNOWN or lead.rule == "FILE-COMMENTS":
            yield from self._remark(lead.why)

    def _gutter(self, change: Change) -> Piece:
        if change.relation is Relation.NEWER:
            sign, style = self._signs.newer, "green"
        elif change.relation is Relation.OLDER:
            sign, style = self._signs.older, "red"
        else:
            sign = _sign(change)
            style = _SIGN_STYLES[sign]
        self._used.add(sign)
        return Piece(f"{sign} ", style)

    def _values(self, change: Change) -> Line:
        name = _field_name(change)
        if change.left is not None and change.left == change.right:
            return line(f"{name} {self._value(change, change.left)} on both sides".strip())
        if change.left is None or change.right is None:
            present = change.left if change.right is None else change.right
            side = self._left if change.right is None else self._right
            told = f"{name} {self._value(change, present or '')}".strip()
            # A whole record is only on one side as the gutter says; of one fact it must be said.
            return line(told, f" only on {side}" if change.field else "")
        if change.field == "sha256":
            return line(name)
        head = f"{name} " if name else ""
        left, right = self._value(change, change.left), self._value(change, change.right)
        cut = _common_start(left, right) if change.relation is not Relation.DIFFERS else 0
        return line(
            f"{head}{left[:cut]}",
            Piece(left[cut:], "red"),
            f" {self._signs.arrow} {right[:cut]}",
            Piece(right[cut:], "green"),
        )

    def _settings_lines(self, change: Change) -> Iterator[Line]:
        found = self._settings.get((change.section, change.key), [])
        room = len(found) if self._full else _SHOWN_SETTINGS
        for setting in found[:room]:
            place = self._clean(setting.field.removeprefix("content:"))
            pieces = line(f"    {_sign(setting)} {place}  ")
            values = [(setting.left, "red"), (setting.right, "green")]
            shown = [Piece(self._cut(text), style) for text, style in values if text is not None]
            pieces += shown[:1]
            for piece in shown[1:]:
                pieces += [Piece(f" {self._signs.arrow} "), piece]
            yield pieces
        if len(found) > room:
            yield line(Piece(f"    {self._signs.more} {len(found) - room} more places", "dim"))

    def _aside(self) -> Iterator[Line]:
        """Yield what does not count by itself: explained by another change, covered by policy."""
        explained = [
            (f"explained by {record}", change)
            for record, found in self._parts.folded.items()
            for change in found
        ]
        covered = [(f"{c.status.value} {c.policy}".rstrip(), c) for c in self._parts.covered]
        for title, found in (("explained by others", explained), ("covered by policy", covered)):
            if found:
                yield line()
                yield line(Piece(title, "bold"), f": {len(found)}")
            for reason, change in found:
                label = self._clean(" ".join(filter(None, (change.section, change.key))))
                told = Piece(f"  {self._clean(reason)}  {change.id}", "dim")
                yield [self._gutter(change), Piece(f"{label}  "), *self._values(change), told]

    def _folded_holes(self, holes: Iterable[Item]) -> Iterator[Line]:
        folded = Counter((item.lead.left is not None, item.lead.why) for item in holes)
        for (on_left, why), count in sorted(folded.items()):
            self._used.add("?")
            here, there = (self._left, self._right) if on_left else (self._right, self._left)
            text = f"{count} known only on {here}; {there}: {self._clean(why)}"
            yield line(Piece("? ", _SIGN_STYLES["?"]), text)

    def _remark(self, text: str) -> Iterator[Line]:
        for row in wrap(self._clean(text), max(40, self._width - 6), break_on_hyphens=False):
            # A line that starts with two colons is a command to the runner of a job at GitHub.
            shown = f"\\x3a{row[1:]}" if row.startswith("::") else row
            yield line(Piece(f"      {shown}", "dim"))

    def _footer(self) -> Iterator[Line]:
        notes = list(self._notes())
        if notes:
            yield line()
        for note in notes:
            yield line(Piece(note, "dim"))

    def _notes(self) -> Iterator[str]:
        report = self._report
        folded = sum(
            bool(c.explained_by) and c.status.counts and not is_setting(c) for c in report.changes
        )
        if folded:
            yield f"folded: {folded} explained by the changes above"
        aside = Counter(change.status.value for change in self._parts.covered)
        if aside:
            counted = ", ".join(f"{count} {status}" for status, count in sorted(aside.items()))
            yield f"covered by policy: {counted}"
        yield from (self._clean(f"{note.kind.value}: {note.text}") for note in report.notes)
        if report.hidden:
            counted = ", ".join(f"{n} {self._clean(name)}" for name, n in report.hidden.items())
            yield f"hidden: {counted}"
        if self._used:
            meanings = {
                "+": f"+ only on {self._right}",
                "-": f"- only on {self._left}",
                "~": "~ differs",
                "?": "? unknown",
                self._signs.newer: f"{self._signs.newer} newer on {self._right}",
                self._signs.older: f"{self._signs.older} older on {self._right}",
            }
            yield "  ".join(text for sign, text in meanings.items() if sign in self._used)
        if report.result is not Result.EQUAL:
            yield (
                "next: --all lists everything, --section NAME one section;"
                " envlock explain RULE, envlock waive ID"
            )

    def _word(self, change: Change) -> str:
        if change.relation is not Relation.DIFFERS:
            return change.relation.value
        return {"+": "added", "-": "removed", "~": "changed", "?": "unknown"}[_sign(change)]

    def _value(self, change: Change, text: str) -> str:
        if kind_of(change.section, change.field) in (Kind.DIGEST, Kind.PROVENANCE):
            return self._clean(text.removeprefix("sha256:"))[:DIGEST_DIGITS]
        return self._cut(text)

    def _cut(self, text: str) -> str:
        clean = self._clean(text)
        if self._full:
            return clean
        return shorten(clean, max(24, (self._width - 30) // 2), mark=self._signs.more)

    def _clean(self, text: str) -> str:
        return visible(text, ascii_only=self._ascii)


def _settings_of(changes: Iterable[Change]) -> dict[tuple[str, str], list[Change]]:
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if is_setting(change):
            found.setdefault((change.section, change.key), []).append(change)
    return found


def _field_name(change: Change) -> str:
    """Return how a fact is called beside its values; nothing where the label or value tells."""
    if change.is_unmet:
        return fact_name(change)
    if not change.key or change.field in ("", "version", "value"):
        return ""
    return fact_name(change)


def _sign(change: Change) -> str:
    if change.kind is ChangeKind.UNKNOWN:
        return "?"
    if change.kind is ChangeKind.CHANGED or (
        change.field and change.key and not is_setting(change)
    ):
        return "~"
    return "+" if change.kind is ChangeKind.ADDED else "-"


def _common_start(left: str, right: str) -> int:
    """Return how many characters two versions share in front, whole parts only."""
    length = 0
    parts = zip(_VERSION_PART.findall(left), _VERSION_PART.findall(right), strict=False)
    for a, b in parts:
        if a != b:
            break
        length += len(a)
    return length
