"""The `envlock` command: one parser, one place that turns errors into messages and statuses."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from envlock import __version__
from envlock.cli import (
    capture_cmd,
    check_cmd,
    completion_cmd,
    diff_cmd,
    digest_cmd,
    explain_cmd,
    init_cmd,
    materialize_cmd,
    merge_driver_cmd,
    show_cmd,
    store_cmd,
    verify_cmd,
)
from envlock.cli.command import Command
from envlock.cli.console import Console, state_directory
from envlock.cli.options import add_common
from envlock.errors import EnvlockError, ExitStatus, MaterializeError, UsageError

COMMANDS: tuple[Command, ...] = (
    init_cmd.COMMAND,
    capture_cmd.COMMAND,
    show_cmd.COMMAND,
    digest_cmd.COMMAND,
    check_cmd.COMMAND,
    diff_cmd.COMMAND,
    explain_cmd.COMMAND,
    materialize_cmd.COMMAND,
    verify_cmd.COMMAND,
    store_cmd.COMMAND,
    merge_driver_cmd.COMMAND,
    completion_cmd.COMMAND,
)

_EPILOG = """\
targets:  host | docker:NAME | image:REF | oci:PATH[:TAG] | dir:PATH
locks:    a path | a name (locks/NAME.lock) | git:REV:PATH | a target, captured on the spot
status:   0 done, 1 drift, 2 usage, 3 inconclusive, 4 unreachable, 5 cannot materialize,
          6 a secret would have been written, 70 internal error, 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of exiting, so that one place speaks to the user."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"run `{self.prog} --help`")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="envlock",
        description="Capture a running environment, diff it, rebuild it bit-identically.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"envlock {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = verbs.add_parser(
            command.name,
            help=command.summary,
            description=command.description or command.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_common(sub)
        command.add_arguments(sub)
        sub.set_defaults(command=command)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit status; raises nothing."""
    console = Console(quiet=False, verbose=False)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        arguments = build_parser().parse_args(argv)
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


def _report(error: EnvlockError, console: Console) -> int:
    console.error(str(error))
    if isinstance(error, MaterializeError):
        for blocker in error.blockers:
            console.note(f"  - {blocker}")
    if error.hint:
        console.hint(error.hint)
    return int(error.status)


def _crash(error: Exception, console: Console) -> int:
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
