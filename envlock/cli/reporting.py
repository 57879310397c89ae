"""Write a report in one of its formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.errors import UsageError

if TYPE_CHECKING:
    from envlock.diff.drift import DriftReport


def write_report(report: DriftReport, form: str, console: Console, *, full: bool = False) -> None:
    """Write `report` to standard output."""
    console.out(_RENDERERS[form](report, console, full))


def rendered(report: DriftReport, form: str, console: Console, *, full: bool = False) -> str:
    """Return `report` in the format `form`."""
    return _RENDERERS[form](report, console, full)


def write_text(path: Path, text: str) -> None:
    """Write a report to a file.  Raise UsageError when it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the report: {error.strerror}", where=str(path)) from error


def _text(report: DriftReport, console: Console, full: bool) -> str:
    from envlock.report.text import render_text

    return render_text(
        report, width=console.width, color=console.color, ascii=not console.unicode, full=full
    )


def _json(report: DriftReport, _console: Console, _full: bool) -> str:
    from envlock.report.json import render_json

    return render_json(report)


_RENDERERS: Mapping[str, Callable[[DriftReport, Console, bool], str]] = {
    "text": _text,
    "json": _json,
}

FORMATS = tuple(_RENDERERS)
"""The formats that can be asked for."""
