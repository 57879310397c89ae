"""``envlock check``: verify that locks are canonical, closed and complete, and the policy valid."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from envlock.cli import git_revision
from envlock.cli.check_findings import (
    is_failure,
    judge_lock,
    roles_document,
    scope_lines,
    to_json,
    to_lines,
)
from envlock.cli.console import Console
from envlock.cli.operands import (
    is_live,
    live_request,
    lock_path,
    locks_in_use,
    note_live_targets,
    open_store,
    policy_name,
    read_lock_bytes,
)
from envlock.cli.policy_options import make_policy, read_policy_config, today_of
from envlock.diff.engine import Options, compare
from envlock.diff.inconsistencies.scoped import Judgement
from envlock.diff.policy.baseline import describe
from envlock.diff.policy.check import policy_problems
from envlock.diff.policy.policy import Policy
from envlock.errors import ExitStatus, UsageError
from envlock.lockfile.check import problems
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.model.lock import tree_address
from envlock.model.severity import Severity
from envlock.registry.reference import PREFIX as REGISTRY
from envlock.store.carried import objects_beside, problem_of
from envlock.workflow import capture_target

if TYPE_CHECKING:
    from envlock.config.load import Config

_POLICY = "envlock.toml"


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check the policy and every lock, and print all problems."""
    flags = {"check.fail-on": arguments.fail_on} if arguments.fail_on not in (None, "never") else {}
    config = read_policy_config(arguments, console, flags)
    level = None if arguments.fail_on == "never" else Severity(config.check.fail_on)
    operands = locks_in_use(arguments.locks, config)
    if not operands:
        raise UsageError(
            f"there is no lock in {config.locks.dir}", hint="run `envlock capture` first"
        )
    policy = make_policy(config, today_of(arguments))
    _check_roots(arguments, operands)
    found: dict[str, list[str]] = {}
    judged: dict[str, Judgement] = {}
    if _has_policy(config):
        found[arguments.policy or _POLICY] = list(
            policy_problems(policy, config.diff.ignore, _names(config))
        )
    note_live_targets(operands, config, console)
    for name in operands:
        raw = _lock_bytes(name, config, console, arguments.root)
        found[name] = problems(raw, name)
        if not found[name]:
            found[name] = [*_carried(name, raw, config), *_unmet(name, raw, config, policy)]
        judged[name] = judge_lock(raw, name, whole=arguments.whole)
    if arguments.json:
        console.out(json.dumps(_document(found, judged), indent=2))
    else:
        for name, messages in found.items():
            judgement = judged.get(name) or Judgement(())
            lines = [*messages, *to_lines(judgement)] or ["ok"]
            lines += scope_lines(judgement)
            console.out("\n".join(f"{name}: {line}" for line in lines))
    is_wrong = any(found.values()) or any(is_failure(each, level) for each in judged.values())
    return ExitStatus.DRIFT if is_wrong else ExitStatus.OK


def _document(
    found: Mapping[str, Sequence[str]], judged: Mapping[str, Judgement]
) -> Mapping[str, object]:
    """Return what was found as a JSON document."""
    return {
        "schema_version": 1,
        "problems": found,
        "scope": {name: roles_document(each) for name, each in judged.items()},
        "verdicts": {name: [to_json(v) for v in each.counted] for name, each in judged.items()},
        "outside": {name: [to_json(v) for v in each.outside] for name, each in judged.items()},
        "notes": {name: [each.note] for name, each in judged.items() if each.note},
    }


def _check_roots(arguments: argparse.Namespace, operands: Sequence[str]) -> None:
    """Raise UsageError when ``--root`` is given and nothing is captured."""
    if arguments.root and not any(map(is_live, operands)):
        raise UsageError(
            "a lock has the applications that it was captured with",
            where="--root",
            hint="check the target, or capture it again with --root",
        )


def _has_policy(config: Config) -> bool:
    """True when there is a policy to check."""
    diff = config.diff
    return bool(config.expect or config.waive or diff.presets or diff.ignore or diff.baseline)


def _names(config: Config) -> frozenset[str]:
    """Return the environment names a policy may use: those of envlock.toml and of all locks."""
    locks = (policy_name(operand, config) for operand in locks_in_use([], config))
    return frozenset(config.environments) | frozenset(locks)


def _lock_bytes(operand: str, config: Config, console: Console, roots: Sequence[str]) -> bytes:
    """Return the lockfile of an operand; that of a live target is captured and not written."""
    if not is_live(operand):
        return read_lock_bytes(operand, config)
    request = replace(live_request(operand, config, roots=roots), depth=Depth.CONFIG)
    with open_store(config) as store, console.progress("capturing") as steps:
        return render_lock(capture_target(operand, request, store, steps).lock)


def _carried(operand: str, raw: bytes, config: Config) -> Iterator[str]:
    """Yield what is wrong with the content that git should carry for a lockfile."""
    if config.locks.carry != "git" or operand.startswith((git_revision.PREFIX, REGISTRY)):
        return
    tree = "" if is_live(operand) else tree_address(parse_lock(raw, where=operand))
    found = problem_of(objects_beside(lock_path(operand, config)), tree) if tree else ""
    if found:
        yield f"{found}: a clone cannot rebuild it; capture it again"


def _unmet(operand: str, raw: bytes, config: Config, policy: Policy) -> Iterator[str]:
    """Yield the expectations that one environment breaks by itself."""
    if not policy.expect:
        return
    lock, name = parse_lock(raw, where=operand), policy_name(operand, config)
    options = Options(
        left_name=name,
        right_name=name,
        policy=Policy(expect=policy.expect),
    )
    for change in compare(lock, lock, options=options).changes:
        yield f"{describe(change)}: {change.why} [{change.rule}]"
