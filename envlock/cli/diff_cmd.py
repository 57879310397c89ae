"""``envlock diff``: what differs between two environments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.diff_many import add_more, run_fleet
from envlock.cli.operands import chosen_sections, open_store, read_environment, tell_live
from envlock.cli.options import add_lock
from envlock.cli.pair import Pair
from envlock.cli.policy_options import add_policy, make_policy, read_policy_config, today_of
from envlock.cli.reporting import add_reports, write_reports
from envlock.errors import ExitStatus, UsageError
from envlock.model.facts import section_names

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.drift import DriftReport
    from envlock.diff.engine import Options
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store
    from envlock.workflow import Environment

_LEVELS = ("critical", "high", "medium", "low", "info", "never")
_DESCRIPTION = """\
Compare two environments: lockfiles, names, git revisions, or targets captured on the spot.

Ends with 0 when nothing at or above --fail-on differs, with 1 when something does, with 3 when a
required section was not covered on one side. What could not be looked at is unknown, never removed.
What envlock.toml ignores, expects or waives acts before any format is written.

Of three and more environments each is compared with what most of them have.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    add_lock(parser, "left")
    add_lock(parser, "right")
    add_more(parser)
    add_reports(parser)
    parser.add_argument("--fail-on", choices=_LEVELS, help="least severity that ends with 1")
    parser.add_argument(
        "--section",
        action="append",
        default=[],
        metavar="S",
        help="compare only this section; may be given again",
    )
    parser.add_argument(
        "--all", action="store_true", help="show noisy classes of files and every line"
    )
    parser.add_argument("--base", metavar="LOCK", help="what was before both: tell who moved")
    add_policy(parser)
    parser.add_argument(
        "--write-baseline", action="store_true", help="begin the baseline with all that differs"
    )
    parser.add_argument(
        "--update-baseline", action="store_true", help="drop from the baseline what is gone"
    )
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever differs")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, write the report, return the status that policy gives it."""
    from envlock.diff.drift import Result, Severity, exceeds
    from envlock.workflow import compare_environments

    flags = {"diff.fail-on": arguments.fail_on} if arguments.fail_on not in (None, "never") else {}
    config = read_policy_config(arguments, console, flags)
    arguments.section = chosen_sections(arguments.section, section_names())
    _check_baseline(arguments, config)
    operands = (arguments.left, arguments.right)
    tell_live((*operands, *arguments.more), config, console)
    if arguments.more:
        return run_fleet(arguments, config, console, _options)
    with open_store(config) as store, console.progress("comparing") as steps:
        known: ParsedTables = {}
        left = read_environment(arguments.left, config, store, steps, known)
        right = read_environment(arguments.right, config, store, steps, known)
        base = arguments.base and read_environment(arguments.base, config, store, steps, known)
        options = _options(arguments, config, store)
        report = compare_environments(left, right, options, store, base or None)
        if options.bind:
            report = _keep_baseline(arguments, report, options, (left, right), console)
    level = None if arguments.fail_on == "never" else Severity(config.diff.fail_on)
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
        sections=arguments.section,
        ignore=tuple(config.diff.ignore),
        all=arguments.all,
        require=frozenset(config.diff.require),
        contents=reader_of(store),
        redact=_disclose,
        policy=make_policy(config, today_of(arguments), may_begin=arguments.write_baseline),
        bind=arguments.write_baseline or arguments.update_baseline,
    )


def _check_baseline(arguments: argparse.Namespace, config: Config) -> None:
    """Raise UsageError when the baseline cannot be changed as asked."""
    if not (arguments.write_baseline or arguments.update_baseline):
        return
    if arguments.write_baseline and arguments.update_baseline:
        raise UsageError("a baseline is begun or updated, not both")
    if arguments.section:
        raise UsageError("a baseline is of all sections", where="--section")
    if not config.diff.baseline:
        raise UsageError("there is no baseline to write", hint="name a file with --baseline FILE")
    if config.diff.baseline.startswith("git:"):
        raise UsageError("a baseline in git cannot be changed", where=config.diff.baseline)


def _keep_baseline(
    arguments: argparse.Namespace,
    report: DriftReport,
    options: Options,
    sides: tuple[Environment, Environment],
    console: Console,
) -> DriftReport:
    """Begin the baseline, or drop from it what is gone; return the report as it judges then."""
    from dataclasses import replace

    from envlock.diff.policy.apply_waivers import reapply_waivers
    from envlock.diff.policy.baseline import can_be_accepted, render_baseline
    from envlock.lockfile.writer import replace_file

    left, right = (side.known_as or side.name for side in sides)
    before = options.policy.baseline
    if arguments.write_baseline:
        counted = [c for c in report.changes if c.status.counts and can_be_accepted(c)]
        baseline = before.begin((left, right), counted)
        done = f"{len(counted)} differences accepted"
    else:
        gone = before.missing(report.changes, (left, right))
        baseline = before.without(gone)
        done = f"{len(gone)} differences dropped" if gone else "nothing to drop"
    if baseline != before:
        try:
            replace_file(Path(before.where), render_baseline(baseline))
        except OSError as error:
            raise UsageError(
                f"cannot write the baseline: {error.strerror}", where=before.where
            ) from error
    console.note(f"{before.where}: {done}")
    return reapply_waivers(report, replace(options.policy, baseline=baseline), (left, right))


def _disclose(name: str, value: str) -> str:
    # Most comparisons show no setting, and the patterns of secrets take their time to compile.
    from envlock.secrets.disclose import disclose

    return disclose(name, value)
