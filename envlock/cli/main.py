"""The `envlock` command: one parser, one place that turns errors into messages and statuses."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import NoReturn

from envlock import __version__
from envlock.cli.command import Command, lazy
from envlock.cli.console import Console
from envlock.cli.options import add_common
from envlock.errors import EnvlockError, ExitStatus, MaterializeError, UsageError
from envlock.targets.kinds import GROUP_FORMS, TARGET_FORMS

COMMANDS: tuple[Command, ...] = (
    lazy("init", "write envlock.toml, .gitattributes and locks/"),
    lazy("capture", "capture an environment into a lockfile"),
    lazy("show", "show what is in a lock"),
    lazy("digest", "print the digests of a lock"),
    lazy("check", "prove that locks are canonical and complete"),
    lazy("diff", "compare two environments"),
    lazy("explain", "explain a path, a section, a rule, a part of the policy or an error"),
    lazy("waive", "accept a finding until a day, for a reason"),
    lazy("materialize", "rebuild a lock into an image"),
    lazy("verify", "prove that an image or container is what a lock says"),
    lazy("store", "check, clean or measure the store"),
    lazy("merge-driver", "merge lockfiles by record, for git"),
    lazy("git-textconv", "print a lock as git diff shows it best"),
    lazy("completion", "print a completion script for a shell"),
)

_WIDTH = 80


def _wrapped(words: Iterable[str], indent: str = " " * 10) -> str:
    """Return the words with bars between them, in lines that an indent leaves room for."""
    lines: list[str] = []
    for word in words:
        if lines and len(indent) + len(f"{lines[-1]} | {word}") <= _WIDTH:
            lines[-1] += f" | {word}"
        else:
            lines.append(word)
    return f"\n{indent}".join(lines)


_EPILOG = f"""\
targets:  {_wrapped((*TARGET_FORMS, *GROUP_FORMS))}
locks:    a path | a name (locks/NAME.lock) | git:REV:PATH | a target, captured on the spot
status:   0 done, 1 drift, 2 usage, 3 inconclusive, 4 unreachable, 5 cannot materialize,
          6 a secret would have been written, 70 internal error, 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of exiting, so that one place speaks to the user."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"run `{self.prog} --help`")


def build_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line; with `verb`, only that one's options are declared."""
    parser = _Parser(
        prog="envlock",
        description="Capture a running environment, diff it, rebuild it bit-identically.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"envlock {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for command in COMMANDS:
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


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit status; raises nothing."""
    console = Console(quiet=False, verbose=False)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        arguments = _parse(argv)
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
    except BrokenPipeError:
        return ExitStatus.OK
    except Exception as error:  # noqa: BLE001  the last line of defence
        return _crash(error, console)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    # No option before the verb takes a value, so the first word is the verb.
    parser = build_parser(next((word for word in argv if not word.startswith("-")), ""))
    arguments, rest = parser.parse_known_args(argv)
    # argparse fills a list of operands at the first one; more may stand behind an option.
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
            console.note(f"  - {blocker}")
    if error.hint:
        console.hint(error.hint)
    return int(error.status)


def _crash(error: Exception, console: Console) -> int:
    import traceback

    from envlock.cli.console import state_directory

    text = "".join(traceback.format_exception(error))
    try:
        directory = state_directory()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / "crash.txt"
        path.write_text(f"envlock {__version__}, Python {sys.version}\n{text}")
        where = f"the traceback is in {path}"
    except OSError:
        where = f"{type(error).__name__} in {text.strip().splitlines()[-3].strip()}"
    console.error(f"internal error: {type(error).__name__}: {error}")
    console.hint(f"please report it; {where}")
    return ExitStatus.INTERNAL


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
