"""How an image is built of a lock, as the settings say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.image_rules import user_rules
from envlock.cli.package_sources import source_options
from envlock.materialize.assemble import BuildOptions

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock


def build_options(
    config: Config, lock: Lock, arguments: argparse.Namespace, directory: Path
) -> BuildOptions:
    """Return the options for an image of `lock`, whose layout is written to `directory`.

    `arguments` are those of a verb that builds images: offline, tag, flatten_times as far as it has
    them.
    """
    return BuildOptions(
        directory=directory,
        tag=getattr(arguments, "tag", None) or "latest",
        layers=config.materialize.layers,
        sources=source_options(config, lock, offline=arguments.offline),
        user_rules=user_rules(config),
        flatten_times=getattr(arguments, "flatten_times", False),
        jobs=config.workers,
    )
