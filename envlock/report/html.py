"""The report to send to someone: one page that needs no network, no program and no script.

Every value is escaped; the changes are embedded as JSON that cannot end its own element, and the
page's script only ever sets text.  A content security policy admits this script and this style by
digest and nothing else, no request and no injected markup.  Without JavaScript the page is a list
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

from envlock.diff.drift import Change, ChangeKind, DriftReport, Result, Severity
from envlock.report.visible import visible
from envlock.report.wording import (
    Parts,
    fact_name,
    remarks,
    section_title,
    shown_value,
    sign,
    subject,
    worst_first,
)
from envlock.versions.relation import Relation

STATIC_LIMIT = 500
"""Changes of the list that is there without JavaScript."""

_VALUE_LIMIT = 2_000
VERDICTS: Mapping[Result, str] = {
    Result.EQUAL: "Equal",
    Result.DRIFT: "Drift",
    Result.INCONCLUSIVE: "Inconclusive",
}


def render_html(report: DriftReport) -> str:
    """Return `report` as a page in UTF-8."""
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
    """Return a page that carries its style, its script and the `data` that the script shows."""
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
    """Return `data` as JSON in which nothing can end the element or open another."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def head(report: DriftReport, heading: str) -> Iterator[str]:
    """Yield the verdict, with `heading` as markup beside it, the counts and the notes."""
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
    notes = remarks(report)
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        yield f'<ul class="notes">{items}</ul>'


def _ring(parity: float) -> str:
    # Of a circumference of 100; never drawn whole unless all is equal.
    shown = 100 if parity >= 100 else min(99, floor(parity))
    return (
        f'<figure class="ring"><svg viewBox="0 0 36 36" role="img" aria-label="{parity:g} % equal">'
        '<circle class="track" cx="18" cy="18" r="15.915"/>'
        f'<circle class="part" cx="18" cy="18" r="15.915" stroke-dasharray="{shown} 100"/></svg>'
        f"<figcaption><b>{parity:g} %</b>equal</figcaption></figure>"
    )


def toolbar() -> Iterator[str]:
    """Yield search, filters and switches, hidden until the script makes them work."""
    yield '<div class="toolbar" id="toolbar" hidden>'
    yield (
        '<input type="search" id="search" placeholder="Search names, values, rules  ( / )"'
        ' aria-label="Search" autocomplete="off" spellcheck="false">'
    )
    yield '<select id="section" aria-label="Section"></select>'
    for name in ("folded", "covered"):
        yield f'<label id="{name}-label" hidden><input type="checkbox" id="{name}">'
        yield "<span></span></label>"
    yield '<button type="button" id="toggle">Collapse all</button>'
    yield '<button type="button" id="theme" aria-label="Light or dark">◐</button>'
    yield '<output id="shown" aria-live="polite"></output>'
    yield "</div>"


def _static(report: DriftReport) -> Iterator[str]:
    """Yield the list that is there without JavaScript: the worst changes, by section."""
    parts = Parts.of(report)
    worst = worst_first(parts.listed)[:STATIC_LIMIT]
    yield '<main id="findings" tabindex="-1">'
    if not report.changes:
        yield '<p class="empty">Nothing differs.</p>'
    for section, changes in groupby(_by_section(worst), lambda change: change.section):
        yield f'<section class="group"><h2>{escape(section_title(section))}</h2><ul>'
        yield from (_static_row(change) for change in changes)
        yield "</ul></section>"
    rest = len(report.changes) - len(worst)
    if rest:
        yield f"<p>{rest:,} more changes are shown with JavaScript.</p>"
    yield "</main>"
    yield '<footer><p id="legend"></p></footer>'


def _by_section(changes: Sequence[Change]) -> list[Change]:
    """Return the changes by section, that with the worst change first."""
    order: dict[str, int] = {}
    for change in changes:
        order.setdefault(change.section, len(order))
    return sorted(changes, key=lambda change: order[change.section])


def _static_row(change: Change) -> str:
    values = [
        f"<code>{escape(_value(change, text) or '')}</code>"
        for text in (change.left, change.right)
        if text is not None
    ]
    why = escape(visible(change.why))
    fix = f" Fix: {escape(visible(change.fix))}" if change.fix else ""
    return (
        f'<li class="static"><b class="pill {change.severity.value}">{change.severity.value}</b>'
        f" {sign(change)} <code>{escape(subject(change))}</code>: {' → '.join(values)}"
        f"<br><small>{why}.{fix} [{escape(change.rule)} {change.id}]</small></li>"
    )


def _value(change: Change, text: str | None) -> str | None:
    return None if text is None else shown_value(change, text, limit=_VALUE_LIMIT)


class Pool:
    """Texts that many rows share, written once and referred to by number."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number of `text`."""
        return self.texts.setdefault(text, len(self.texts))


def _data(report: DriftReport) -> dict[str, object]:
    """Return what the script shows: changes as rows of values and of numbers in `texts`."""
    parts = Parts.of(report)
    pool = Pool()
    titles: dict[str, str] = {}
    rows: list[list[object]] = []
    groups = (
        parts.listed,
        [change for found in parts.folded.values() for change in found],
        parts.covered,
    )
    for part, changes in enumerate(groups):
        for change in worst_first(changes):
            titles.setdefault(change.section, section_title(change.section))
            rows.append(_row(change, part, pool))
    return {
        "left": visible(report.left_name),
        "right": visible(report.right_name),
        "titles": titles,
        "texts": list(pool.texts),
        "rows": rows,
    }


def _row(change: Change, part: int, pool: Pool) -> list[object]:
    kind = sign(change)
    if change.relation is Relation.DIFFERS and change.kind is not ChangeKind.UNKNOWN:
        kind = {"added": "+", "removed": "-"}.get(change.kind.value, "~")
    return [
        part,
        change.id,
        pool(change.section),
        visible(change.key),
        fact_name(change),
        kind,
        _value(change, change.left),
        _value(change, change.right),
        change.severity.rank,
        pool(change.rule),
        pool(visible(change.why)),
        visible(change.fix),
        pool(visible(change.explained_by)),
        pool(change.status.value),
        pool(visible(change.policy)),
        pool(change.moved.value if change.moved is not None else ""),
    ]
