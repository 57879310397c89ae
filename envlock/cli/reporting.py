"""Write a comparison in the requested formats, each to standard output or to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.errors import UsageError
from envlock.report.formats import FORMATS, Format, format_of_file
from envlock.report.input import Canvas, MatrixInput, PairInput
from envlock.report.wording import headline
from envlock.writing import write_output

_FILE_WIDTH = 100


class Destination(NamedTuple):
    """A report to write: its format, None to derive it from the file name, and the file.

    Without `path` it goes to standard output.
    """

    format: str | None
    path: Path | None


def write_reports(
    given: PairInput | MatrixInput, words: Sequence[str | Path] | None, console: Console
) -> None:
    """Write the reports requested by `words`, which are formats and files; text by default.

    When all of them go to files, the verdict is printed as a note.  Raise UsageError, before
    anything is written, if two reports have the same destination or a format cannot show this
    comparison; and if a file cannot be written.
    """
    wanted = _destinations(words or ())
    names = [str(one.path or "standard output") for one in wanted]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two reports would go to {name}",
                hint="give each --format an --output of its own",
            )
    texts = [(one.path, _rendered(one, given, console)) for one in wanted]
    for path, text in texts:
        if path is None:
            console.out(text)
        else:
            _write(path, text)
    if all(path is not None for path, _ in texts):
        verdict = headline(given.report)
        console.say(Message.REPORTS_WRITTEN, verdict=verdict, files=", ".join(names))


def _destinations(words: Sequence[str | Path]) -> list[Destination]:
    """Pair formats with files in the order of the command line.

    A file belongs to the format before it.  A single format and a single file may come in either
    order, and the name of a file without a format determines its format.
    """
    wanted: list[Destination] = []
    if len(words) == 2 and isinstance(words[0], Path):
        words = sorted(words, key=lambda word: isinstance(word, Path))
    for word in words:
        if not isinstance(word, Path):
            wanted.append(Destination(word, None))
        elif wanted and wanted[-1].path is None:
            wanted[-1] = wanted[-1]._replace(path=word)
        else:
            wanted.append(Destination(None, word))
    return wanted or [Destination(None, None)]


def _rendered(wanted: Destination, given: PairInput | MatrixInput, console: Console) -> str:
    suffix = wanted.path.suffix if wanted.path else ""
    row = FORMATS[wanted.format] if wanted.format else format_of_file(suffix)
    if not row.can_render(given):
        possible = [name for name, other in FORMATS.items() if other.can_render(given)]
        raise UsageError(
            f"--format {row.name} cannot show more than two environments",
            hint=f"the formats that can are {', '.join(possible)}",
        )
    return row.render(given._replace(canvas=_canvas(wanted, row, console)))


def _canvas(wanted: Destination, row: Format, console: Console) -> Canvas:
    if wanted.path is not None:
        return Canvas(_FILE_WIDTH, color=console.when == "always", ascii=False)
    if row.name != "text":
        console.use_utf8()
    return Canvas(console.width, color=console.color, ascii=not console.unicode)


def _write(path: Path, text: str) -> None:
    try:
        write_output(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write the report: {error.strerror}", where=str(path)) from error
