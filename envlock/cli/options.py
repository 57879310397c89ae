"""Options that several verbs share, each declared once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from envlock.cli.console import Console

if TYPE_CHECKING:
    from envlock.config.load import Config, PolicyFile


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every verb takes."""
    group = parser.add_argument_group("everywhere")
    group.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    group.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
    group.add_argument(
        "--color", choices=("auto", "always", "never"), help="when to color output (auto)"
    )
    group.add_argument(
        "--jobs", metavar="N", type=int, help="files to read at once (as many as CPUs)"
    )
    group.add_argument("--store", metavar="DIR", help="where content is kept by digest")
    group.add_argument("--config", metavar="FILE", help="use this envlock.toml")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def add_lock(parser: argparse.ArgumentParser, name: str = "lock", text: str = "") -> None:
    """Add a LOCK operand."""
    text = text or "a lockfile, a name from envlock.toml, git:REV:PATH, or a target"
    parser.add_argument(name, metavar=name.upper(), help=text)


def read_config(
    arguments: argparse.Namespace,
    console: Console,
    flags: Mapping[str, object] | None = None,
    policy: PolicyFile | None = None,
) -> Config:
    """Return the configuration that applies to this command line, and set the console by it.

    `flags` are the settings that options of the verb itself give, `policy` what `--policy` names.
    """
    from pathlib import Path

    from envlock.config.load import load

    common = {"jobs": arguments.jobs, "color": arguments.color, "store.path": arguments.store}
    config = load(
        cwd=Path.cwd(),
        environ=os.environ,
        flags={**common, **(flags or {})},
        path=Path(arguments.config) if arguments.config else None,
        policy=policy,
    )
    console.when = config.color
    return config
