"""Policy options and the policy they select: from envlock.toml, another file, or a git revision."""

from __future__ import annotations

import argparse
import os
import posixpath
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from envlock.cli import git_revision
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.config.load import Config, PolicyFile
from envlock.config.sources import MAX_SIZE
from envlock.diff.policy.baseline import NO_BASELINE, Baseline, parse_baseline
from envlock.diff.policy.policy import Policy
from envlock.errors import ConfigError, UsageError
from envlock.reading import read_file


def read_policy_config(
    arguments: argparse.Namespace, console: Console, flags: Mapping[str, object]
) -> Config:
    """Load the configuration with the policy that ``--policy`` and ``--baseline`` select."""
    source = read_policy_file(arguments.policy) if arguments.policy else None
    named = {"diff.baseline": arguments.baseline or None}
    return read_config(arguments, console, {**flags, **named}, source)


def read_policy_file(operand: str) -> PolicyFile:
    """Read the file of ``--policy``; paths in a file at a git revision refer to that revision.

    Raise ConfigError or LockfileError when it cannot be read.
    """
    if operand.startswith(git_revision.PREFIX):
        revision, path = git_revision.split_revision(operand)

        def to_revision_path(text: str) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
            return f"{git_revision.PREFIX}{revision}:{target}"

        return PolicyFile(git_revision.read_revision(operand), operand, to_revision_path)
    path_here = Path.cwd() / operand
    try:
        raw = read_file(path_here, MAX_SIZE)
    except OSError as error:
        raise ConfigError(f"cannot read the policy: {error.strerror}", where=operand) from error
    return PolicyFile(raw, operand, lambda text: str(path_here.parent / text))


def today_of(arguments: argparse.Namespace) -> date:
    """Return the date that decides whether a waiver has expired.

    Raise UsageError for an invalid ``--today`` or SOURCE_DATE_EPOCH.
    """
    if arguments.today:
        return to_date(arguments.today, "--today")
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(tz=UTC).date()
    try:
        return datetime.fromtimestamp(int(epoch), tz=UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError("must be a number of seconds", where="SOURCE_DATE_EPOCH") from error


def to_date(text: str, where: str) -> date:
    """Return the date in `text`.  Raise UsageError, naming `where`, if it is not one."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a date", where=where, hint="for example 2027-01-31"
        ) from error


def make_policy(config: Config, today: date, *, may_create: bool = False) -> Policy:
    """Return the policy of a configuration; `may_create` accepts a baseline without a file yet."""
    return Policy(
        presets=config.diff.presets,
        expect=config.expect,
        baseline=read_baseline(config.diff.baseline, may_create=may_create),
        waive=config.waive,
        today=today,
    )


def read_baseline(path: str, *, may_create: bool = False) -> Baseline:
    """Read the baseline at a path or ``git:REV:PATH``; an empty `path` is an empty baseline.

    Raise ConfigError or LockfileError when it cannot be read.
    """
    if not path:
        return NO_BASELINE
    if path.startswith(git_revision.PREFIX):
        return parse_baseline(git_revision.read_revision(path), path)
    try:
        return parse_baseline(read_file(path, MAX_SIZE), path)
    except FileNotFoundError as error:
        if may_create:
            return Baseline(pairs={}, where=path)
        raise ConfigError(
            "no such baseline", where=path, hint="create it with --write-baseline"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot read the baseline: {error.strerror}", where=path) from error
