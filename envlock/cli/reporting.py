"""Write a report in the formats that were asked for, each to standard output or to a file."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.console import Console
from envlock.errors import UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.drift import DriftReport, Severity
    from envlock.report.place import LockText, Places

FILE_WIDTH = 100
"""Columns of a text report that goes to a file."""
_FORMATS_HELP = "how to write the report (text); again, with --output, for several"


class Wanted(NamedTuple):
    """A report to write: its format, None for what the file's name says, and where to."""

    form: str | None
    path: Path | None


class Drawing:
    """A report to be written: the verdict, what it was made from, and how much to show."""

    def __init__(
        self,
        report: DriftReport,
        operands: Sequence[str],
        config: Config,
        console: Console,
        *,
        full: bool = False,
        fail_on: Severity | None = None,
    ) -> None:
        self.report = report
        self.console = console
        self.full = full
        self.fail_on = fail_on
        self._operands = operands
        self._config = config

    @cached_property
    def places(self) -> Places:
        """Where the changes can be pointed at; read only for the formats that do."""
        from envlock.report.place import Places

        return Places(*(_lock_text(operand, self._config) for operand in self._operands[:2]))


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add ``--format``, ``--json`` and ``--output``, which may be repeated in pairs."""
    add = parser.add_argument
    add("--format", choices=FORMATS, action="append", dest="reports", help=_FORMATS_HELP)
    add("--json", action="append_const", const="json", dest="reports", help="JSON")
    add(
        "--output",
        metavar="FILE",
        type=Path,
        action="append",
        dest="reports",
        help="write the report of the --format before it to a file",
    )


def write_reports(drawing: Drawing, words: Sequence[str | Path] | None) -> None:
    """Write the reports that `words`, formats and files, ask for; text, when there are none.

    Raise UsageError as `write_texts`.
    """
    from envlock.report.wording import headline

    write_texts(
        words, lambda wanted: _rendered(drawing, wanted), drawing.console, headline(drawing.report)
    )


def write_texts(
    words: Sequence[str | Path] | None,
    render: Callable[[Wanted], str],
    console: Console,
    summary: str,
) -> None:
    """Write what `render` makes of each report that is asked for; say `summary` if none is shown.

    Raise UsageError when two go to one place, before anything is written, or when a file cannot
    be written.
    """
    wanted = _paired(words or ())
    names = [str(report.path or "standard output") for report in wanted]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two reports would go to {name}",
                hint="give each --format an --output of its own",
            )
    texts = [(report.path, render(report)) for report in wanted]
    for path, text in texts:
        if path is None:
            console.out(text)
        else:
            _write(path, text)
    if all(path is not None for path, _ in texts):
        console.note(f"{summary}; written: {', '.join(names)}")


def _paired(words: Sequence[str | Path]) -> list[Wanted]:
    """Return the reports that formats and files, as they were given, ask for.

    A file belongs to the format before it.  Of one format and one file the order does not matter,
    and a file without a format gets what its name says.
    """
    wanted: list[Wanted] = []
    if len(words) == 2 and isinstance(words[0], Path):
        words = sorted(words, key=lambda word: isinstance(word, Path))
    for word in words:
        if not isinstance(word, Path):
            wanted.append(Wanted(word, None))
        elif wanted and wanted[-1].path is None:
            wanted[-1] = wanted[-1]._replace(path=word)
        else:
            wanted.append(Wanted(None, word))
    return wanted or [Wanted(None, None)]


def form_of(wanted: Wanted) -> str:
    """Return the format asked for, or what the name of the file says."""
    suffix = wanted.path.suffix if wanted.path else ""
    return wanted.form or _SUFFIXES.get(suffix, "text")


def _rendered(drawing: Drawing, wanted: Wanted) -> str:
    form = form_of(wanted)
    if form != "text":
        if wanted.path is None:
            drawing.console.speak_utf8()
        return _RENDERERS[form](drawing)
    return _text(drawing, to_file=wanted.path is not None)


def _text(drawing: Drawing, *, to_file: bool) -> str:
    from envlock.report.text import render_text

    console = drawing.console
    return render_text(
        drawing.report,
        width=FILE_WIDTH if to_file else console.width,
        color=console.when == "always" if to_file else console.color,
        ascii=not (to_file or console.unicode),
        full=drawing.full,
    )


def _json(drawing: Drawing) -> str:
    from envlock.report.json import render_json

    return render_json(drawing.report)


def _markdown(drawing: Drawing) -> str:
    from envlock.report.markdown import COMMENT_LIMIT, SUMMARY_LIMIT, render_markdown

    limit = SUMMARY_LIMIT if drawing.full else COMMENT_LIMIT
    return render_markdown(drawing.report, limit=limit)


def _html(drawing: Drawing) -> str:
    from envlock.report.html import render_html

    return render_html(drawing.report)


def _sarif(drawing: Drawing) -> str:
    from envlock.report.sarif import render_sarif

    return render_sarif(drawing.report, drawing.places)


def _junit(drawing: Drawing) -> str:
    from envlock.report.junit import render_junit

    return render_junit(drawing.report, drawing.places, fail_on=drawing.fail_on)


def _gitlab(drawing: Drawing) -> str:
    from envlock.report.gitlab import render_gitlab

    return render_gitlab(drawing.report, drawing.places)


def _github(drawing: Drawing) -> str:
    from envlock.report.github import render_github

    return render_github(drawing.report, drawing.places)


_RENDERERS: Mapping[str, Callable[[Drawing], str]] = {
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "gitlab": _gitlab,
}
_SUFFIXES: Mapping[str, str] = {
    ".json": "json",
    ".md": "markdown",
    ".html": "html",
    ".sarif": "sarif",
    ".xml": "junit",
}

FORMATS = ("text", *_RENDERERS)
"""The formats that can be asked for."""


def _lock_text(operand: str, config: Config) -> LockText | None:
    from envlock.cli.operands import lock_path, read_lock_bytes
    from envlock.lockfile.lines import Lines
    from envlock.report.place import LockText
    from envlock.target.resolve import is_target

    if is_target(operand):
        return None
    lines = Lines.of(read_lock_bytes(operand, config))
    if operand.startswith("git:"):
        return LockText(_in_project(operand.split(":", 2)[2]), lines, is_current=False)
    return LockText(_in_project(str(lock_path(operand, config))), lines)


def _in_project(path: str) -> str:
    """Return a path from the root of the project, as the sites that hold it name its files."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    place = Path(os.path.normpath(here / path))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is no file, such as a pipe, is written to."""
    path = Path(os.path.realpath(path))
    draft = path
    try:
        if not path.exists() or path.is_file():
            draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.write_text(text, encoding="utf-8")
        if draft != path:
            draft.replace(path)
    except OSError as error:
        if draft != path:
            draft.unlink(missing_ok=True)
        raise UsageError(f"cannot write the report: {error.strerror}", where=str(path)) from error
