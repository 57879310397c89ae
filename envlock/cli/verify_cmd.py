"""``envlock verify``: check that an environment is what its lock says."""

from __future__ import annotations

import argparse
from functools import partial

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.image_rules import user_rules
from envlock.cli.lock_texts import read_lock_texts
from envlock.cli.messages import Message
from envlock.cli.operands import live_request, open_store, read_lock_operand
from envlock.cli.published import published_packages
from envlock.cli.reporting import write_reports
from envlock.cli.service_state import say_what_will_not_start
from envlock.diff.drift import Result
from envlock.errors import ExitStatus
from envlock.materialize.assemble import lost_in_image
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.workflow import Environment, Verified, require_tree, verify


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Capture again, compare, and write the reports."""
    config = read_config(arguments, console)
    left = Environment(arguments.lock, read_lock_operand(arguments.lock, config))
    request = live_request(arguments.target, config)
    with open_store(config) as store, console.progress("verifying") as steps:
        bring_content(arguments.lock, left.lock, config, store, console)
        rules, role = user_rules(config), arguments.root
        packages = published_packages(config, store, console, fetch=False)
        verified = verify(left, arguments.target, request, store, steps, rules, role, packages)
        lost = (
            [] if role else lost_in_image(left.lock, require_tree(left.lock, store), store, rules)
        )
    given = PairInput(
        verified.report,
        full=arguments.all,
        fail_on=Severity.INFO,
        locks=partial(read_lock_texts, (arguments.lock, arguments.target), config),
    )
    write_reports(given, arguments.reports, console)
    say_what_will_not_start(lost, console)
    _say_what_was_compared(verified, console)
    match verified.report.result:
        case Result.EQUAL:
            return ExitStatus.OK
        case Result.DRIFT:
            return ExitStatus.DRIFT
        case Result.INCONCLUSIVE:
            return ExitStatus.INCONCLUSIVE


def _say_what_was_compared(verified: Verified, console: Console) -> None:
    for data in verified.left_out:
        console.say(Message.STATE_NOT_COMPARED, path=data.path, engine=data.engine)
    console.say(Message.PATHS_COMPARED, compared=verified.compared, skipped=verified.skipped)
    label = verified.label
    if label is None:
        return
    if not label.stated:
        console.say(Message.LABEL_MISSING)
    elif label.stated != label.expected:
        console.say(Message.LABEL_DIFFERS, label=label.stated, lock=label.expected)
    else:
        console.say(Message.LABEL_MATCHES, lock=label.expected)
