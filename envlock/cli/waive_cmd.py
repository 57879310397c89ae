"""``envlock waive``: accept a finding until a date, in envlock.toml, where reviewers see it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.findings import PairFinding, find
from envlock.cli.operands import open_store
from envlock.cli.policy_options import to_date, today_of
from envlock.config.edit import put_table
from envlock.config.sources import MAX_SIZE
from envlock.diff.drift import Change
from envlock.diff.policy.baseline import can_be_accepted, describe
from envlock.errors import ExitStatus, UsageError
from envlock.reading import read_file
from envlock.writing import write_output

if TYPE_CHECKING:
    from datetime import date

    from envlock.config.setting import Value

_IDENTITY = ("id", "environments")
"""Fields that make two waivers the same."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Find the finding, bind the waiver to its values, and write it."""
    if bool(arguments.left) != bool(arguments.right):
        raise UsageError("only one environment is given", hint="name both, or none")
    today = today_of(arguments)
    expires = to_date(arguments.expires, "--expires")
    if expires < today:
        raise UsageError(f"{expires} is in the past, today is {today}", where="--expires")
    if not arguments.reason.strip():
        raise UsageError("a waiver needs a reason", where="--reason")
    config = read_config(arguments, console)
    with open_store(config) as store, console.progress("comparing") as steps:
        named = [name for name in (arguments.left, arguments.right) if name]
        found = find(arguments.fingerprint, named, config, today, store, steps)
    finding = _only(found, arguments.fingerprint)
    path = config.file or Path.cwd() / "envlock.toml"
    try:
        text = read_file(path, MAX_SIZE).decode() if path.exists() else ""
        row = _row(finding, arguments.reason.strip(), expires)
        write_output(path, put_table(text, "waive", row, _IDENTITY).encode())
    except OSError as error:
        raise UsageError(f"cannot write the waiver: {error.strerror}", where=str(path)) from error
    between = " and ".join(finding.environments)
    console.summary(f"{row['what']}: waived between {between} until {expires}")
    return ExitStatus.OK


def _row(finding: PairFinding, reason: str, expires: date) -> dict[str, Value]:
    return {
        "id": finding.change.id,
        "what": describe(finding.change),
        "reason": reason,
        "expires": expires.isoformat(),
        "environments": finding.environments,
        "values": finding.change.bound,
    }


def _only(found: Sequence[PairFinding], fingerprint: str) -> PairFinding:
    """Return the only finding.  Raise UsageError if there is none or more than one."""
    if len(found) > 1:
        pairs = "; ".join(" ".join(finding.environments) for finding in found)
        raise UsageError(
            f"{fingerprint} is found between several pairs: {pairs}",
            hint="name the two environments",
        )
    if not found:
        raise UsageError(
            f"no finding has the id {fingerprint}",
            hint="`envlock diff A B --all` shows the ids",
        )
    _check_waivable(found[0].change)
    return found[0]


def _check_waivable(change: Change) -> None:
    """Raise UsageError for a change that cannot be waived."""
    if can_be_accepted(change):
        return
    if change.explained_by:
        raise UsageError(
            f"{describe(change)} is explained by {change.explained_by}",
            hint="waive that change, which covers this one too",
        )
    raise UsageError(
        f"{describe(change)} is unknown, which cannot be waived",
        hint="capture that side again, or ignore it with diff.ignore",
    )
