"""The closure of each application as an outline of the HTML page, which opens level by level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from envlock.diff.drift import DriftReport
from envlock.model.scope import Member
from envlock.model.scoping import RolePair
from envlock.report.visible import visible
from envlock.report.wording import section_title

MOST_MEMBERS = 2_000
"""Most members of one application that the page lists."""


def outline(report: DriftReport) -> Iterator[str]:
    """Yield the outline: applications, their sections, and why each member is needed."""
    pairs = report.scoping.pairs if report.scoping else ()
    for pair in pairs:
        yield '<div class="closure">'
        yield from _application(pair)
        yield "</div>"


def _application(pair: RolePair) -> Iterator[str]:
    role, count = escape(visible(pair.role)), len(pair.members)
    yield f"<details><summary>What {role} needs: {count:,} records</summary>"
    shown = pair.members[:MOST_MEMBERS]
    for section, found in groupby(shown, lambda member: member.section):
        yield from _section(section, list(found))
    if count > len(shown):
        yield f"<p>and {count - len(shown):,} more</p>"
    yield "</details>"


def _section(section: str, members: Sequence[Member]) -> Iterator[str]:
    title = escape(section_title(section))
    yield f"<details><summary>{title}: {len(members):,}</summary><ul>"
    for member in members:
        via = f" <small>{escape(visible(member.via))}</small>" if member.via else ""
        name = escape(visible(member.key or section))
        yield f"<li><code>{name}</code> {member.member_class.value}{via}</li>"
    yield "</ul></details>"
