"""Report for comments and job summaries: GitHub-flavoured Markdown, cut before the size limit.

A comment holds 65,536 characters and the summary of a job step 1 MiB; GitHub refuses longer ones.
Every name and value comes from a machine that may be hostile, so it is written inside ``<code>``,
where no site looks for mentions or references, and every character with a meaning is written as an
entity, which is never markup (CommonMark spec, 6.2).  A sentence that could contain a reference is
written that way too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from envlock.diff.drift import Change, DriftReport, Result
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.scope import note_lines, outside_line, scope_lines
from envlock.report.visible import visible
from envlock.report.wording import (
    ChangeGroups,
    changed_on,
    fact_name,
    section_title,
    shell_line,
    shown_values,
    sign,
    spread_by_rule,
    worst_first,
)

COMMENT_LIMIT = 60_000
"""Most bytes of a page for a comment; the text around it needs some of the 65,536 characters."""
SUMMARY_LIMIT = 1_000_000
"""Most bytes of a page for a job summary, which holds 1 MiB."""

_RESERVE = 2_500
_MORE = 30
_FOLDED_SHOWN = 5
_SEVERE_SHOWN = 25
_SEVERE = (Severity.CRITICAL, Severity.HIGH)
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


def render_markdown(given: PairInput) -> str:
    """Return Markdown that fits a comment, or with `full` a job summary, the worst first."""
    return markdown_page(given.report, SUMMARY_LIMIT if given.full else COMMENT_LIMIT)


def markdown_page(report: DriftReport, limit: int) -> str:
    """Return `report` as Markdown of at most `limit` bytes (5,000 or more), the worst first.

    A page that would be longer ends between two changes and says how many it leaves out.
    """
    page = _Page(report, limit)
    page.write()
    return "".join(page.lines)


class _Page:
    """A page under construction; `_room` is how many bytes are left."""

    def __init__(self, report: DriftReport, limit: int) -> None:
        self.lines: list[str] = []
        self._report = report
        self._room = limit - _RESERVE
        self._groups = ChangeGroups.of(report)
        self._left = code(report.left_name)
        self._right = code(report.right_name)
        self._cut: list[Change] = []

    def write(self) -> None:
        """Write the whole page."""
        self._head()
        listed = self._groups.listed
        severe = [c for c in spread_by_rule(listed) if c.severity in _SEVERE][:_SEVERE_SHOWN]
        if severe:
            self._table(severe, "### What matters most\n\n", "", self._room, with_reason=True)
        shown = {change.id for change in severe}
        rest = groupby((c for c in listed if c.id not in shown), lambda change: change.section)
        sections = [(name, worst_first(found)) for name, found in rest]
        sections.sort(key=lambda section: section[1][0].severity.rank)
        for position, (name, found) in enumerate(sections):
            counts = Counter(change.kind.value for change in found)
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            # Sections share the room that is left; what a short one does not use is for the others.
            share = self._room // (len(sections) - position)
            self._details(f"{words(section_title(name))}: {kinds}", found, share)
        self._folded()
        if self._groups.covered:
            title = f"covered by policy: {len(self._groups.covered)}"
            self._details(title, self._groups.covered, self._room, status=True)
        self._foot()

    def _head(self) -> None:
        report = self._report
        arrow = "=" if report.result is Result.EQUAL else "→"
        self._add(f"## {_BADGES[report.result]}: {self._left} {arrow} {self._right}\n\n")
        for text in scope_lines(report):
            self._add(f"{prose(text)}\n\n")
        counted = [
            f"**{report.summary[s.value]} {s.value}**"
            for s in Severity
            if report.summary.get(s.value)
        ]
        self._add(" · ".join((*counted, f"{report.parity:g} % equal")) + "\n")
        if outside := outside_line(report):
            self._add(f"\n{prose(outside)}\n")

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
        # The title of a folded table already names the section.
        section = code(change.section) if with_reason or with_status else ""
        what = " ".join(filter(None, (section, code(change.key), code(fact_name(change)))))
        cells = [
            _DOTS[change.severity],
            f"{sign(change)} {what}",
            *("–" if text is None else code(text) for text in shown_values(change)),
        ]
        if side := changed_on(change, self._left, self._right):
            cells[1] += f" ({side})"
        tag = f"<sub>{words(change.rule)} {change.id}</sub>"
        if with_reason:
            cells.append(f"{prose(change.why)}{_remedy(change)}<br>{tag}")
        elif with_status:
            cells.append(f"{change.status.value} {prose(change.policy)} {tag}")
        else:
            cells[1] += f" {tag}"
        return f"| {' | '.join(cells)} |\n"

    def _folded(self) -> None:
        if not self._groups.folded:
            return
        total = sum(map(len, self._groups.folded.values()))
        head = f"\n<details><summary>folded: {total} explained by other changes</summary>\n\n"
        end = "\n</details>\n"
        if not self._fits(head + end):
            return
        self._add(head)
        for record, changes in self._groups.folded.items():
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
            counted = ", ".join(f"{counts[s]} {s.value}" for s in Severity if counts[s])
            yield (
                f"**Cut here: {counted} more.** The page would be too long for a comment;"
                " the text, HTML and JSON reports list everything."
            )
        notes = note_lines(self._report, with_scope=False)
        for text in notes[:5]:
            yield prose(text[:200])
        if len(notes) > 5:
            yield f"… {len(notes) - 5} more notes"

    def _fits(self, text: str, last: int = 0) -> bool:
        return len(text.encode()) <= self._room - last

    def _add(self, text: str) -> None:
        self._room -= len(text.encode())
        self.lines.append(text)

    def _add_anyway(self, text: str) -> None:
        """Add a closing line, for which room was reserved."""
        self.lines.append(text)


def code(text: str) -> str:
    """Return a name or value as inline code, without any markup or mention in it."""
    return f"<code>{words(text)}</code>" if text else ""


def prose(text: str) -> str:
    """Return a sentence as text, or as code if a site could turn a part of it into a reference."""
    return code(text) if _REFERENCE.search(text) else words(text)


def words(text: str) -> str:
    """Return text on one line, every character of Markdown or HTML markup as an entity."""
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", visible(text))


def _remedy(change: Change) -> str:
    """Return the commands of a fix as code, else what to do next as words."""
    if change.fix:
        return f"<br>fix: {code(visible(shell_line(change.fix)))}"
    return f"<br>next: {prose(visible(change.next))}" if change.next else ""
