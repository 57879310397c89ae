"""Options that several verbs share, each declared once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envlock.config.load import Config


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def add_lock(parser: argparse.ArgumentParser, name: str = "lock", text: str = "") -> None:
    """Add a LOCK operand."""
    text = text or "a lockfile, a name from envlock.toml, git:REV:PATH, or a target"
    parser.add_argument(name, metavar=name.upper(), help=text)


def read_config(arguments: argparse.Namespace, flags: Mapping[str, object] | None = None) -> Config:
    """Return the configuration that applies to this command line."""
    from pathlib import Path

    from envlock.config.load import load

    config = getattr(arguments, "config", None)
    return load(
        cwd=Path.cwd(),
        environ=os.environ,
        flags=flags or {},
        **({"path": Path(config)} if config else {}),
    )
