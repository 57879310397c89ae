"""``envlock verify``: prove that an environment is what its lock says."""

from __future__ import annotations

import argparse

from envlock.cli.console import Console
from envlock.cli.operands import live_request, open_store, read_lock_operand, user_rules
from envlock.cli.options import add_lock, read_config
from envlock.cli.pair import Pair
from envlock.cli.reporting import add_reports, write_reports
from envlock.errors import ExitStatus

_DESCRIPTION = """\
Capture TARGET again and compare it with LOCK, every path and every field.

What a rebuild leaves out on purpose (logs, caches, machine identity, secrets) is expected to be
absent; host facts are not compared, since an image has none. The first path that differs is named
with the field and both values. Ends with 0 only if nothing differs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    add_lock(parser, text="a lockfile, a name or git:REV:PATH")
    parser.add_argument("target", metavar="TARGET", help="image:REF, docker:NAME, oci:PATH, ...")
    parser.add_argument("--all", action="store_true", help="list every difference")
    add_reports(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Re-capture, compare, say the verdict."""
    from envlock.diff.drift import Result, Severity
    from envlock.workflow import Environment, verify

    config = read_config(arguments, console)
    left = Environment(arguments.lock, read_lock_operand(arguments.lock, config))
    request = live_request(arguments.target, config)
    with open_store(config) as store, console.progress("verifying") as steps:
        checked = verify(left, arguments.target, request, store, steps, user_rules(config))
    report = checked.report
    operands = (arguments.lock, arguments.target)
    pair = Pair(report, operands, config, full=arguments.all, fail_on=Severity.INFO)
    write_reports(report, pair.renderers(), arguments.reports, console)
    for remark in checked.remarks:
        console.note(remark)
    match report.result:
        case Result.EQUAL:
            return ExitStatus.OK
        case Result.DRIFT:
            return ExitStatus.DRIFT
        case Result.INCONCLUSIVE:
            return ExitStatus.INCONCLUSIVE
