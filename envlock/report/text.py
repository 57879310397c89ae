"""Report for people: the verdict first, then the differences, the worst section first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind, DriftReport, Result
from envlock.diff.rules import CONSEQUENCES
from envlock.model.severity import Severity
from envlock.report.input import Canvas, PairInput
from envlock.report.items import (
    Item,
    common_start,
    field_name,
    gutter_sign,
    is_gap,
    varied_items,
)
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.scope import Part, declare_lines, notes_of, outside_line, parts_of, scope_lines
from envlock.report.visible import cells, shorten, shorten_pair, visible
from envlock.report.wording import (
    DIGEST_DIGITS,
    ChangeGroups,
    changed_on,
    is_digest,
    is_opaque,
    is_setting,
    presence_lines,
    rank,
    section_title,
    shell_line,
    spread_by_rule,
)
from envlock.versions.relation import Relation

_SHOWN_SETTINGS = 6
_LABEL_LIMIT = 44
_FIRST_SCREEN = 16
_SHOWN_FIRST = 4
_SAID = ("FILE-COMMENTS", "FILE-LAYOUT")
"""Rules whose reason is given although they are not severe: the values do not show it."""
_SEVERE = (Severity.CRITICAL, Severity.HIGH)
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


class _Signs(NamedTuple):
    """Characters of the gutter and between values that have a replacement in ASCII."""

    newer: str
    older: str
    arrow: str
    more: str


_UNICODE = _Signs("↑", "↓", "→", "…")
_ASCII = _Signs("^", "v", "->", "...")


def render_text(given: PairInput) -> str:
    """Return text about as wide as the canvas.

    With `full` it lists every change with its id, also those that policy covers or another change
    explains, and cuts no value.
    """
    page = _Page(given.report, given.canvas, full=given.full)
    return paint(page.lines(), color=given.canvas.color)


class _Page:
    """One rendering of a report; remembers which reasons it has given and which signs it used."""

    def __init__(self, report: DriftReport, canvas: Canvas, *, full: bool) -> None:
        self._report = report
        self._width = canvas.width
        self._ascii = canvas.ascii
        self._full = full
        self._signs = _ASCII if canvas.ascii else _UNICODE
        self._rules_explained: set[str] = set()
        self._used: set[str] = set()
        self._has_fix = False
        self._left = self._clean(report.left_name)
        self._right = self._clean(report.right_name)
        self._groups = ChangeGroups.of(report)
        self._settings = _settings_of(report.changes)

    def lines(self) -> Iterator[Line]:
        """Yield the whole page."""
        yield from self._verdict()
        yield from self._summary()
        for part in parts_of(self._report, self._groups.listed, self._clean):
            yield line()
            yield from self._part(part)
        if outside := outside_line(self._report):
            yield line()
            yield line(outside)
        if self._full:
            yield from self._uncounted()
        yield from self._footer()

    def _verdict(self) -> Iterator[Line]:
        sign = "=" if self._report.result is Result.EQUAL else self._signs.arrow
        verdict = _VERDICTS[self._report.result]
        base = f"  since {self._clean(self._report.base_name)}" if self._report.base_name else ""
        yield line(verdict, f"  {self._left} {sign} {self._right}{base}")
        yield from (line(self._clean(text)) for text in scope_lines(self._report))
        counts = [
            Piece(f"{self._report.summary[severity.value]} {severity.value}  ", style)
            for severity, style in _STYLES.items()
            if self._report.summary.get(severity.value)
        ]
        if counts:
            yield [*counts, Piece(f"{self._report.parity:g} % equal", "dim")]

    def _summary(self) -> Iterator[Line]:
        """Yield the worst changes if the page is longer than a screen."""
        severe = [c for c in spread_by_rule(self._groups.listed) if c.severity in _SEVERE]
        # Severe changes of a single section are at the top anyway.
        is_spread = len({change.section for change in severe}) > 1 and not self._report.scoping
        if self._full or not is_spread or len(self._groups.listed) <= _FIRST_SCREEN:
            return
        yield line()
        yield line(Piece("what matters most", "bold"))
        for change in severe[:_SHOWN_FIRST]:
            severity = Piece(f"{change.severity.value:<9}", _STYLES[change.severity])
            label = self._clean(" ".join(filter(None, (change.section, change.key))))
            label += f" {change.field}" if not change.key and change.field else ""
            alike = sum(other.rule == change.rule for other in severe) - 1
            more = Piece(f"  and {alike} more: {change.rule}" if alike else "", "dim")
            yield [self._gutter(change), severity, Piece(f"{label}  "), *self._values(change), more]

    def _part(self, part: Part) -> Iterator[Line]:
        items = list(part.items)
        counted = Counter(self._word(item.changes[0]) for item in items)
        words = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
        yield line(Piece(self._clean(part.title), "bold"), f": {words}")
        gaps = [item for item in items if is_gap(item)]
        if len(gaps) > 1 and not self._full:
            items = [item for item in items if not is_gap(item)]
        else:
            gaps = []
        items.sort(key=lambda item: rank(item.lead))
        critical = sum(item.lead.severity is Severity.CRITICAL for item in items)
        room = len(items) if self._full else max(part.room, critical)
        shown = varied_items(items, room)
        limit = max(_LABEL_LIMIT, self._width // 2 - 20)
        column = max((min(cells(item.label), limit) for item in shown), default=0)
        for item in shown:
            yield from self._item(item, column)
        if len(items) > room:
            hidden = f"  {self._signs.more} {len(items) - room} more, --all shows them"
            yield line(Piece(hidden, "dim"))
        yield from self._folded_gaps(gaps)

    def _item(self, item: Item, column: int) -> Iterator[Line]:
        lead = item.lead
        severity = Piece(f"{lead.severity.value:<9}", _STYLES[lead.severity])
        label = item.label + " " * (column - cells(item.label))
        pieces = [self._gutter(item.changes[0]), severity, Piece(f"{label}  ")]
        for position, change in enumerate(self._told(item)):
            pieces += line(", ") if position else []
            pieces += self._values(change)
            if side := changed_on(change, self._left, self._right):
                pieces.append(Piece(f"  ({side})", "dim"))
        if self._full or lead.severity in _SEVERE:
            named = item.changes if self._full else (lead,)
            pieces.append(Piece(f"  {' '.join(change.id for change in named)}", "dim"))
        yield pieces
        yield from self._settings_lines(lead)
        for change in item.changes:
            if change.policy and change.counts:
                yield from self._explanation(change.policy)
        if lead.severity in _SEVERE and (lead.is_unmet or lead.rule not in self._rules_explained):
            self._rules_explained.add(lead.rule)
            yield from self._explanation(f"{lead.why} [{lead.rule}]")
            yield from self._remedy(lead)
        elif self._is_worth_saying(lead):
            self._rules_explained.add(lead.why)
            yield from self._explanation(lead.why)
        yield from self._followers(lead)

    def _is_worth_saying(self, lead: Change) -> bool:
        """True for a reason that no value shows and that was not given yet."""
        is_telling = lead.kind is ChangeKind.UNKNOWN or lead.rule in _SAID
        return is_telling and (self._full or lead.why not in self._rules_explained)

    def _told(self, item: Item) -> Sequence[Change]:
        """Return the changes of an item without digests, where others say how it differs."""
        readable = [change for change in item.changes if not is_opaque(change)]
        return item.changes if self._full or not readable else readable

    def _followers(self, lead: Change) -> Iterator[Line]:
        """Yield how many changes have the same cause as `lead`, and one of them."""
        folded = self._groups.folded.get(lead.record, ())
        alike = [change for change in folded if change.rule not in CONSEQUENCES]
        if alike and not self._full:
            first = alike[-1]
            label = self._clean(first.key)
            if first.section != lead.section:
                label = f"{section_title(first.section)} {label}"
            more = f"{len(alike)} more because of it, such as {label}"
            text = f"      and {more if len(alike) > 1 else label}  "
            yield [Piece(text, "dim"), *self._values(first)]

    def _gutter(self, change: Change) -> Piece:
        if change.relation is Relation.NEWER:
            sign, style = self._signs.newer, "green"
        elif change.relation is Relation.OLDER:
            sign, style = self._signs.older, "red"
        else:
            sign = gutter_sign(change)
            style = _SIGN_STYLES[sign]
        self._used.add(sign)
        return Piece(f"{sign} ", style)

    def _values(self, change: Change) -> Line:
        name = field_name(change)
        if change.left is not None and change.left == change.right:
            return line(f"{name} {self._value(change, change.left)} on both sides".strip())
        is_digest = is_opaque(change)
        if change.left is None or change.right is None:
            present = change.left if change.right is None else change.right
            side = self._left if change.right is None else self._right
            is_plain = (is_digest or (change.field and present == "true")) and not self._full
            shown = "" if is_plain else self._value(change, present or "")
            # The sign in the gutter says that a record is on one side only, but not that a fact is.
            return line(f"{name} {shown}".strip(), f" only on {side}" if change.field else "")
        if change.field == "sha256" or (is_digest and not self._full):
            return line(name or "content")
        head = f"{name} " if name else ""
        left, right = self._value_pair(change, change.left, change.right)
        cut = common_start(left, right) if change.relation is not Relation.DIFFERS else 0
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
            name = self._clean(setting.field.removeprefix("content:"))
            pieces = line(f"    {gutter_sign(setting)} {name}  ")
            if setting.left is None or setting.right is None:
                shown = [Piece(self._cut(setting.left or setting.right or ""), "green")]
                shown = [shown[0]._replace(style="red" if setting.right is None else "green")]
            else:
                before, after = self._cut_pair(setting.left, setting.right)
                shown = [Piece(before, "red"), Piece(after, "green")]
            pieces += shown[:1]
            for piece in shown[1:]:
                pieces += [Piece(f" {self._signs.arrow} "), piece]
            yield pieces
        if len(found) > room:
            yield line(Piece(f"    {self._signs.more} {len(found) - room} more settings", "dim"))

    def _uncounted(self) -> Iterator[Line]:
        """Yield the changes that another change explains, and those that policy covers."""
        explained = [
            (f"explained by {record}", change)
            for record, found in self._groups.folded.items()
            for change in found
        ]
        covered = [(f"{c.status.value} {c.policy}".rstrip(), c) for c in self._groups.covered]
        for title, found in (
            ("explained by other changes", explained),
            ("covered by policy", covered),
        ):
            if found:
                yield line()
                yield line(Piece(title, "bold"), f": {len(found)}")
            for reason, change in found:
                label = self._clean(" ".join(filter(None, (change.section, change.key))))
                reason_and_id = Piece(f"  {self._clean(reason)}  {change.id}", "dim")
                values = self._values(change)
                yield [self._gutter(change), Piece(f"{label}  "), *values, reason_and_id]

    def _folded_gaps(self, gaps: Iterable[Item]) -> Iterator[Line]:
        folded = Counter((item.lead.left is not None, item.lead.why) for item in gaps)
        for (on_left, why), count in sorted(folded.items()):
            self._used.add("?")
            here, there = (self._left, self._right) if on_left else (self._right, self._left)
            text = f"{count} known only on {here}; {there}: {self._clean(why)}"
            yield line(Piece("? ", _SIGN_STYLES["?"]), text)

    def _explanation(self, text: str) -> Iterator[Line]:
        for row in wrap(self._clean(text), max(40, self._width - 6), break_on_hyphens=False):
            # GitHub runs a line of a job's log that starts with two colons as a command.
            shown = f"\\x3a{row[1:]}" if row.startswith("::") else row
            yield line(Piece(f"      {shown}", "dim"))

    def _remedy(self, change: Change) -> Iterator[Line]:
        """Yield the fix, never wrapped, so that it can be copied; else what to do next."""
        if change.fix:
            self._has_fix = True
            yield line(Piece(f"      fix: {self._clean(shell_line(change.fix))}", "dim"))
        elif change.next:
            yield from self._explanation(f"next: {change.next}")

    def _footer(self) -> Iterator[Line]:
        notes = list(self._notes())
        if notes:
            yield line()
        for note in notes:
            yield line(Piece(note, "dim"))

    def _notes(self) -> Iterator[str]:
        report = self._report
        yield from map(self._clean, declare_lines(report))
        folded = sum(
            bool(c.explained_by) and c.counts and not is_setting(c) for c in report.changes
        )
        if folded:
            yield f"folded: {folded} explained by the changes above"
        statuses = Counter(change.status.value for change in self._groups.covered)
        if statuses:
            counted = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
            yield f"covered by policy: {counted}"
        yield from (self._clean(f"{note.kind.value}: {note.text}") for note in notes_of(report))
        yield from presence_lines(report)
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
        if self._has_fix:
            yield f"fix: run these commands on {self._right} to make it like {self._left}"
        if report.result is not Result.EQUAL:
            yield (
                "next: --all lists everything, --section NAME one section;"
                " envlock explain RULE, envlock waive ID"
            )

    def _word(self, change: Change) -> str:
        if change.relation is not Relation.DIFFERS:
            return change.relation.value
        return {"+": "added", "-": "removed", "~": "changed", "?": "unknown"}[gutter_sign(change)]

    def _value(self, change: Change, text: str) -> str:
        if is_digest(change, text):
            return self._clean(text.removeprefix("sha256:"))[:DIGEST_DIGITS]
        return self._cut(text)

    def _cut(self, text: str) -> str:
        clean = self._clean(text)
        if self._full:
            return clean
        return shorten(clean, self._room, mark=self._signs.more)

    def _value_pair(self, change: Change, left: str, right: str) -> tuple[str, str]:
        if is_digest(change, left) and is_digest(change, right):
            return self._value(change, left), self._value(change, right)
        return self._cut_pair(left, right)

    def _cut_pair(self, left: str, right: str) -> tuple[str, str]:
        before, after = self._clean(left), self._clean(right)
        if self._full:
            return before, after
        return shorten_pair(before, after, self._room, mark=self._signs.more)

    @property
    def _room(self) -> int:
        return max(24, (self._width - 30) // 2)

    def _clean(self, text: str) -> str:
        return visible(text, ascii_only=self._ascii)


def _settings_of(changes: Iterable[Change]) -> dict[tuple[str, str], list[Change]]:
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if is_setting(change):
            found.setdefault((change.section, change.key), []).append(change)
    return found
