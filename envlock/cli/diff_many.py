"""The part of ``envlock diff`` for three and more environments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store, read_environment
from envlock.cli.reporting import Canvas, Renderer, write_reports
from envlock.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.engine import Options
    from envlock.diff.many.matrix import Matrix
    from envlock.lockfile.reader import ParsedTables
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.workflow import Progress

    OptionsOf = Callable[[argparse.Namespace, Config, Store], Options]

_MOST_TABLES = 200_000


def add_more(parser: argparse.ArgumentParser) -> None:
    """Add operands beyond two."""
    parser.add_argument("more", nargs="*", metavar="MORE", help="any number of further ones")
    parser.set_defaults(rest="more")


def run_fleet(
    arguments: argparse.Namespace, config: Config, console: Console, options_of: OptionsOf
) -> int:
    """Compare all operands, write the matrix, return the status that policy gives it."""
    from envlock.diff.drift import Result, Severity, exceeds

    if arguments.base or arguments.write_baseline or arguments.update_baseline:
        raise UsageError("a base or baseline is for two environments", hint="compare them in pairs")
    operands = (arguments.left, arguments.right, *arguments.more)
    with open_store(config) as store, console.progress("comparing") as steps:
        options = options_of(arguments, config, store)
        matrix = compare_all(operands, config, options, store, steps)
    renderers = matrix_renderers(matrix, full=arguments.all)
    write_reports(matrix.report, renderers, arguments.reports, console)
    if any(change.section == "tree" for change in matrix.report.changes):
        two = " ".join(operands[:2])
        console.note(f"which files of the trees differ is told of two: envlock diff {two}")
    if arguments.exit_zero:
        return ExitStatus.OK
    if matrix.report.result is Result.INCONCLUSIVE:
        return ExitStatus.INCONCLUSIVE
    level = None if arguments.fail_on == "never" else Severity(config.diff.fail_on)
    return ExitStatus.DRIFT if exceeds(matrix.report, level) else ExitStatus.OK


def compare_all(
    operands: Sequence[str], config: Config, options: Options, store: Store, progress: Progress
) -> Matrix:
    """Read environments one after another and compare them."""
    from envlock.diff.many.consensus import SectionPool
    from envlock.diff.many.matrix import compare_many

    known: ParsedTables = {}
    pool = SectionPool()
    locks: dict[str, Lock] = {}
    for operand, name in names_of(operands).items():
        lock = read_environment(operand, config, store, progress, known).lock
        locks[name] = pool.share(lock)
        if len(known) > _MOST_TABLES:
            known.clear()  # locks so unlike each other gain little by it
    return compare_many(locks, options)


def matrix_renderers(matrix: Matrix, *, full: bool) -> Mapping[str, Renderer]:
    """Return what writes each format that can tell of more than two environments."""

    def text(canvas: Canvas) -> str:
        from envlock.report.matrix import render_matrix

        return render_matrix(
            matrix, width=canvas.width, color=canvas.color, ascii=canvas.ascii, full=full
        )

    def json(_canvas: Canvas) -> str:
        from envlock.report.matrix_json import render_matrix_json

        return render_matrix_json(matrix)

    def html(_canvas: Canvas) -> str:
        from envlock.report.matrix_html import render_matrix_page

        return render_matrix_page(matrix)

    return {"text": text, "json": json, "html": html}


def names_of(operands: Sequence[str]) -> dict[str, str]:
    """Return a short name for each operand: of a lockfile its own, unless two share it."""
    short = {operand: _short(operand) for operand in operands}
    taken = list(short.values())
    return {o: name if taken.count(name) == 1 else o for o, name in short.items()}


def _short(operand: str) -> str:
    is_file = operand.endswith(".lock") and not operand.startswith("git:")
    return PurePath(operand).name.removesuffix(".lock") or operand if is_file else operand
