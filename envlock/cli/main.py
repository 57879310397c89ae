"""The `envlock` command: its parser, and the one place that turns errors into exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from envlock import __version__
from envlock.cli.command import Command, lazy
from envlock.cli.console import Console
from envlock.cli.options import add_common
from envlock.errors import (
    EnvlockError,
    ExitStatus,
    MaterializeError,
    UnreachableError,
    UsageError,
)
from envlock.targets.kinds import GROUP_FORMS, TARGET_FORMS
from envlock.writing import replace_file

_UPKEEP = "upkeep_arguments"

COMMANDS: tuple[Command, ...] = (
    lazy("init", "write envlock.toml, .gitattributes and locks/"),
    lazy("capture", "capture an environment into a lockfile"),
    lazy("lock", "install a declared environment once, and lock it", options="declare_arguments"),
    lazy("show", "show what is in a lock"),
    lazy("digest", "print the digests of a lock"),
    lazy("check", "check that locks are valid and the policy holds"),
    lazy("diff", "compare two environments"),
    lazy("doctor", "say what this machine lacks of a lock, and how to mend it"),
    lazy("apply", "make a machine like a lock, by a plan shown first", options="joining_arguments"),
    lazy("trace", "run a command and write what it touched"),
    lazy("explain", "explain a path, a section, a rule, a finding, an error or a warning"),
    lazy("waive", "accept a finding until a date, for a reason"),
    lazy("materialize", "rebuild a lock into an image"),
    lazy("vendor", "keep the packages of a lock", options="transfer_arguments"),
    lazy("bundle", "write a lock and its content to one file", options="transfer_arguments"),
    lazy("unbundle", "take a lock out of a bundle", options="transfer_arguments"),
    lazy("push", "send a lock and its content to a registry", options="transfer_arguments"),
    lazy("pull", "fetch a lock and its content from a registry", options="transfer_arguments"),
    lazy("registry", "show what a registry can do", options="transfer_arguments"),
    lazy("verify", "check that an image or container is what its lock says"),
    lazy("scan", "search locks, stores, images or any files for secrets", options=_UPKEEP),
    lazy("key", "make a key to compare values that are not recorded", options=_UPKEEP),
    lazy("store", "check, clean or measure the store", options=_UPKEEP),
    lazy("merge-driver", "merge lockfiles by record, for git", options=_UPKEEP),
    lazy("git-textconv", "print a lock as lines for git diff", options=_UPKEEP),
    lazy("completion", "print a completion script for a shell", options=_UPKEEP),
)

_WIDTH = 80


def _wrapped(words: Iterable[str], indent: str = " " * 10) -> str:
    """Join the words with bars, and wrap them at `_WIDTH`; all lines but the first are indented."""
    lines: list[str] = []
    for word in words:
        if lines and len(indent) + len(f"{lines[-1]} | {word}") <= _WIDTH:
            lines[-1] += f" | {word}"
        else:
            lines.append(word)
    return f"\n{indent}".join(lines)


_EPILOG = f"""\
targets:  {_wrapped((*TARGET_FORMS, *GROUP_FORMS))}
locks:    a path | a name (locks/NAME.lock) | git:REV:PATH | a target, captured now
status:   0 done, 1 drift, 2 usage, 3 inconclusive, 4 unreachable, 5 cannot materialize,
          6 a secret would have been written, 70 internal error,
          129, 130, 143 hung up, interrupted, terminated
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of exiting, so that `run` reports every error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"run `{self.prog} --help`")


def build_parser(
    verb: str | None = None, commands: Iterable[Command] = COMMANDS
) -> argparse.ArgumentParser:
    """Return the parser of the command line; with `verb`, only the options of that verb are in it.

    Declaring the options of a verb imports its module.
    """
    parser = _Parser(
        prog="envlock",
        description="Capture a running environment, diff it, rebuild it bit-identically.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"envlock {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for command in commands:
        sub = verbs.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if verb in (None, command.name):
            add_common(sub)
            command.add_arguments(sub)
            sub.set_defaults(command=command)
    return parser


def run(argv: Sequence[str], commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command line and return its exit status; never raises."""
    console = Console(quiet=False, verbose=False)
    try:
        arguments = _parse(argv, commands)
        console = Console(quiet=arguments.quiet, verbose=arguments.verbose)
        command: Command = arguments.command
        return int(command.run(arguments, console))
    except SystemExit as exit_:  # --help and --version
        return int(exit_.code or 0)
    except KeyboardInterrupt:
        console.error("interrupted")
        return ExitStatus.INTERRUPTED
    except EnvlockError as error:
        return _report(error, console)
    except MemoryError:
        return _report(
            UnreachableError("not enough memory", hint="give envlock more, or an input of less"),
            console,
        )
    except Exception as error:  # noqa: BLE001  a bug must not end with a status that means drift
        return _crash(error, console)


def _parse(argv: Sequence[str], commands: Sequence[Command]) -> argparse.Namespace:
    # No option before the verb takes a value, so the first word is the verb.
    parser = build_parser(next((word for word in argv if not word.startswith("-")), ""), commands)
    arguments, rest = parser.parse_known_args(argv)
    # argparse fills a list of operands only once, so operands after an option are left over.
    operands = getattr(arguments, "rest", "")
    if rest and (not operands or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        getattr(arguments, operands).extend(rest)
    return arguments


def _report(error: EnvlockError, console: Console) -> int:
    console.error(str(error))
    if isinstance(error, MaterializeError):
        for blocker in error.blockers:
            console.error_item(blocker)
    if error.hint:
        console.hint(error.hint)
    return int(error.status)


def _crash(error: Exception, console: Console) -> int:
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        directory = _state_directory()
        os.makedirs(directory, exist_ok=True, mode=0o700)
        path = os.path.join(directory, "crash.txt")
        report = f"envlock {__version__}, Python {sys.version}\n{text}"
        replace_file(Path(path), report.encode(errors="backslashreplace"))
        where = f"the traceback is in {path}"
    except OSError:
        where = f"{type(error).__name__} in {text.strip().splitlines()[-3].strip()}"
    console.error(f"internal error: {type(error).__name__}: {error}")
    console.hint(f"this is a bug, please report it; {where}")
    return ExitStatus.INTERNAL


def _state_directory() -> str:
    """Return $XDG_STATE_HOME/envlock, the directory of crash reports."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(home, "envlock")
