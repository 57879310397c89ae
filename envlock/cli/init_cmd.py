"""``envlock init``: set a project up."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from envlock.cli.console import Console
from envlock.errors import ExitStatus, UsageError

_ATTRIBUTES = "*.lock text eol=lf merge=envlock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--force", action="store_true", help="replace an existing envlock.toml")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write envlock.toml, locks/ and .gitattributes; nothing that is there is lost."""
    from envlock.config.edit import new_document

    settings = Path("envlock.toml")
    if settings.exists() and not arguments.force:
        raise UsageError(
            "envlock.toml exists already", hint="edit it, or replace it with `envlock init --force`"
        )
    settings.write_text(new_document())
    locks = Path("locks")
    locks.mkdir(exist_ok=True)
    attributes = Path(".gitattributes")
    line = f"locks/{_ATTRIBUTES}"
    present = attributes.read_text() if attributes.exists() else ""
    if line not in present.splitlines():
        attributes.write_text(
            f"{present}{'' if present[-1:] in ('', chr(10)) else chr(10)}{line}\n"
        )
    if Path(".git").exists():
        # Without it git merges the lock as text, which works, only less often.
        subprocess.run(
            ["git", "config", "merge.envlock.driver", "envlock merge-driver %O %A %B"], check=False
        )
    console.note("wrote envlock.toml, .gitattributes and locks/")
    console.hint("next: envlock capture")
    return ExitStatus.OK
