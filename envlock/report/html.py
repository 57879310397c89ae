"""Report as one HTML page to send to someone: it needs neither envlock nor a network.

Every value is escaped.  The changes are embedded as JSON that cannot close its own element, and the
script of the page only ever sets text.  A content security policy allows this script and this style
by digest and nothing else: no request, no injected markup.  Without JavaScript the page is a list
of the worst changes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib import resources
from itertools import groupby
from math import floor

from envlock.diff.drift import Change, ChangeKind, DriftReport, Result
from envlock.model.severity import Severity
from envlock.report.html_outline import outline
from envlock.report.input import PairInput
from envlock.report.scope import note_lines
from envlock.report.visible import visible
from envlock.report.wording import (
    ChangeGroups,
    fact_name,
    remedy,
    section_title,
    shown_values,
    sign,
    subject,
    worst_first,
)
from envlock.versions.relation import Relation

STATIC_LIMIT = 500
"""Most changes in the list that a reader without JavaScript sees."""

_VALUE_LIMIT = 2_000
VERDICTS: Mapping[Result, str] = {
    Result.EQUAL: "Equal",
    Result.DRIFT: "Drift",
    Result.INCONCLUSIVE: "Inconclusive",
}


def render_html(given: PairInput) -> str:
    """Return the page of a comparison of two, to be written as UTF-8."""
    report = given.report
    left, right = visible(report.left_name), visible(report.right_name)
    title = f"{VERDICTS[report.result]}: {left} → {right}"
    arrow = "=" if report.result is Result.EQUAL else "→"
    heading = (
        f'<code>{escape(left)}</code> <span class="arrow">{arrow}</span>'
        f" <code>{escape(right)}</code>"
    )
    body = [*head(report, heading), *toolbar(), *_static(report)]
    return page(title, body, _data(report), scripts=("report.js", "page.js"))


def page(title: str, body: Iterable[str], data: object, *, scripts: Iterable[str]) -> str:
    """Return a page with its style, its `scripts` (asset names) and the `data` that they show."""
    css, js = _asset("report.css"), "".join(map(_asset, scripts))
    policy = (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(js)}';"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{css}</style>",
        "</head>",
        "<body>",
        *body,
        f'<script type="application/json" id="data">{_embedded(data)}</script>',
        f"<script>{js}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _embedded(data: object) -> str:
    """Return `data` as JSON without any character that could close or open an HTML element."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def head(report: DriftReport, heading: str) -> Iterator[str]:
    """Yield the verdict beside `heading` (markup), the counts by severity, and the notes."""
    yield '<a class="skip" href="#findings">Skip to the findings</a>'
    yield f'<header class="head {report.result.value}">'
    yield '<div class="verdict">'
    yield '<p class="kind">envlock diff</p>'
    yield f'<h1><span class="badge">{VERDICTS[report.result]}</span> {heading}</h1>'
    if report.base_name:
        yield f"<p>compared with their base <code>{escape(visible(report.base_name))}</code></p>"
    yield "</div>"
    yield _ring(report.parity)
    yield "</header>"
    yield '<div class="tiles" role="group" aria-label="Severities">'
    for severity in Severity:
        count = report.summary.get(severity.value, 0)
        yield (
            f'<button type="button" class="tile {severity.value}" data-severity="{severity.rank}"'
            f' aria-pressed="true"{"" if count else " disabled"}>'
            f"<b>{count:,}</b> {severity.value}</button>"
        )
    yield "</div>"
    notes = note_lines(report)
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        yield f'<ul class="notes">{items}</ul>'
    yield from outline(report)


def _ring(parity: float) -> str:
    # The circumference is 100; the ring is closed only if everything is equal.
    shown = 100 if parity >= 100 else min(99, floor(parity))
    return (
        f'<figure class="ring"><svg viewBox="0 0 36 36" role="img" aria-label="{parity:g} % equal">'
        '<circle class="track" cx="18" cy="18" r="15.915"/>'
        f'<circle class="part" cx="18" cy="18" r="15.915" stroke-dasharray="{shown} 100"/></svg>'
        f"<figcaption><b>{parity:g} %</b>equal</figcaption></figure>"
    )


def toolbar() -> Iterator[str]:
    """Yield search, filters and switches, hidden until the script has started."""
    yield '<div class="toolbar" id="toolbar" hidden>'
    yield (
        '<input type="search" id="search" placeholder="Search names, values, rules  ( / )"'
        ' aria-label="Search" autocomplete="off" spellcheck="false">'
    )
    yield '<select id="section" aria-label="Section"></select>'
    yield '<select id="role" aria-label="Application" hidden></select>'
    for name in ("folded", "covered"):
        yield f'<label id="{name}-label" hidden><input type="checkbox" id="{name}">'
        yield "<span></span></label>"
    yield '<button type="button" id="toggle">Collapse all</button>'
    yield '<button type="button" id="theme" aria-label="Light or dark">◐</button>'
    yield '<output id="shown" aria-live="polite"></output>'
    yield "</div>"


def _static(report: DriftReport) -> Iterator[str]:
    """Yield the list for readers without JavaScript: the worst changes, by section."""
    worst = worst_first(ChangeGroups.of(report).listed)[:STATIC_LIMIT]
    yield '<main id="findings" tabindex="-1">'
    if not report.changes:
        yield '<p class="empty">Nothing differs.</p>'
    for section, changes in groupby(_by_section(worst), lambda change: change.section):
        yield f'<section class="group"><h2>{escape(section_title(section))}</h2><ul>'
        yield from (_static_row(change) for change in changes)
        yield "</ul></section>"
    rest = len(report.changes) - len(worst)
    if rest:
        yield f"<p>Enable JavaScript to see {rest:,} more changes.</p>"
    yield "</main>"
    yield '<footer><p id="legend"></p></footer>'


def _by_section(changes: Sequence[Change]) -> list[Change]:
    """Group the changes by section; the section with the worst change comes first."""
    order: dict[str, int] = {}
    for change in changes:
        order.setdefault(change.section, len(order))
    return sorted(changes, key=lambda change: order[change.section])


def _static_row(change: Change) -> str:
    values = [
        f"<code>{escape(text)}</code>"
        for text in shown_values(change, limit=_VALUE_LIMIT)
        if text is not None
    ]
    why = escape(visible(change.why))
    fix = f" {escape(visible(remedy(change)))}"
    return (
        f'<li class="static"><b class="pill {change.severity.value}">{change.severity.value}</b>'
        f" {sign(change)} <code>{escape(subject(change))}</code>: {' → '.join(values)}"
        f"<br><small>{why}.{fix} [{escape(change.rule)} {change.id}]</small></li>"
    )


class TextTable:
    """Texts that many rows share: each is embedded once, and rows hold its index."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the index of `text`; a new text is added."""
        return self.texts.setdefault(text, len(self.texts))


def _data(report: DriftReport) -> dict[str, object]:
    """Return the data of the script: a row for each change, of values and indices in `texts`."""
    groups = ChangeGroups.of(report)
    texts = TextTable()
    titles: dict[str, str] = {}
    rows: list[list[object]] = []
    ordered = (
        groups.listed,
        [change for found in groups.folded.values() for change in found],
        groups.covered,
    )
    for number, changes in enumerate(ordered):
        for change in worst_first(changes):
            titles.setdefault(change.section, section_title(change.section))
            rows.append(_row(change, number, texts))
    return {
        "left": visible(report.left_name),
        "right": visible(report.right_name),
        "titles": titles,
        "roles": [visible(role) for role in report.scoping.roles] if report.scoping else [],
        "texts": list(texts.texts),
        "rows": rows,
    }


def _row(change: Change, group: int, texts: TextTable) -> list[object]:
    kind = sign(change)
    if change.relation is Relation.DIFFERS and change.kind is not ChangeKind.UNKNOWN:
        kind = {"added": "+", "removed": "-"}.get(change.kind.value, "~")
    return [
        group,
        change.id,
        texts(change.section),
        visible(change.key),
        fact_name(change),
        kind,
        *shown_values(change, limit=_VALUE_LIMIT),
        change.severity.rank,
        texts(change.rule),
        texts(visible(change.why)),
        visible(remedy(change)),
        texts(visible(change.explained_by)),
        texts(change.status.value),
        texts(visible(change.policy)),
        texts(change.moved.value if change.moved is not None else ""),
        [visible(role) for role in change.scope or ()],
        texts(visible(change.via)),
    ]
