"""``envlock diff``: compare two environments, or more."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.diff_many import compare_many_operands
from envlock.cli.fetching import bring_content
from envlock.cli.lock_texts import read_lock_texts
from envlock.cli.messages import Message
from envlock.cli.operands import (
    chosen_sections,
    note_live_targets,
    open_store,
    read_environment,
)
from envlock.cli.pair_operands import read_pair
from envlock.cli.policy_options import make_policy, read_policy_config, today_of
from envlock.cli.reporting import write_reports
from envlock.diff.drift import DriftReport, Result, exceeds
from envlock.diff.engine import Options
from envlock.diff.policy.apply_waivers import reapply_waivers
from envlock.diff.policy.baseline import Baseline, can_be_accepted, render_baseline
from envlock.errors import ExitStatus, UsageError
from envlock.model.facts import section_names
from envlock.model.severity import Severity
from envlock.report.input import MatrixInput, PairInput
from envlock.targets.stream.layer_shelf import layers_shared
from envlock.workflow import Environment, compare_environments, reader_of
from envlock.writing import write_output

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, write the reports, and return the status that policy determines."""
    flags = {"diff.fail-on": arguments.fail_on} if arguments.fail_on not in (None, "never") else {}
    config = read_policy_config(arguments, console, flags)
    arguments.section = chosen_sections(arguments.section, section_names())
    _check_baseline_options(arguments, config)
    level = None if arguments.fail_on == "never" else Severity(config.diff.fail_on)
    operands = (arguments.left, arguments.right, *arguments.more)
    note_live_targets(operands, config, console)
    with layers_shared():
        if arguments.more:
            report = _run_many(arguments, operands, config, console)
        else:
            report = _run_pair(arguments, config, level, console)
    if arguments.exit_zero:
        return ExitStatus.OK
    if report.result is Result.INCONCLUSIVE:
        return ExitStatus.INCONCLUSIVE
    return ExitStatus.DRIFT if exceeds(report, level) else ExitStatus.OK


def _run_pair(
    arguments: argparse.Namespace, config: Config, level: Severity | None, console: Console
) -> DriftReport:
    operands = (arguments.left, arguments.right)
    with open_store(config) as store, console.progress("comparing") as steps:
        known: ParsedTables = {}
        left, right = read_pair(
            operands, config, store, steps, known, roots=arguments.root, whole=arguments.whole
        )
        base = arguments.base and read_environment(arguments.base, config, store, steps, known)
        if arguments.all or left.lock.get("tree") != right.lock.get("tree"):
            for side in filter(None, (left, right, base)):
                if side.tree is None:
                    bring_content(side.name, side.lock, config, store, console)
        options = _options(arguments, config, store)
        report = compare_environments(
            left, right, options, store, base or None, whole=arguments.whole
        )
        if options.bind:
            report = _write_baseline(arguments, report, options, (left, right), console)
    given = PairInput(
        report,
        full=arguments.all,
        fail_on=level,
        locks=partial(read_lock_texts, operands, config),
    )
    write_reports(given, arguments.reports, console)
    return report


def _run_many(
    arguments: argparse.Namespace, operands: tuple[str, ...], config: Config, console: Console
) -> DriftReport:
    if arguments.base or arguments.write_baseline or arguments.update_baseline:
        raise UsageError(
            "--base and baselines are for two environments only", hint="compare them in pairs"
        )
    with open_store(config) as store, console.progress("comparing") as steps:
        options = _options(arguments, config, store)
        matrix = compare_many_operands(
            operands,
            config,
            options,
            store,
            steps,
            roots=arguments.root,
            whole=arguments.whole,
        )
    write_reports(MatrixInput(matrix, full=arguments.all), arguments.reports, console)
    if any(change.section == "tree" for change in matrix.report.changes):
        console.say(Message.TREES_DIFFER, left=operands[0], right=operands[1])
    return matrix.report


def _options(arguments: argparse.Namespace, config: Config, store: Store) -> Options:
    return Options(
        sections=arguments.section,
        ignore=tuple(config.diff.ignore),
        all=arguments.all,
        require=frozenset(config.diff.require),
        contents=reader_of(store),
        redact=_disclose,
        policy=make_policy(config, today_of(arguments), may_create=arguments.write_baseline),
        bind=arguments.write_baseline or arguments.update_baseline,
    )


def _check_baseline_options(arguments: argparse.Namespace, config: Config) -> None:
    """Raise UsageError when the baseline cannot be written as requested."""
    if not (arguments.write_baseline or arguments.update_baseline):
        return
    if arguments.write_baseline and arguments.update_baseline:
        raise UsageError("give --write-baseline or --update-baseline, not both")
    if arguments.section:
        raise UsageError("a baseline always covers all sections", where="--section")
    if not config.diff.baseline:
        raise UsageError("no baseline file is set", hint="name one with --baseline FILE")
    if config.diff.baseline.startswith("git:"):
        raise UsageError(
            "a baseline at a git revision cannot be changed", where=config.diff.baseline
        )


def _write_baseline(
    arguments: argparse.Namespace,
    report: DriftReport,
    options: Options,
    sides: tuple[Environment, Environment],
    console: Console,
) -> DriftReport:
    """Create the baseline or remove what no longer exists; return the report judged by the new one.

    Raise UsageError when the file cannot be written.
    """
    left, right = (side.policy_name or side.name for side in sides)
    before = options.policy.baseline
    path = before.where
    if arguments.write_baseline:
        accepted = [c for c in report.changes if c.counts and can_be_accepted(c)]
        baseline = before.begin((left, right), accepted)
        _replace_baseline(baseline, path)
        console.say(Message.BASELINE_CREATED, path=path, count=len(accepted))
    elif gone := before.missing(report.changes, (left, right)):
        baseline = before.without(gone)
        _replace_baseline(baseline, path)
        console.say(Message.BASELINE_REDUCED, path=path, count=len(gone))
    else:
        baseline = before
        console.say(Message.BASELINE_CURRENT, path=path)
    return reapply_waivers(report, replace(options.policy, baseline=baseline), (left, right))


def _replace_baseline(baseline: Baseline, path: str) -> None:
    try:
        write_output(Path(path), render_baseline(baseline))
    except OSError as error:
        raise UsageError(f"cannot write the baseline: {error.strerror}", where=path) from error


def _disclose(name: str, value: str) -> str:
    # Compiling the patterns of secrets takes 10 ms, and most comparisons show no setting.
    from envlock.secrets.disclose import disclose

    return disclose(name, value)
