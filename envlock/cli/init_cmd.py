"""``envlock init``: set up a project."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.config.example import example
from envlock.config.sources import MAX_SIZE
from envlock.errors import ExitStatus, UsageError
from envlock.reading import read_file
from envlock.writing import write_output

_ATTRIBUTES = (
    "locks/*.lock text eol=lf merge=envlock diff=envlock",
    "locks/objects/* binary",
)
_OBSOLETE_ATTRIBUTES = ("locks/*.lock text eol=lf merge=envlock",)
"""Lines that earlier versions of envlock wrote."""
# Git must be able to merge and show a lock even where envlock is not on the PATH.
_DRIVERS = {
    "merge.envlock.name": "envlock: merge by record",
    "merge.envlock.driver": "if command -v envlock >/dev/null; "
    "then envlock merge-driver %O %A %B; else git merge-file %A %O %B; fi",
    "diff.envlock.textconv": 'sh -c \'envlock git-textconv "$1" 2>/dev/null || cat "$1"\' -',
}


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write envlock.toml, locks/ and .gitattributes, and register the git drivers."""
    settings = Path("envlock.toml")
    if settings.exists() and not (arguments.force or arguments.git):
        raise UsageError(
            "envlock.toml already exists",
            hint="edit it, replace it with --force, or set up only git with --git",
        )
    written = [".gitattributes"]
    try:
        if not arguments.git:
            write_output(settings, example().encode())
            Path("locks").mkdir(exist_ok=True)
            written += ["envlock.toml", "locks/"]
        _write_attributes(Path(".gitattributes"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"cannot set up the project: {reason}", where=str(Path.cwd())) from error
    is_registered = _register_drivers()
    if arguments.git and not is_registered:
        raise UsageError("this directory is not in a git repository", hint="run `git init` first")
    if not is_registered:
        console.hint("in a git repository, `envlock init --git` sets up merges and diffs of locks")
    console.say(Message.WROTE, path=", ".join(sorted(written)))
    console.hint("run `envlock capture` next")
    return ExitStatus.OK


def _write_attributes(path: Path) -> None:
    """Add the lines for locks and their objects, and remove those that an earlier version wrote."""
    lines = read_file(path, MAX_SIZE).decode().splitlines() if path.exists() else []
    kept = [line for line in lines if line not in _OBSOLETE_ATTRIBUTES]
    kept += [line for line in _ATTRIBUTES if line not in kept]
    if kept != lines:
        write_output(path, "".join(f"{line}\n" for line in kept).encode())


def _register_drivers() -> bool:
    """Register the drivers with git; return False if git fails, and treats locks as text then."""
    try:
        for name, value in _DRIVERS.items():
            argv = ["git", "config", "--local", name, value]
            subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
