"""The tables of the page on scope."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_tables import code, paragraph, table

from envlock.scope.always import ALWAYS, VARIABLES
from envlock.scope.edges import EDGES
from envlock.scope.edges.dynamic import ROWS, Row
from envlock.scope.roots import ROOTS


def roots() -> Iterator[str]:
    """Yield the kinds of roots."""
    rows = ((f"`{form.written}`", form.begins, "; ".join(form.sources)) for form in ROOTS.values())
    yield from table(("root", "where it begins", "by"), rows)


def edges() -> Iterator[str]:
    """Yield the kinds of needs edges."""
    yield from table(
        ("edge", "what needs", "what", "what proves it", "by"),
        ((f"`{e.name}`", e.of, e.to, e.evidence, "; ".join(e.sources)) for e in EDGES),
    )


def dynamic() -> Iterator[str]:
    """Yield the known dynamic loading."""
    rows = ((row.subject, code(row.trigger.split()), _loaded(row), row.source) for row in ROWS)
    yield from table(("what", "trigger", "loaded or read", "by"), rows)


def _loaded(row: Row) -> str:
    found = code(path.replace("{here}", "…").replace("{prefix}", "…") for path in row.paths)
    looked_up = (
        paragraph(row.lookup.__doc__).removeprefix("Yield ").rstrip(".") if row.lookup else ""
    )
    records = ", ".join(dict.fromkeys(f"records of `{section}`" for section, _ in row.records))
    return "; ".join(filter(None, (found, looked_up, records)))


def always() -> Iterator[str]:
    """Yield the records that are in every closure."""
    rows = ((code([" ".join(filter(None, (row.section, row.key)))]), row.why) for row in ALWAYS)
    yield from table(("record", "why"), rows)


def variables() -> Iterator[str]:
    """Yield the variables that are in every closure."""
    yield code(VARIABLES)
