"""Report of many environments for people: the value of most, and which environments deviate.

It is a table with a column for most and one for each group that deviates.  Where the columns do not
fit the width, each finding lists the deviating values with their environments instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from string import ascii_uppercase
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind, Result
from envlock.diff.many.matrix import Finding, Group, Matrix, Outlier, label
from envlock.model.facts import SECTIONS, Kind, kind_of
from envlock.model.severity import Severity
from envlock.report.input import Canvas, MatrixInput
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.scope import outside_line
from envlock.report.visible import cells, shorten, visible
from envlock.report.wording import presence_lines
from envlock.versions.relation import Relation

_SHOWN_PER_SECTION = 12
_SHOWN_GROUPS = 8
_LABEL_LIMIT = 44
_VALUE_LIMIT = 28
_NARROWEST = 10
_DIGEST_DIGITS = 12
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
_SEVERE = (Severity.CRITICAL, Severity.HIGH)


class _Signs(NamedTuple):
    """Characters that have a replacement in ASCII."""

    newer: str
    older: str
    more: str


_UNICODE = _Signs("↑", "↓", "…")
_ASCII = _Signs("^", "v", "...")


class _Column(NamedTuple):
    """A group of environments that deviates from most, and its letter in the table."""

    letter: str
    group: Group


def render_matrix(given: MatrixInput) -> str:
    """Return text about as wide as the canvas."""
    page = _Page(given.matrix, given.canvas, full=given.full)
    return paint(page.lines(), color=given.canvas.color)


class _Page:
    """One rendering of a matrix; remembers which reasons it has given and which signs it used."""

    def __init__(self, matrix: Matrix, canvas: Canvas, *, full: bool) -> None:
        self._matrix = matrix
        self._width = canvas.width
        self._ascii = canvas.ascii
        self._full = full
        self._signs = _ASCII if canvas.ascii else _UNICODE
        self._rules_explained: set[str] = set()
        self._used: set[str] = set()
        self._listed = [f for f in matrix.findings if _counts(f)]
        self._columns = _deviating_groups(matrix, self._listed)
        labels = (cells(self._label(finding)) for finding in self._listed)
        self._label_width = min(max(labels, default=0), _LABEL_LIMIT)
        room = (self._width - 11 - self._label_width) // (len(self._columns) + 1) - 2
        self._room = 0 if room < _NARROWEST or full else min(room, _VALUE_LIMIT)

    def lines(self) -> Iterator[Line]:
        """Yield the whole page."""
        yield from self._verdict()
        yield from self._legend_of_groups()
        sections = [(name, list(found)) for name, found in groupby(self._listed, _section)]
        sections.sort(key=lambda group: min(f.lead.severity.rank for f in group[1]))
        for name, found in sections:
            yield line()
            yield from self._section(name, found)
        yield from self._footer()

    def _verdict(self) -> Iterator[Line]:
        report, count = self._matrix.report, len(self._matrix.environments)
        groups = len(self._matrix.groups)
        grouped = ", all alike" if groups == 1 else f" in {groups} groups"
        yield line(_VERDICTS[report.result], f"  {count} environments{grouped}")
        counts = [
            Piece(f"{report.summary[severity.value]} {severity.value}  ", style)
            for severity, style in _STYLES.items()
            if report.summary.get(severity.value)
        ]
        if counts:
            yield [
                *counts,
                Piece(f"{report.parity:g} % of the records are alike everywhere", "dim"),
            ]

    def _legend_of_groups(self) -> Iterator[Line]:
        if not self._columns:
            return
        yield line()
        shown = self._columns if self._full else self._columns[:_SHOWN_GROUPS]
        for letter, group in shown:
            mark = letter if self._room else "*"
            yield line(Piece(f"{mark:<3}", "bold"), self._clean(group.name))
        if len(self._columns) > len(shown):
            more = f"   {self._signs.more} {len(self._columns) - len(shown)} more groups"
            yield line(Piece(more, "dim"))
        deviating = {column.group.name for column in self._columns}
        for group in self._matrix.groups:
            if group.name not in deviating:
                note = Piece("  same as most", "dim")
                yield line(Piece("=  ", "bold"), self._clean(group.name), note)

    def _section(self, name: str, findings: list[Finding]) -> Iterator[Line]:
        known = SECTIONS.get(name)
        title = known.title if known else self._clean(name)
        yield line(Piece(title, "bold"), f": {len(findings)}")
        gaps = [f for f in findings if _is_gap(f)]
        if len(gaps) > 1 and not self._full:
            findings = [f for f in findings if not _is_gap(f)]
        else:
            gaps = []
        findings.sort(key=lambda finding: finding.lead.severity.rank)
        critical = sum(f.lead.severity is Severity.CRITICAL for f in findings)
        room = len(findings) if self._full else max(_SHOWN_PER_SECTION, critical)
        yield from self._rows(findings[:room])
        if len(findings) > room:
            more = f"  {self._signs.more} {len(findings) - room} more, --all shows them"
            yield line(Piece(more, "dim"))
        for (names, why), found in groupby(sorted(gaps, key=_names_and_reason), _names_and_reason):
            self._used.add("?")
            text = f"{len(list(found))} unknown in {names}: {why}"
            yield line(Piece("? ", "magenta"), self._clean(text))

    def _rows(self, findings: Sequence[Finding]) -> Iterator[Line]:
        room = self._room
        if room and findings:
            heads = ["most", *(column.letter for column in self._columns)]
            text = "".join(f"  {head:<{room}}" for head in heads)
            yield line(Piece(" " * (11 + self._label_width) + text, "bold"))
        for finding in findings:
            severity = finding.lead.severity
            name = self._fit(self._label(finding), self._label_width)
            pieces = [Piece(f"  {severity.value:<9}", _STYLES[severity]), Piece(name)]
            if room:
                yield [*pieces, *self._cells(finding, room)]
            else:
                most = self._value(finding, finding.majority, _VALUE_LIMIT)
                yield [*pieces, Piece(f"  {most}"), Piece(f"  ({finding.agreeing})", "dim")]
                yield from self._outlier_lines(finding)
            yield from self._reason(finding.lead)

    def _cells(self, finding: Finding, room: int) -> Iterator[Piece]:
        yield Piece("  " + self._fit(self._value(finding, finding.majority, room), room))
        for column in self._columns:
            outlier = _outlier_of(finding, column.group)
            if outlier is None:
                is_missing = column.group.environments[0] in finding.missing
                yield Piece("  " + self._fit("absent" if is_missing else "=", room), "dim")
                continue
            text, style = self._deviating_value(finding, outlier, room)
            yield Piece("  " + self._fit(text, room), style)

    def _outlier_lines(self, finding: Finding) -> Iterator[Line]:
        for outlier in finding.outliers:
            limit = max(24, self._width // 2)
            text, style = self._deviating_value(finding, outlier, limit)
            names = self._clean(label(outlier.environments))
            yield line("      ", Piece(text, style), f"  {names}")
        if finding.missing:
            yield line(Piece(f"      absent  {len(finding.missing)} environments", "dim"))

    def _deviating_value(self, finding: Finding, outlier: Outlier, room: int) -> tuple[str, str]:
        """Return the value of an outlier with a sign before it, and its style."""
        change = outlier.change
        if change.kind is ChangeKind.UNKNOWN:
            sign, style = "?", "magenta"
        elif change.relation is not Relation.DIFFERS:
            is_newer = change.relation is Relation.NEWER
            sign = self._signs.newer if is_newer else self._signs.older
            style = "green" if is_newer else "red"
        else:
            sign, style = {"added": ("+", "green"), "removed": ("-", "red")}.get(
                change.kind.value, ("~", "yellow")
            )
        self._used.add(sign)
        text = "unknown" if sign == "?" else self._value(finding, change.right, room - 2)
        return f"{sign} {text}", style

    def _reason(self, change: Change) -> Iterator[Line]:
        if change.severity in _SEVERE and change.rule not in self._rules_explained:
            self._rules_explained.add(change.rule)
            yield line(Piece(f"      {self._clean(change.why)} [{change.rule}]", "dim"))

    def _label(self, finding: Finding) -> str:
        field = "" if finding.field in ("", "version", "value") and finding.key else finding.field
        if finding.section == "file" and field == "sha256":
            field = "content"
        return self._clean(" ".join(filter(None, (finding.key, field.removeprefix("content:")))))

    def _value(self, finding: Finding, text: str | None, limit: int) -> str:
        if text is None:
            return "absent"
        if kind_of(finding.section, finding.field) in (Kind.DIGEST, Kind.PROVENANCE):
            text = text.removeprefix("sha256:")[:_DIGEST_DIGITS]
        clean = self._clean(text)
        return clean if self._full else shorten(clean, limit, mark=self._signs.more)

    def _fit(self, text: str, room: int) -> str:
        text = shorten(text, room, mark=self._signs.more)
        return text + " " * (room - cells(text))

    def _footer(self) -> Iterator[Line]:
        notes = list(self._notes())
        if notes:
            yield line()
        for note in notes:
            yield line(Piece(note, "dim"))

    def _notes(self) -> Iterator[str]:
        if outside := outside_line(self._matrix.report):
            yield self._clean(outside)
        inside = [f for f in self._matrix.findings if not f.lead.is_outside]
        folded = len(inside) - len(self._listed)
        if folded:
            yield f"folded: {folded} explained by the findings above, or covered by policy"
        yield from presence_lines(self._matrix.report)
        for name, count in self._matrix.report.hidden.items():
            yield f"hidden: {count} {name}"
        meanings = {
            "=": "= same as most",
            "+": "+ most lack it",
            "-": "- most have it",
            self._signs.newer: f"{self._signs.newer} newer than most",
            self._signs.older: f"{self._signs.older} older",
            "~": "~ differs",
            "?": "? unknown",
        }
        used = [meaning for sign, meaning in meanings.items() if sign in self._used]
        if used:
            yield f"legend: {', '.join(used)}"

    def _clean(self, text: str) -> str:
        return visible(text, ascii_only=self._ascii)


def _deviating_groups(matrix: Matrix, findings: Sequence[Finding]) -> list[_Column]:
    """Return the groups that differ from most, the worst first."""
    worst: dict[str, tuple[int, int]] = {}
    for finding in findings:
        for outlier in finding.outliers:
            rank = outlier.change.severity.rank
            for name in outlier.environments:
                best, count = worst.get(name, (rank, 0))
                worst[name] = (min(best, rank), count - 1)
    deviating = [group for group in matrix.groups if group.environments[0] in worst]
    deviating.sort(key=lambda group: worst[group.environments[0]])
    return [_Column(_letter(number), group) for number, group in enumerate(deviating)]


def _letter(number: int) -> str:
    """Return A, B, ... Z, A1, B1, ..."""
    turn, index = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[index] + (str(turn) if turn else "")


def _outlier_of(finding: Finding, group: Group) -> Outlier | None:
    member = group.environments[0]
    return next((o for o in finding.outliers if member in o.environments), None)


def _counts(finding: Finding) -> bool:
    """True when at least one change counts and is not explained by another one."""
    return any(o.change.counts and not o.change.explained_by for o in finding.outliers)


def _section(finding: Finding) -> str:
    return finding.section


def _is_gap(finding: Finding) -> bool:
    """True when some environments do not know the value, and all others agree."""
    return finding.field != "coverage" and all(
        outlier.change.kind is ChangeKind.UNKNOWN for outlier in finding.outliers
    )


def _names_and_reason(finding: Finding) -> tuple[str, str]:
    names = [name for outlier in finding.outliers for name in outlier.environments]
    return label(names), finding.outliers[0].change.why
