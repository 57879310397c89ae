"""``envlock explain``: why a path has its class, what a rule, a section or an error means."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store
from envlock.cli.options import read_config
from envlock.cli.policy_options import add_policy, make_policy, read_policy_config, today_of
from envlock.errors import EnvlockError, ExitStatus, UsageError
from envlock.model.text import escape

if TYPE_CHECKING:
    from envlock.cli.findings import Finding
    from envlock.diff.policy.policy import Policy

_OF_POLICY = re.compile(r"EXPECT-|[0-9a-f]{12}\Z")
_DESCRIPTION = """\
Explain a path (its class and what a rebuild does with it), a section, the id of a rule, a preset,
the id of an error, or by its fingerprint a finding between the locks of the lock folder, with what
waives or accepts it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the operand."""
    parser.description = _DESCRIPTION
    parser.add_argument("subject", metavar="ID|PATH|SECTION")
    add_policy(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print everything known under that name."""
    subject = arguments.subject
    if subject.startswith("/"):
        from envlock.cli.operands import user_rules

        lines = list(_path(subject, user_rules(read_config(arguments, console))))
    else:
        lines = list(chain(_section(subject), _rule(subject), _preset(subject), _error(subject)))
        if _OF_POLICY.match(subject):
            lines += _of_policy(subject, arguments, console)
    if not lines:
        raise UsageError(
            f"nothing is known as {subject}", hint="name a path, a section, or an id from a report"
        )
    console.out("\n".join(lines))
    return ExitStatus.OK


def _path(path: str, rules: tuple[object, ...]) -> Iterator[str]:
    from envlock.capture.discover.unowned import is_software_location
    from envlock.capture.files.rules import file_rule
    from envlock.materialize.tree.rules import explain

    unowned, owned = file_rule(path, owned=False), file_rule(path, owned=True)
    if unowned:
        yield f"{path}: {unowned.file_class.value} ({unowned.id}): {unowned.reason}"
    else:
        yield f"{path}: unowned when no package claims it: significant, compared and kept by value"
    if not unowned and is_software_location(path):
        yield "a program or library is then named in section software, with what it lacks"
    if unowned and not owned:
        yield "a package that claims it takes precedence: package, conffile, or modified"
    rule = explain(path, rules)  # type: ignore[arg-type]
    if rule:
        yield f"in an image: {rule.action.value} ({rule.id}): {rule.reason}"
    else:
        yield "in an image: kept as it is"


def _section(name: str) -> Iterator[str]:
    from envlock.capture.registry import collectors
    from envlock.model.facts import SECTIONS

    section = SECTIONS.get(name)
    if section is None:
        return
    yield f"section {name}: {section.title}; {section.part.value} digest"
    for collector in collectors():
        if name in collector.sections:
            yield f"read from {', '.join(collector.reads) or 'the run configuration'}"
            yield f"documents: {', '.join(collector.sources)}"


def _rule(name: str) -> Iterator[str]:
    from envlock.capture.files.rules import RULES as FILE_RULES
    from envlock.diff.severity import explain
    from envlock.materialize.tree.rules import RULES as NORMAL
    from envlock.secrets.scan import PASSWORD_SETTING
    from envlock.secrets.scan import RULES as SECRETS

    for known in FILE_RULES:
        if known.id == name:
            yield f"file class {known.file_class.value}: {known.reason}; {', '.join(known.globs)}"
    for normal in NORMAL:
        if normal.id == name:
            yield f"in an image: {normal.action.value}: {normal.reason}; {', '.join(normal.globs)}"
    for secret in (*SECRETS, PASSWORD_SETTING):
        if secret.id == name:
            yield f"secret: what matches {secret.pattern.pattern}"
    try:
        rule = explain(name)
    except EnvlockError:
        return
    why, fix = (text.format_map(WORDS) for text in (rule.why, rule.fix))
    yield f"severity {rule.severity}: {why} ({rule.source})"
    if fix:
        yield f"fix: {fix}"


WORDS = {
    "left_name": "the left side",
    "right_name": "the right side",
    "left": "OLD",
    "right": "NEW",
    "key": "KEY",
    "field": "FIELD",
    "package": "PACKAGE",
    "install": "install PACKAGE OLD",
}
"""What stands in a rule's sentence where no difference is at hand."""


def _preset(name: str) -> Iterator[str]:
    from envlock.diff.policy.presets import PRESETS

    if name not in PRESETS:
        return
    yield f"preset {name}: {PRESETS[name].title}; it hides and counts"
    for noise in PRESETS[name].noise:
        yield f"{noise.reason} ({noise.source}): {', '.join(noise.rules)}"


def _of_policy(subject: str, arguments: argparse.Namespace, console: Console) -> Iterator[str]:
    """Yield what is known of a fingerprint, or of an expectation that is not met."""
    from envlock.cli.findings import find

    config = read_policy_config(arguments, console, {})
    today = today_of(arguments)
    if not subject.startswith("EXPECT-"):
        with open_store(config) as store, console.progress("comparing") as steps:
            for finding in find(subject, (), config, today, store, steps):
                yield from _finding(finding)
    yield from _policy(subject, make_policy(config, today))


def _finding(finding: Finding) -> Iterator[str]:
    from envlock.diff.policy.baseline import describe
    from envlock.diff.severity import explain

    change = finding.change
    left, right = finding.environments
    ours, theirs = (escape(value or "nothing") for value in (change.left, change.right))
    yield f"{describe(change)}: {left} has {ours}, {right} has {theirs}"
    yield f"severity {change.severity}: {escape(change.why)} [{change.rule}]"
    yield f"fix: {escape(change.fix)}"
    yield f"judged by: {explain(change.rule).source}"
    if change.explained_by:
        yield f"it follows from {escape(change.explained_by)}"


def _policy(subject: str, policy: Policy) -> Iterator[str]:
    """Yield what the policy says under the id of a rule, or of a fingerprint."""
    demand = subject.removeprefix("EXPECT-").lower()
    for expectation in policy.expect:
        if expectation.demand.value == demand:
            pair = " and ".join(expectation.environments)
            between = f" between {pair}" if pair else ""
            yield f"{expectation.subject} {expectation.words}{between}: {expectation.reason}"
    for waiver in policy.waive:
        if waiver.id == subject:
            pair = " and ".join(waiver.environments)
            expired = waiver.expires < policy.today
            until = f"{'expired on' if expired else 'until'} {waiver.expires}"
            yield f"waiver of {waiver.what or waiver.id} between {pair}, {until}: {waiver.reason}"
    for (left, right), rows in sorted(policy.baseline.pairs.items()):
        if subject in rows:
            yield f"baseline: {rows[subject].what} between {left} and {right} is accepted as it is"


def _error(name: str) -> Iterator[str]:
    for error in _tree(EnvlockError):
        if error.id == name:
            summary = (error.__doc__ or "").strip()
            yield f"error {name}, status {int(error.status)}: {summary}"


def _tree(root: type[EnvlockError]) -> Iterator[type[EnvlockError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)
