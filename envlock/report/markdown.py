"""The report for comments and job summaries: GitHub-flavoured Markdown, cut before its limit.

A comment holds 65,536 characters, a step's summary 1 MiB, and what is longer is refused whole.
Every name and value comes from a machine that may be hostile: it stands in ``<code>``, where no
site looks for mentions or references, with every character that means something as an entity,
which by the CommonMark spec (6.2) never counts as markup.  Sentences that hold such a name stand
there too when anything in them could be taken for a reference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from envlock.diff.drift import Change, DriftReport, MovedSide, Result, Severity
from envlock.report.visible import visible
from envlock.report.wording import (
    Parts,
    fact_name,
    remarks,
    section_title,
    shown_value,
    sign,
    varied,
    worst_first,
)

COMMENT_LIMIT = 60_000
"""Bytes of a page for a comment; what wraps it needs some of the 65,536 characters too."""
SUMMARY_LIMIT = 1_000_000
"""Bytes of a page for a job summary of 1 MiB."""

_RESERVE = 2_500
_MORE = 30
_FOLDED_SHOWN = 5
_LOUD_SHOWN = 25
_LOUD = (Severity.CRITICAL, Severity.HIGH)
_MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+!|&@~$]|:(?=//)|(?<=www)\.")
_REFERENCE = re.compile(r"[@#!%~$^&]|\b[0-9a-f]{7,40}\b|://|www\.", re.IGNORECASE)
_BADGES: Mapping[Result, str] = {
    Result.EQUAL: "✅ Equal",
    Result.DRIFT: "❌ Drift",
    Result.INCONCLUSIVE: "❔ Inconclusive",
}
_DOTS: Mapping[Severity, str] = {
    Severity.CRITICAL: "🟥 critical",
    Severity.HIGH: "🟧 high",
    Severity.MEDIUM: "🟨 medium",
    Severity.LOW: "🟦 low",
    Severity.INFO: "⬜ info",
}


def render_markdown(report: DriftReport, *, limit: int = COMMENT_LIMIT) -> str:
    """Return `report` as Markdown of at most `limit` bytes, the worst first.

    A page that would be longer ends between two changes and says what it leaves out.  The limit
    is at least 5,000.
    """
    page = _Page(report, limit)
    page.write()
    return "".join(page.lines)


class _Page:
    """One page as it is written; knows how much room is left."""

    def __init__(self, report: DriftReport, limit: int) -> None:
        self.lines: list[str] = []
        self._report = report
        self._room = limit - _RESERVE
        self._parts = Parts.of(report)
        self._left = code(report.left_name)
        self._right = code(report.right_name)
        self._cut: list[Change] = []

    def write(self) -> None:
        """Write the whole page."""
        self._head()
        loud = [c for c in varied(self._parts.listed) if c.severity in _LOUD][:_LOUD_SHOWN]
        if loud:
            self._table(loud, "### What matters most\n\n", "", self._room, with_reason=True)
        told = {change.id for change in loud}
        rest = [change for change in self._parts.listed if change.id not in told]
        groups = [(name, worst_first(found)) for name, found in groupby(rest, lambda c: c.section)]
        groups.sort(key=lambda group: group[1][0].severity.rank)
        for position, (name, found) in enumerate(groups):
            counts = Counter(change.kind.value for change in found)
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            # A long section leaves room for those after it, a short one leaves them its share.
            share = self._room // (len(groups) - position)
            self._details(f"{words(section_title(name))}: {kinds}", found, share)
        self._folded()
        if self._parts.covered:
            title = f"covered by policy: {len(self._parts.covered)}"
            self._details(title, self._parts.covered, self._room, status=True)
        self._foot()

    def _head(self) -> None:
        report = self._report
        arrow = "=" if report.result is Result.EQUAL else "→"
        self._add(f"## {_BADGES[report.result]}: {self._left} {arrow} {self._right}\n\n")
        counted = [
            f"**{report.summary[s.value]} {s.value}**"
            for s in Severity
            if report.summary.get(s.value)
        ]
        self._add(" · ".join((*counted, f"{report.parity:g} % equal")) + "\n")

    def _details(
        self, title: str, changes: Sequence[Change], share: int, *, status: bool = False
    ) -> None:
        head = f"<details><summary>{title}</summary>\n\n"
        self._table(changes, head, "\n</details>\n", share, with_status=status)

    def _table(
        self,
        changes: Sequence[Change],
        before: str,
        after: str,
        share: int,
        *,
        with_reason: bool = False,
        with_status: bool = False,
    ) -> None:
        extra = " why and what to do |" if with_reason else " policy |" if with_status else ""
        columns = 4 + bool(extra)
        head = f"| | what | {self._left} | {self._right} |{extra}\n|{'---|' * columns}\n"
        rows = [self._row(change, with_reason, with_status) for change in changes]
        if not self._fits(f"\n{before}{head}{rows[0]}{after}"):
            self._cut += changes
            return
        last = self._room - share
        self._add(f"\n{before}{head}")
        self._room -= len(after) + _MORE
        for position, row in enumerate(rows):
            if not self._fits(row, last):
                self._cut += changes[position:]
                self._add_anyway(f"\n… {len(rows) - position:,} more\n")
                break
            self._add(row)
        self._add_anyway(after)

    def _row(self, change: Change, with_reason: bool, with_status: bool) -> str:
        # The title of a folded table tells the section already.
        section = code(change.section) if with_reason or with_status else ""
        what = " ".join(filter(None, (section, code(change.key), code(fact_name(change)))))
        cells = [
            _DOTS[change.severity],
            f"{sign(change)} {what}",
            self._value(change, change.left),
            self._value(change, change.right),
        ]
        if change.moved is not None:
            who = {MovedSide.LEFT: self._left, MovedSide.RIGHT: self._right}.get(
                change.moved, "both"
            )
            cells[1] += f" ({who} moved)"
        tag = f"<sub>{words(change.rule)} {change.id}</sub>"
        if with_reason:
            fix = f"<br>fix: {code(change.fix)}" if change.fix else ""
            cells.append(f"{prose(change.why)}{fix}<br>{tag}")
        elif with_status:
            cells.append(f"{change.status.value} {prose(change.policy)} {tag}")
        else:
            cells[1] += f" {tag}"
        return f"| {' | '.join(cells)} |\n"

    def _value(self, change: Change, text: str | None) -> str:
        return code(shown_value(change, text)) if text is not None else "–"

    def _folded(self) -> None:
        if not self._parts.folded:
            return
        total = sum(map(len, self._parts.folded.values()))
        head = f"\n<details><summary>folded: {total} explained by other changes</summary>\n\n"
        end = "\n</details>\n"
        if not self._fits(head + end):
            return
        self._add(head)
        for record, changes in self._parts.folded.items():
            listed = "".join(f", {code(change.key)} <sub>{change.id}</sub>" for change in changes)
            row = f"- {code(record)}: {len(changes)}{listed}\n"
            if not self._fits(row + end):
                listed = "".join(f", {code(c.key)}" for c in changes[:_FOLDED_SHOWN])
                row = f"- {code(record)}: {len(changes)}{listed}, …\n"
            if not self._fits(row + end):
                self._add_anyway("- …\n")
                break
            self._add(row)
        self._add_anyway(end)

    def _foot(self) -> None:
        notes = list(self._notes())
        if notes:
            self._add_anyway("\n" + "  \n".join(notes) + "\n")

    def _notes(self) -> Iterator[str]:
        if self._cut:
            counts = Counter(change.severity for change in self._cut)
            told = ", ".join(f"{counts[s]} {s.value}" for s in Severity if counts[s])
            yield (
                f"**Cut here: {told} more.** The page would be too long for a comment;"
                " the text, HTML and JSON reports list everything."
            )
        kept = remarks(self._report)
        for text in kept[:5]:
            yield prose(text[:200])
        if len(kept) > 5:
            yield f"… {len(kept) - 5} more notes"

    def _fits(self, text: str, last: int = 0) -> bool:
        return len(text.encode()) <= self._room - last

    def _add(self, text: str) -> None:
        self._room -= len(text.encode())
        self.lines.append(text)

    def _add_anyway(self, text: str) -> None:
        """Add one of the closing lines, for which room was kept."""
        self.lines.append(text)


def code(text: str) -> str:
    """Return a name or value as inline code that no Markdown, HTML or mention gets out of."""
    return f"<code>{words(text)}</code>" if text else ""


def prose(text: str) -> str:
    """Return a sentence as text; as code when a site would make a reference of a part of it."""
    return code(text) if _REFERENCE.search(text) else words(text)


def words(text: str) -> str:
    """Return text on one line with every character that is markup as an entity."""
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", visible(text))
