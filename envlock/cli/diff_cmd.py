"""``envlock diff``: what differs between two environments."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store, read_environment
from envlock.cli.options import add_lock, read_config
from envlock.cli.pair import Pair
from envlock.cli.reporting import add_reports, write_reports
from envlock.errors import ExitStatus

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.engine import Options
    from envlock.lockfile.reader import Known
    from envlock.store.objects import Store

_LEVELS = ("critical", "high", "medium", "low", "info", "never")
_DESCRIPTION = """\
Compare two environments: lockfiles, names, git revisions, or targets captured on the spot.

Ends with 0 when nothing at or above --fail-on differs, with 1 when something does, with 3 when a
required section was not covered on one side. What could not be looked at is unknown, never removed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    add_lock(parser, "left")
    add_lock(parser, "right")
    add_reports(parser)
    parser.add_argument("--fail-on", choices=_LEVELS, help="least severity that ends with 1")
    parser.add_argument(
        "--section", action="append", default=[], metavar="S", help="compare only this section"
    )
    parser.add_argument(
        "--all", action="store_true", help="show noisy classes of files and every line"
    )
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever differs")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, write the report, return the status that policy gives it."""
    from envlock.diff.drift import Result, Severity, exceeds
    from envlock.workflow import compare_environments

    flags = {"diff.fail-on": arguments.fail_on} if arguments.fail_on not in (None, "never") else {}
    config = read_config(arguments, console, flags)
    with open_store(config) as store, console.progress("comparing") as steps:
        known: Known = {}
        left = read_environment(arguments.left, config, store, steps, known)
        right = read_environment(arguments.right, config, store, steps, known)
        options = _options(arguments, config, store)
        report = compare_environments(left, right, options, store)
    level = None if arguments.fail_on == "never" else Severity(config.diff.fail_on)
    operands = (arguments.left, arguments.right)
    pair = Pair(report, operands, config, full=arguments.all, fail_on=level)
    write_reports(report, pair.renderers(), arguments.reports, console)
    if arguments.exit_zero:
        return ExitStatus.OK
    if report.result is Result.INCONCLUSIVE:
        return ExitStatus.INCONCLUSIVE
    return ExitStatus.DRIFT if exceeds(report, level) else ExitStatus.OK


def _options(arguments: argparse.Namespace, config: Config, store: Store) -> Options:
    from envlock.diff.engine import Options
    from envlock.workflow import reader_of

    return Options(
        sections=frozenset(arguments.section),
        ignore=tuple(config.diff.ignore),
        all=arguments.all,
        require=frozenset(config.diff.require),
        contents=reader_of(store),
        redact=_disclose,
    )


def _disclose(name: str, value: str) -> str:
    # Most comparisons show no setting, and the patterns of secrets take their time to compile.
    from envlock.capture.disclose import disclose

    return disclose(name, value)
