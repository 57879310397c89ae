"""``envlock trace``: run a command and write which packages and files it touched."""

from __future__ import annotations

import argparse
import os
import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import safe_name
from envlock.errors import TraceFileError, UnreachableError, UsageError
from envlock.lockfile.trace_file import read_trace, render_trace
from envlock.model.trace import TouchedKind, Trace
from envlock.targets.local.tracer import Tracer, find_strace
from envlock.workflow import trace_of_run
from envlock.writing import replace_file

if TYPE_CHECKING:
    from envlock.formats.system.strace import Trail

_FOLDER = "traces"
_SUFFIX = ".trace"


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command; return its status."""
    config = read_config(arguments, console)
    command = _command(arguments.command_line)
    path = _path(arguments.output, command[0], config.root)
    earlier = _earlier(path) if arguments.append else ()
    tracer = Tracer(find_strace(), command)
    status = tracer.run(lambda count: console.say(Message.TRACE_GOES_ON, count=count))
    if tracer.trail.is_cut:
        console.say(Message.TRACE_IS_CUT, count=f"{tracer.trail.most:,}")
    _write(path, Trace.joined((*earlier, _settled(tracer.trail))), console)
    return status


def _command(words: list[str]) -> list[str]:
    """Return the command with the path of its program.  Raise UsageError when there is none."""
    command = words[1:] if words[:1] == ["--"] else list(words)
    if not command:
        raise UsageError("no command to trace", hint="envlock trace -- pytest -q")
    if command[0].startswith("-"):
        raise UsageError(f"unrecognized argument: {command[0]}", hint="put -- before the command")
    program = shutil.which(command[0])
    if program is None:
        raise UsageError(f"no such program: {command[0]}", hint="envlock trace -- COMMAND")
    return command


def _path(output: str | None, program: str, root: Path) -> Path:
    if output == "-":
        raise UsageError("a trace is written to a file, since standard output is the command's")
    if output:
        return Path(output)
    return root / _FOLDER / f"{safe_name(os.path.basename(program)) or 'run'}{_SUFFIX}"


def _earlier(path: Path) -> tuple[Trace, ...]:
    try:
        return (read_trace(path),)
    except TraceFileError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return ()
        raise


def _settled(trail: Trail) -> Trace:
    from envlock.targets.kinds import open_target

    with closing(open_target("host")) as target:
        return trace_of_run(trail.opened, trail.executed, target)


def _write(path: Path, trace: Trace, console: Console) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, render_trace(trace))
    except OSError as error:
        raise UnreachableError(f"cannot write {path}: {error.strerror}") from error
    kinds = Counter(trace.files.values())
    console.say(
        Message.TRACED,
        path=path,
        packages=len(trace.records),
        programs=kinds[TouchedKind.PROGRAM],
        libraries=kinds[TouchedKind.LIBRARY],
    )
