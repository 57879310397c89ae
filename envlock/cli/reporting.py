"""Write a report in the formats that were asked for, each to standard output or to a file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.console import Console
from envlock.errors import UsageError

if TYPE_CHECKING:
    from envlock.diff.drift import DriftReport

FORMATS = ("text", "json", "markdown", "html", "sarif", "junit", "github", "gitlab")
"""The formats that can be asked for."""

_SUFFIXES: Mapping[str, str] = {
    ".json": "json",
    ".md": "markdown",
    ".html": "html",
    ".sarif": "sarif",
    ".xml": "junit",
}

_FILE_WIDTH = 100
_FORMATS_HELP = "how to write the report (text); again, with --output, for several"


class Canvas(NamedTuple):
    """How text may look where it goes."""

    width: int
    color: bool
    ascii: bool


Renderer = Callable[[Canvas], str]


class Wanted(NamedTuple):
    """A report to write: its format, None for what the file's name says, and where to."""

    form: str | None
    path: Path | None


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


def write_reports(
    report: DriftReport,
    renderers: Mapping[str, Renderer],
    words: Sequence[str | Path] | None,
    console: Console,
) -> None:
    """Write the reports that `words`, formats and files, ask for; text, when there are none.

    `renderers` are the formats that this report has; `report` gives the line that is said when all
    of it went to files.  Raise UsageError when two go to one place or a format is not there, before
    anything is written, or when a file cannot be written.
    """
    wanted = _paired(words or ())
    names = [str(one.path or "standard output") for one in wanted]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two reports would go to {name}",
                hint="give each --format an --output of its own",
            )
    texts = [(one.path, _rendered(one, renderers, console)) for one in wanted]
    for path, text in texts:
        if path is None:
            console.out(text)
        else:
            _write(path, text)
    if all(path is not None for path, _ in texts):
        from envlock.report.wording import headline

        console.note(f"{headline(report)}; written: {', '.join(names)}")


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


def _rendered(wanted: Wanted, renderers: Mapping[str, Renderer], console: Console) -> str:
    form = wanted.form or _SUFFIXES.get(wanted.path.suffix if wanted.path else "", "text")
    if form not in renderers:
        raise UsageError(
            f"--format {form} cannot tell of this comparison",
            hint=f"it can be written as {', '.join(renderers)}",
        )
    if wanted.path is not None:
        canvas = Canvas(_FILE_WIDTH, color=console.when == "always", ascii=False)
    else:
        canvas = Canvas(console.width, color=console.color, ascii=not console.unicode)
        if form != "text":
            console.speak_utf8()
    return renderers[form](canvas)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is no file, such as a pipe, is written to."""
    path = Path(os.path.realpath(path))
    draft = path
    try:
        if not path.exists() or path.is_file():
            draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        draft.write_text(text, encoding="utf-8")
        if draft != path:
            draft.replace(path)
    except OSError as error:
        if draft != path:
            draft.unlink(missing_ok=True)
        raise UsageError(f"cannot write the report: {error.strerror}", where=str(path)) from error
