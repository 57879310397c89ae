"""The configuration of one command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from envlock.cli.console import Console
from envlock.config.load import Config, PolicyFile, load


def read_config(
    arguments: argparse.Namespace,
    console: Console,
    flags: Mapping[str, object] | None = None,
    policy: PolicyFile | None = None,
) -> Config:
    """Load the configuration of this command line and apply its color setting to the console.

    `flags` are settings given by options of the verb itself, `policy` is the file of ``--policy``.
    """
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
