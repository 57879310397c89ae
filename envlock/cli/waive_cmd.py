"""``envlock waive``: accept a finding for a while, in envlock.toml, where a review sees it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.console import Console
from envlock.cli.operands import locks_in_use, open_store, read_environment
from envlock.cli.options import read_config
from envlock.cli.policy import add_today, make_policy, to_date, today_of
from envlock.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from datetime import date

    from envlock.config.load import Config
    from envlock.config.setting import Value
    from envlock.diff.drift import Change
    from envlock.lockfile.reader import Known
    from envlock.store.objects import Store
    from envlock.workflow import Progress

_DESCRIPTION = """\
Write a waiver into envlock.toml: the finding no longer counts until the end of a day, between these
two environments, and only while both values stay what they are now. Comments and order are kept.
Without A and B the finding is looked for between all locks of the lock folder. A waiver that is
there already is written anew.
"""
_SAME = ("id", "environments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="the id of a finding in a diff")
    parser.add_argument("left", nargs="?", metavar="A", help="the left environment of that diff")
    parser.add_argument("right", nargs="?", metavar="B", help="the right one")
    parser.add_argument("--reason", required=True, help="why it may stay for now")
    parser.add_argument(
        "--expires", required=True, metavar="DATE", help="the last day on which it holds"
    )
    add_today(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Find the finding, bind the waiver to its values, write it."""
    from envlock.config.edit import put_table
    from envlock.lockfile.writer import replace_file

    if bool(arguments.left) != bool(arguments.right):
        raise UsageError("one environment is no pair", hint="name both, or none")
    today = today_of(arguments)
    expires = to_date(arguments.expires, "--expires")
    if expires < today:
        raise UsageError(f"a waiver until {expires} has expired on {today}", where="--expires")
    if not arguments.reason.strip():
        raise UsageError("a waiver needs a reason", where="--reason")
    config = read_config(arguments, console)
    with open_store(config) as store, console.progress("comparing") as steps:
        hit = _find(arguments, config, today, store, steps)
    path = config.file or Path.cwd() / "envlock.toml"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        row = _row(hit, arguments.reason.strip(), expires)
        replace_file(path, put_table(text, "waive", row, _SAME).encode())
    except OSError as error:
        raise UsageError(f"cannot write the waiver: {error.strerror}", where=str(path)) from error
    between = " and ".join(hit.environments)
    console.out(f"{row['what']}: waived between {between} until {expires}")
    return ExitStatus.OK


def _row(hit: _Hit, reason: str, expires: date) -> dict[str, Value]:
    from envlock.diff.policy.baseline import describe

    return {
        "id": hit.id,
        "what": describe(hit.change),
        "reason": reason,
        "expires": expires.isoformat(),
        "environments": hit.environments,
        "values": hit.values,
    }


def _find(
    arguments: argparse.Namespace, config: Config, today: date, store: Store, steps: Progress
) -> _Hit:
    """Return the finding.  Raise UsageError when there is none, or one in several pairs."""
    from dataclasses import replace

    from envlock.diff.engine import Options
    from envlock.workflow import compare_environments, reader_of

    known: Known = {}
    named = [name for name in (arguments.left, arguments.right) if name]
    environments = [
        read_environment(name, config, store, steps, known) for name in locks_in_use(named, config)
    ]
    options = Options(
        ignore=tuple(config.diff.ignore),
        contents=reader_of(store),
        policy=replace(make_policy(config, today), waive=()),
        bind=True,
    )
    found = [
        hit
        for left, right in combinations(environments, 2)
        for change in compare_environments(left, right, options, store).changes
        for hit in _hits(change, left.known_as or left.name, right.known_as or right.name)
        if hit.id == arguments.fingerprint
    ]
    if len(found) > 1:
        pairs = "; ".join(" ".join(hit.environments) for hit in found)
        raise UsageError(
            f"{arguments.fingerprint} stands between several pairs: {pairs}",
            hint="name the two environments",
        )
    if not found:
        raise UsageError(
            f"no finding is called {arguments.fingerprint}",
            hint="the ids stand in `envlock diff A B --json`",
        )
    _refuse(found[0].change)
    return found[0]


class _Hit(NamedTuple):
    """A finding under one of its two ids: that of either order of the environments."""

    id: str
    environments: tuple[str, str]
    values: tuple[str, str]
    change: Change


def _hits(change: Change, left: str, right: str) -> Iterator[_Hit]:
    from envlock.diff.policy.bind import mirrored_id

    yield _Hit(change.id, (left, right), change.bound, change)
    if mirrored_id(change) != change.id:
        yield _Hit(mirrored_id(change), (right, left), change.bound[::-1], change)


def _refuse(change: Change) -> None:
    """Raise UsageError for what cannot be waived."""
    from envlock.diff.policy.baseline import can_be_accepted, describe

    if can_be_accepted(change):
        return
    if change.explained_by:
        raise UsageError(
            f"{describe(change)} follows from {change.explained_by}",
            hint="waive that one, and what follows is waived with it",
        )
    raise UsageError(
        f"{describe(change)} is unknown, which cannot be waived",
        hint="capture that side again, or ignore it with diff.ignore",
    )
