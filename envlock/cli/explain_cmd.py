"""``envlock explain``: what is known about a path, a section, a rule, a finding or a message."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from envlock.capture.discover.unowned import is_software_location
from envlock.capture.files.rules import RULES as FILE_RULES
from envlock.capture.files.rules import file_rule
from envlock.capture.registry import collectors
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.explain_record import explain_record, is_record
from envlock.cli.findings import PairFinding, find
from envlock.cli.image_rules import user_rules
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, read_lock_operand
from envlock.cli.policy_options import make_policy, read_policy_config, today_of
from envlock.diff.policy.baseline import describe
from envlock.diff.policy.presets import PRESETS
from envlock.diff.severity import explain as explain_severity
from envlock.errors import EnvlockError, ExitStatus, UsageError, documented_errors
from envlock.materialize.tree.rules import RULES as IMAGE_RULES
from envlock.materialize.tree.rules import Rule as ImageRule
from envlock.materialize.tree.rules import explain as explain_in_image
from envlock.model.deciding import titles
from envlock.model.facts import SECTIONS
from envlock.model.text import escape
from envlock.model.tree import OBSERVED, REDACTED, FileClass, Row
from envlock.report.disclosure import disclosed_change
from envlock.report.wording import remedy
from envlock.secrets.rules import secret_rules
from envlock.secrets.settings import redact_settings
from envlock.secrets.spans import MASK
from envlock.workflow import load_tree, reader_of

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.policy.policy import Policy

_POLICY_ID = re.compile(r"EXPECT-|[0-9a-f]{12}\Z")
"""Ids that only a policy or a comparison gives a meaning: of expectations and of findings."""

_FEW = 20

RULE_PLACEHOLDERS = {
    "left_name": "the left side",
    "right_name": "the right side",
    "left": "OLD",
    "right": "NEW",
    "key": "KEY",
    "field": "FIELD",
    "package": "PACKAGE",
    "environment": "ENVIRONMENT",
}
"""Values for the placeholders of a rule's text where no change is at hand."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print everything known about the subject."""
    subject = arguments.subject
    if subject.startswith("/"):
        config = read_config(arguments, console)
        lines = list(_path(subject, user_rules(config)))
        if arguments.lock:
            lines += _recorded(subject, arguments.lock, config)
    elif is_record(subject):
        lines = list(_needed(subject, arguments, console))
    else:
        known = (_section, _rule, _preset, _error, _message)
        lines = list(chain.from_iterable(explain(subject) for explain in known))
        if _POLICY_ID.match(subject):
            lines += _finding_or_policy(subject, arguments, console)
    if not lines:
        raise UsageError(
            f"nothing is known about {subject}",
            hint="name an absolute path, a section, or an id from a report",
        )
    console.out("\n".join(lines))
    return ExitStatus.OK


def _needed(subject: str, arguments: argparse.Namespace, console: Console) -> Iterator[str]:
    """Yield why applications need a record of a lock."""
    if not arguments.lock:
        raise UsageError(f"in which lock is {subject}?", hint=f"envlock explain '{subject}' LOCK")
    config = read_config(arguments, console)
    yield from explain_record(subject, read_lock_operand(arguments.lock, config), arguments.lock)


def _path(path: str, rules: tuple[ImageRule, ...]) -> Iterator[str]:
    unowned, owned = file_rule(path, owned=False), file_rule(path, owned=True)
    if unowned:
        yield f"{path}: {unowned.file_class.value} ({unowned.id}): {unowned.reason}"
        if unowned.keeps:
            yield f"it stays significant if it is one of: {titles(unowned.keeps)}"
    else:
        yield f"{path}: unowned if no package claims it: significant, compared, stored by value"
    if not unowned and is_software_location(path):
        yield "if it is a program or library, section software lists it with what it lacks"
    if unowned and not owned:
        yield "if a package claims it, its class is package, conffile, or modified instead"
    rule = explain_in_image(path, rules)
    if rule:
        yield f"in an image: {rule.action.value} ({rule.id}): {rule.reason}"
    else:
        yield "in an image: kept unchanged"


def _recorded(path: str, operand: str, config: Config) -> Iterator[str]:
    """Yield what a lock, and its file tree where this store has it, say about a path."""
    lock = read_lock_operand(operand, config)
    facts = lock.get("file", path)
    with open_store(config) as store:
        tree = load_tree(lock, store)
        row = next((row for row in tree.rows if row.entry.path == path), None) if tree else None
        if row is not None:
            yield from _told_of(row, operand, reader_of(store))
        elif facts:
            yield f"in {operand}: {facts.get('class', '')}"
            if "redacted" in facts:
                yield _WITHOUT_SECRETS
        else:
            where = "is not in" if tree else "has no record of its own in"
            yield f"{path} {where} {operand}"


_WITHOUT_SECRETS = "its secret values are replaced by ***, all else is recorded and compared"
_STAND_IN = "Xq7zR2-hunter2-k9Lm4Ws8"
"""What is put in place of `***`, to find by which rule it was a secret."""


def _told_of(row: Row, operand: str, read: Callable[[str], bytes | None]) -> Iterator[str]:
    owner = f", of {row.owner}" if row.owner else ""
    yield f"in {operand}: {row.file_class.value}{owner}"
    rule = row.source.removeprefix(OBSERVED).strip()
    if row.file_class is FileClass.SECRET:
        told = dict(secret_rules()).get(rule)
        by = f" ({rule}): {told}" if told else ""
        yield f"left out as secret, neither content nor digest is recorded{by}"
    elif row.source.startswith(REDACTED):
        yield _WITHOUT_SECRETS
        content = read(row.entry.sha256) or b""
        text = content.decode("utf-8", "replace").replace(MASK, _STAND_IN)
        for finding in redact_settings(row.entry.path, text).findings[:_FEW]:
            yield f"  {finding.where} ({finding.rule})"


def _section(name: str) -> Iterator[str]:
    section = SECTIONS.get(name)
    if section is None:
        return
    yield f"section {name}: {section.title}; {section.part.value} digest"
    for collector in collectors():
        if name in collector.sections:
            yield f"read from {', '.join(collector.reads) or 'the run configuration'}"
            yield f"documents: {', '.join(collector.sources)}"


def _rule(name: str) -> Iterator[str]:
    for known in FILE_RULES:
        if known.id == name:
            yield f"file class {known.file_class.value}: {known.reason}; {', '.join(known.globs)}"
            if known.keeps:
                yield f"these stay significant: {titles(known.keeps)}"
    for rule in IMAGE_RULES:
        if rule.id == name:
            yield f"in an image: {rule.action.value}: {rule.reason}; {', '.join(rule.globs)}"
    for rule_id, meaning in secret_rules():
        if rule_id == name:
            yield f"secret: {meaning}"
    try:
        severity = explain_severity(name)
    except EnvlockError:
        return
    why, todo = (text.format_map(RULE_PLACEHOLDERS) for text in (severity.why, severity.next))
    yield f"severity {severity.severity}: {why} ({severity.source})"
    if severity.fix is not None:
        yield "fix: commands, where names and versions allow it"
    yield f"next: {todo}"


def _preset(name: str) -> Iterator[str]:
    if name not in PRESETS:
        return
    yield f"preset {name}: {PRESETS[name].title}; it hides and counts"
    for noise in PRESETS[name].noise:
        yield f"{noise.reason} ({noise.source}): {', '.join(noise.rules)}"


def _error(name: str) -> Iterator[str]:
    for error in documented_errors():
        if error.id == name:
            summary = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
            yield f"error {name}, status {int(error.status)}: {summary}"


def _message(name: str) -> Iterator[str]:
    for message in Message:
        if message.id == name:
            yield f"{message.level} {name}: {message.text}"
            yield message.meaning


def _finding_or_policy(
    subject: str, arguments: argparse.Namespace, console: Console
) -> Iterator[str]:
    """Yield what is known about the id of a finding or of an unmet expectation."""
    config = read_policy_config(arguments, console, {})
    today = today_of(arguments)
    if not subject.startswith("EXPECT-"):
        with open_store(config) as store, console.progress("comparing") as steps:
            for finding in find(subject, (), config, today, store, steps):
                yield from _finding(finding)
    yield from _policy(subject, make_policy(config, today))


def _finding(finding: PairFinding) -> Iterator[str]:
    change = disclosed_change(finding.change)
    left, right = finding.environments
    ours, theirs = (escape(value or "nothing") for value in (change.left, change.right))
    yield f"{describe(change)}: {left} has {ours}, {right} has {theirs}"
    yield f"severity {change.severity}: {escape(change.why)} [{change.rule}]"
    yield escape(remedy(change))
    yield f"judged by: {explain_severity(change.rule).source}"
    if change.explained_by:
        yield f"explained by the change of {escape(change.explained_by)}"


def _policy(subject: str, policy: Policy) -> Iterator[str]:
    """Yield the expectations, waivers and baseline entries of this id."""
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
            yield f"baseline: {rows[subject].what} is accepted between {left} and {right}"
