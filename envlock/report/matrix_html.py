"""Many environments as one page: what most have, and a column for those that have something else.

The page is that of a comparison of two (`envlock.report.html`), and as safe; only its rows differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from envlock.diff.drift import Change, DriftReport, Severity
from envlock.diff.many.matrix import Matrix
from envlock.report.html import STATIC_LIMIT, VERDICTS, Pool, head, page, toolbar
from envlock.report.visible import visible
from envlock.report.wording import fact_name, section_title, shown_value, sign, subject

_VALUE_LIMIT = 500


class Column(NamedTuple):
    """Environments that are alike in everything, and what they are called together."""

    name: str
    environments: tuple[str, ...]


class Odd(NamedTuple):
    """Columns, by number, that have what most have not; `change` leads from most to them."""

    change: Change
    columns: tuple[int, ...]


class Row(NamedTuple):
    """One fact that not all have alike.

    `majority` is what most have, None when most lack it; `agreeing` counts those environments.
    `missing` are columns, by number, that lack the whole record.  `odd` is not empty.
    """

    majority: str | None
    agreeing: int
    odd: tuple[Odd, ...]
    missing: tuple[int, ...] = ()

    @property
    def lead(self) -> Change:
        """The most severe change."""
        return min((odd.change for odd in self.odd), key=lambda change: change.severity.rank)


def render_matrix_page(matrix: Matrix) -> str:
    """Return `matrix` as a page in UTF-8."""
    number = {name: n for n, group in enumerate(matrix.groups) for name in group.environments}

    def columns(names: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({number[name] for name in names}))

    rows = [
        Row(
            finding.majority,
            finding.agreeing,
            tuple(Odd(odd.change, columns(odd.environments)) for odd in finding.outliers),
            columns(finding.missing),
        )
        for finding in matrix.findings
    ]
    return render_matrix_html(matrix.report, [Column(*group) for group in matrix.groups], rows)


def render_matrix_html(report: DriftReport, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Return a page in UTF-8; `report` gives the verdict, the counts and the notes."""
    total = sum(len(column.environments) for column in columns)
    heading = f"{total:,} environments, {len(columns):,} kinds"
    ordered = sorted(rows, key=lambda row: row.lead.severity.rank)
    body = [*head(report, heading), *_legend(columns, rows), *toolbar(), *_static(ordered, columns)]
    title = f"{VERDICTS[report.result]}: {heading}"
    data = _data(columns, ordered)
    return page(title, body, data, scripts=("matrix.js", "page.js"))


def letter(number: int) -> str:
    """Return the name of a column as in a spreadsheet: A to Z, then AA."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _odd_columns(rows: Sequence[Row]) -> list[int]:
    """Return the columns that some row tells of, in order."""
    found = {n for row in rows for odd in row.odd for n in odd.columns}
    return sorted(found.union(*(row.missing for row in rows)))


def _legend(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[str]:
    odd = _odd_columns(rows)
    yield '<ul class="kinds">'
    for place, number in enumerate(odd):
        yield _kind(letter(place), columns[number])
    for number, column in enumerate(columns):
        if number not in odd:
            yield _kind("=", column)
    yield "</ul>"


def _kind(mark: str, column: Column) -> str:
    name = escape(visible(column.name))
    if len(column.environments) < 2:
        return f"<li><b>{mark}</b> <code>{name}</code></li>"
    members = ", ".join(escape(visible(member)) for member in column.environments)
    return (
        f"<li><details><summary><b>{mark}</b> <code>{name}</code></summary>"
        f"<code>{members}</code></details></li>"
    )


def _static(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[str]:
    """Yield the list that is there without JavaScript."""
    yield '<main id="findings" class="matrix" tabindex="-1">'
    if not rows:
        yield '<p class="empty">Nothing differs.</p>'
    yield '<section class="group"><ul>'
    for row in rows[:STATIC_LIMIT]:
        lead = row.lead
        most = _value(lead, row.majority) or "absent"
        others = "; ".join(
            f"{', '.join(escape(visible(columns[n].name)) for n in odd.columns)}:"
            f" <code>{escape(_value(odd.change, odd.change.right) or 'absent')}</code>"
            for odd in row.odd
        )
        yield (
            f'<li class="static"><b class="pill {lead.severity.value}">{lead.severity.value}</b>'
            f" <code>{escape(subject(lead))}</code>: most <code>{escape(most)}</code>; {others}"
            f"<br><small>{escape(visible(lead.why))} [{escape(lead.rule)} {lead.id}]</small></li>"
        )
    yield "</ul></section>"
    rest = len(rows) - STATIC_LIMIT
    if rest > 0:
        yield f"<p>{rest:,} more findings are shown with JavaScript.</p>"
    yield "</main>"
    yield '<footer><p id="legend"></p></footer>'


def _value(change: Change, text: str | None) -> str | None:
    return None if text is None else shown_value(change, text, limit=_VALUE_LIMIT)


def _data(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, object]:
    odd = _odd_columns(rows)
    place = {number: position for position, number in enumerate(odd)}
    pool = Pool()
    listed = [_row(row, place, pool) for row in rows]
    return {
        "letters": [letter(position) for position in range(len(odd))],
        "names": [visible(columns[number].name) for number in odd],
        "titles": {row.lead.section: section_title(row.lead.section) for row in rows},
        "severities": [severity.value for severity in Severity],
        "texts": list(pool.texts),
        "rows": listed,
    }


def _row(row: Row, place: dict[int, int], pool: Pool) -> list[object]:
    lead = row.lead
    return [
        1 if lead.explained_by else 0,
        lead.id,
        pool(lead.section),
        visible(lead.key),
        fact_name(lead),
        lead.severity.rank,
        pool(lead.rule),
        pool(visible(lead.why)),
        visible(lead.fix),
        _value(lead, row.majority),
        row.agreeing,
        [
            [
                sign(odd.change),
                _value(odd.change, odd.change.right),
                odd.change.severity.rank,
                [place[number] for number in odd.columns],
            ]
            for odd in row.odd
        ],
        [place[number] for number in row.missing],
    ]
