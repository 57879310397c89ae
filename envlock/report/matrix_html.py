"""Report of many environments as one HTML page: a column for each group that deviates from most.

It shares the page of a comparison of two (`envlock.report.html`) and its safety; only the rows
differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from envlock.diff.drift import Change, DriftReport
from envlock.model.severity import Severity
from envlock.report.html import STATIC_LIMIT, VERDICTS, TextTable, head, page, toolbar
from envlock.report.input import MatrixInput
from envlock.report.visible import visible
from envlock.report.wording import fact_name, remedy, section_title, shown_value, sign, subject

_VALUE_LIMIT = 500


class Column(NamedTuple):
    """A group of identical environments, with a name for the group."""

    name: str
    environments: tuple[str, ...]


class Deviation(NamedTuple):
    """Columns (by index) that have the same other value; `change` leads from most to them."""

    change: Change
    columns: tuple[int, ...]


class FindingRow(NamedTuple):
    """One fact that differs between the environments.

    `majority` is the value of most, None when most lack it; `agreeing` counts those environments.
    `missing` are columns (by index) that lack the whole record.  `deviations` is not empty.
    """

    majority: str | None
    agreeing: int
    deviations: tuple[Deviation, ...]
    missing: tuple[int, ...] = ()

    @property
    def lead(self) -> Change:
        """The most severe change."""
        return min((d.change for d in self.deviations), key=lambda change: change.severity.rank)


def render_matrix_html(given: MatrixInput) -> str:
    """Return the page of a comparison of many, to be written as UTF-8."""
    matrix = given.matrix
    number = {name: n for n, group in enumerate(matrix.groups) for name in group.environments}

    def columns(names: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({number[name] for name in names}))

    rows = [
        FindingRow(
            finding.majority,
            finding.agreeing,
            tuple(Deviation(o.change, columns(o.environments)) for o in finding.outliers),
            columns(finding.missing),
        )
        for finding in matrix.findings
    ]
    return matrix_page(matrix.report, [Column(*group) for group in matrix.groups], rows)


def matrix_page(report: DriftReport, columns: Sequence[Column], rows: Sequence[FindingRow]) -> str:
    """Return the page; `report` gives the verdict, the counts and the notes."""
    total = sum(len(column.environments) for column in columns)
    heading = f"{total:,} environments in {len(columns):,} groups"
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


def _deviating_columns(rows: Sequence[FindingRow]) -> list[int]:
    """Return the columns that differ from most in some row, in order."""
    found = {n for row in rows for deviation in row.deviations for n in deviation.columns}
    return sorted(found.union(*(row.missing for row in rows)))


def _legend(columns: Sequence[Column], rows: Sequence[FindingRow]) -> Iterator[str]:
    deviating = _deviating_columns(rows)
    yield '<ul class="kinds">'
    for position, number in enumerate(deviating):
        yield _legend_item(letter(position), columns[number])
    for number, column in enumerate(columns):
        if number not in deviating:
            yield _legend_item("=", column)
    yield "</ul>"


def _legend_item(mark: str, column: Column) -> str:
    name = escape(visible(column.name))
    if len(column.environments) < 2:
        return f"<li><b>{mark}</b> <code>{name}</code></li>"
    members = ", ".join(escape(visible(member)) for member in column.environments)
    return (
        f"<li><details><summary><b>{mark}</b> <code>{name}</code></summary>"
        f"<code>{members}</code></details></li>"
    )


def _static(rows: Sequence[FindingRow], columns: Sequence[Column]) -> Iterator[str]:
    """Yield the list for readers without JavaScript."""
    yield '<main id="findings" class="matrix" tabindex="-1">'
    if not rows:
        yield '<p class="empty">Nothing differs.</p>'
    yield '<section class="group"><ul>'
    for row in rows[:STATIC_LIMIT]:
        lead = row.lead
        most = _value(lead, row.majority) or "absent"
        others = "; ".join(
            f"{', '.join(escape(visible(columns[n].name)) for n in deviation.columns)}:"
            f" <code>{escape(_value(deviation.change, deviation.change.right) or 'absent')}</code>"
            for deviation in row.deviations
        )
        yield (
            f'<li class="static"><b class="pill {lead.severity.value}">{lead.severity.value}</b>'
            f" <code>{escape(subject(lead))}</code>: most <code>{escape(most)}</code>; {others}"
            f"<br><small>{escape(visible(lead.why))} [{escape(lead.rule)} {lead.id}]</small></li>"
        )
    yield "</ul></section>"
    rest = len(rows) - STATIC_LIMIT
    if rest > 0:
        yield f"<p>Enable JavaScript to see {rest:,} more findings.</p>"
    yield "</main>"
    yield '<footer><p id="legend"></p></footer>'


def _value(change: Change, text: str | None) -> str | None:
    return None if text is None else shown_value(change, text, limit=_VALUE_LIMIT)


def _data(columns: Sequence[Column], rows: Sequence[FindingRow]) -> dict[str, object]:
    deviating = _deviating_columns(rows)
    position = {number: index for index, number in enumerate(deviating)}
    texts = TextTable()
    listed = [_row(row, position, texts) for row in rows]
    return {
        "letters": [letter(index) for index in range(len(deviating))],
        "names": [visible(columns[number].name) for number in deviating],
        "titles": {row.lead.section: section_title(row.lead.section) for row in rows},
        "severities": [severity.value for severity in Severity],
        "texts": list(texts.texts),
        "rows": listed,
    }


def _row(row: FindingRow, position: dict[int, int], texts: TextTable) -> list[object]:
    lead = row.lead
    return [
        1 if lead.explained_by else 0,
        lead.id,
        texts(lead.section),
        visible(lead.key),
        fact_name(lead),
        lead.severity.rank,
        texts(lead.rule),
        texts(visible(lead.why)),
        visible(remedy(lead)),
        _value(lead, row.majority),
        row.agreeing,
        [
            [
                sign(deviation.change),
                _value(deviation.change, deviation.change.right),
                deviation.change.severity.rank,
                [position[number] for number in deviation.columns],
            ]
            for deviation in row.deviations
        ],
        [position[number] for number in row.missing],
    ]
