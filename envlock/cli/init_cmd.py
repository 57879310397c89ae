"""``envlock init``: set a project up."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from envlock.cli.console import Console
from envlock.errors import ExitStatus, UsageError

_ATTRIBUTES = "locks/*.lock text eol=lf merge=envlock diff=envlock"
_EARLIER = ("locks/*.lock text eol=lf merge=envlock",)
# Where envlock is not on the PATH, git must still be able to merge and to show a lock.
_DRIVERS = {
    "merge.envlock.name": "envlock: merge by record",
    "merge.envlock.driver": "if command -v envlock >/dev/null; "
    "then envlock merge-driver %O %A %B; else git merge-file %A %O %B; fi",
    "diff.envlock.textconv": 'sh -c \'envlock git-textconv "$1" 2>/dev/null || cat "$1"\' -',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--force", action="store_true", help="replace an existing envlock.toml")
    parser.add_argument(
        "--git", action="store_true", help="only .gitattributes and the git drivers, in a clone"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write envlock.toml, locks/ and .gitattributes, and tell git of the drivers."""
    from envlock.config.edit import new_document

    settings = Path("envlock.toml")
    if settings.exists() and not (arguments.force or arguments.git):
        raise UsageError(
            "envlock.toml exists already",
            hint="edit it, replace it with `envlock init --force`, or set git up with --git",
        )
    written = [".gitattributes"]
    if not arguments.git:
        settings.write_text(new_document())
        Path("locks").mkdir(exist_ok=True)
        written += ["envlock.toml", "locks/"]
    _write_attributes(Path(".gitattributes"))
    is_set = _set_drivers()
    if arguments.git and not is_set:
        raise UsageError("git cannot be set up here", hint="run it in a git repository")
    if not is_set:
        console.hint("in a git repository, `envlock init --git` sets up merges and diffs of locks")
    console.note(f"wrote {', '.join(sorted(written))}")
    console.hint("next: envlock capture")
    return ExitStatus.OK


def _write_attributes(path: Path) -> None:
    """Add the line for locks, in the place of the one that an earlier envlock wrote."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line not in _EARLIER]
    if _ATTRIBUTES not in kept:
        kept.append(_ATTRIBUTES)
    if kept != lines:
        path.write_text("".join(f"{line}\n" for line in kept))


def _set_drivers() -> bool:
    """Tell git of the drivers, False where it cannot be: then it merges and shows locks as text."""
    try:
        for name, value in _DRIVERS.items():
            argv = ["git", "config", "--local", name, value]
            subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
