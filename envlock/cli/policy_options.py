"""The policy that applies to a command line: from envlock.toml, a file, or a git revision."""

from __future__ import annotations

import argparse
import os
import posixpath
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.options import read_config
from envlock.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config, PolicyFile
    from envlock.diff.policy.baseline import Baseline
    from envlock.diff.policy.policy import Policy

_GIT = "git:"


def add_today(parser: argparse.ArgumentParser) -> None:
    """Add ``--today``."""
    parser.add_argument(
        "--today",
        metavar="DATE",
        help="the day that waivers are held against (SOURCE_DATE_EPOCH, else the clock, in UTC)",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add where the policy is read from."""
    parser.add_argument(
        "--policy",
        metavar="FILE",
        help="take the policy from this envlock.toml, or from git:REV:PATH, and none from here",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="differences that are accepted as they are"
    )
    add_today(parser)


def read_policy_config(
    arguments: argparse.Namespace, console: Console, flags: Mapping[str, object]
) -> Config:
    """Return the configuration, its policy from where `--policy` says."""
    source = read_policy_file(arguments.policy) if arguments.policy else None
    named = {"diff.baseline": arguments.baseline or None}
    return read_config(arguments, console, {**flags, **named}, source)


def read_policy_file(operand: str) -> PolicyFile:
    """Return the settings that an operand of `--policy` names.

    Paths in a file of a git revision lead into that revision.
    """
    from envlock.config.load import PolicyFile

    if operand.startswith(_GIT):
        from envlock.cli.operands import git_show

        revision, _, path = operand.removeprefix(_GIT).partition(":")

        def into_git(text: str) -> str:
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
            return f"{_GIT}{revision}:{place}"

        return PolicyFile(git_show(operand), operand, into_git)
    path_here = Path.cwd() / operand
    try:
        raw = path_here.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the policy: {error.strerror}", where=operand) from error
    return PolicyFile(raw, operand, lambda text: str(path_here.parent / text))


def today_of(arguments: argparse.Namespace) -> date:
    """Return the day that waivers are held against.  Raise UsageError for what is none."""
    if arguments.today:
        return to_date(arguments.today, "--today")
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(tz=UTC).date()
    try:
        return datetime.fromtimestamp(int(epoch), tz=UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError("not a number of seconds", where="SOURCE_DATE_EPOCH") from error


def to_date(text: str, where: str) -> date:
    """Return the date in `text`.  Raise UsageError for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no date", where=where, hint="for example 2027-01-31"
        ) from error


def make_policy(config: Config, today: date, *, may_begin: bool = False) -> Policy:
    """Return what the configuration says of differences; `may_begin` lets the baseline be new."""
    from envlock.diff.policy.policy import Policy

    return Policy(
        presets=config.diff.presets,
        expect=config.expect,
        baseline=read_baseline(config.diff.baseline, may_begin=may_begin),
        waive=config.waive,
        today=today,
    )


def read_baseline(place: str, *, may_begin: bool = False) -> Baseline:
    """Return the baseline at a path or ``git:REV:PATH``; that of nothing when `place` is empty."""
    from envlock.diff.policy.baseline import NO_BASELINE, Baseline, parse_baseline

    if not place:
        return NO_BASELINE
    if place.startswith(_GIT):
        from envlock.cli.operands import git_show

        return parse_baseline(git_show(place), place)
    try:
        return parse_baseline(Path(place).read_bytes(), place)
    except FileNotFoundError as error:
        if may_begin:
            return Baseline(pairs={}, where=place)
        raise ConfigError(
            "no such baseline", where=place, hint="--write-baseline begins one"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot read the baseline: {error.strerror}", where=place) from error


def known_as(operand: str, config: Config) -> str:
    """Return the name by which policy knows the environment of an operand.

    That of envlock.toml, else the name of the lockfile, else what was typed.
    """
    if operand in config.environments:
        return operand
    path = operand.rpartition(":")[2] if operand.startswith(_GIT) else operand
    base = posixpath.basename(path)
    short = base.removesuffix(".lock") if base.endswith(".lock") else operand
    named = [
        name
        for name, environment in config.environments.items()
        if environment.target == operand or environment.lock == Path.cwd() / path
    ]
    return short if short in named or not named else named[0]
