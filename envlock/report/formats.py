"""The table of report formats: one row a format.

A row names its renderers by module, and a renderer is imported when its format is asked for: a
comparison that prints text does not load the HTML page.  A new format is one module with a
`render_...` function of a `PairInput`, a `MatrixInput` or both, and one row of `FORMATS`; then run
``scripts/generate-docs`` and ``ENVLOCK_REGOLD=1 pytest tests/unit/report`` to write its line in
docs/how-to/share-a-report.md and its golden file, and read both.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from envlock.report.input import MatrixInput, PairInput


class Format(NamedTuple):
    """One format: its name, what it is for, and the functions that write it.

    `suffix` is the end of a file's name that selects the format, empty for none.  `pair` and `many`
    are ``module:function`` below `envlock.report`, None where the format cannot show two
    environments, or more than two.  `used_for` and `holds` are its row in the documentation.
    """

    name: str
    suffix: str
    pair: str | None
    many: str | None
    used_for: str
    holds: str

    def can_render(self, given: PairInput | MatrixInput) -> bool:
        """True when the format can show this comparison."""
        return self._renderer(given) is not None

    def render(self, given: PairInput | MatrixInput) -> str:
        """Return the comparison in this format.  Raise ValueError when it cannot show it."""
        name = self._renderer(given)
        if name is None:
            raise ValueError(f"the format {self.name} cannot show this comparison")
        from envlock.report.disclosure import disclosed

        module, _, function = name.partition(":")
        renderer = getattr(import_module(f"envlock.report.{module}"), function)
        return str(renderer(disclosed(given)))

    def _renderer(self, given: PairInput | MatrixInput) -> str | None:
        return self.many if given.is_many else self.pair


FORMATS: Mapping[str, Format] = {
    row.name: row
    for row in (
        Format(
            name="text",
            suffix="",
            pair="text:render_text",
            many="matrix:render_matrix",
            used_for="a terminal",
            holds="the most severe first, long lists cut; `--all` lists everything with ids",
        ),
        Format(
            name="json",
            suffix=".json",
            pair="json:render_json",
            many="matrix_json:render_matrix_json",
            used_for="programs",
            holds="everything, by a [schema](../reference/command-line.md#json-documents)",
        ),
        Format(
            name="html",
            suffix=".html",
            pair="html:render_html",
            many="matrix_html:render_matrix_html",
            used_for="people without envlock",
            holds="everything, in one page that works offline",
        ),
        Format(
            name="markdown",
            suffix=".md",
            pair="markdown:render_markdown",
            many=None,
            used_for="comments on pull requests, job summaries",
            holds="the most severe first, cut at 60 kB; with `--all` at 1 MB",
        ),
        Format(
            name="sarif",
            suffix=".sarif",
            pair="sarif:render_sarif",
            many=None,
            used_for="code scanning",
            holds="everything except what follows from another finding; what policy covers is "
            "suppressed",
        ),
        Format(
            name="junit",
            suffix=".xml",
            pair="junit:render_junit",
            many=None,
            used_for="test dashboards",
            holds="everything; a test case fails when the exit status counts it",
        ),
        Format(
            name="github",
            suffix="",
            pair="github:render_github",
            many=None,
            used_for="annotations in a GitHub job",
            holds="nine of each level, and the number of the others",
        ),
        Format(
            name="gitlab",
            suffix="",
            pair="gitlab:render_gitlab",
            many=None,
            used_for="the code quality widget of GitLab",
            holds="what counts: not covered by policy, and not following from another finding",
        ),
    )
}
"""Every format by its name, in the order in which help and documentation list them."""


def format_of_file(suffix: str) -> Format:
    """Return the format that the end of a file's name selects, text for an unknown one."""
    return next(
        (row for row in FORMATS.values() if suffix and row.suffix == suffix), FORMATS["text"]
    )
