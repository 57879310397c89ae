"""Run commands as whole processes in turn and report medians, ratios and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

LIMIT = 1.05
"""A newer version that takes more than so many times the older one's time got worse."""


class Run(NamedTuple):
    """One finished process: wall and CPU seconds, peak resident memory of its largest process."""

    wall: float
    cpu: float
    peak_mb: float


class Command(NamedTuple):
    """A command to measure and something to run before each time, not measured."""

    name: str
    argv: Sequence[str]
    prepare: Sequence[str] = ()


def run_once(command: Command) -> Run:
    """Run a command to its end and return what it cost.  Raise CalledProcessError on failure."""
    if command.prepare:
        subprocess.run(command.prepare, check=True)
    started = time.perf_counter()
    with open(os.devnull, "wb") as null:
        # Compiled modules are kept, as wherever a program is installed.
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(command.argv, stdout=null, stderr=subprocess.PIPE, env=environ)
        error = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command.argv, stderr=error)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(commands: Sequence[Command], runs: int) -> list[list[Run]]:
    """Run the commands one after another, `runs` rounds after a warm-up; results per command."""
    for command in commands:
        run_once(command)
    rounds = [[run_once(command) for command in commands] for _ in range(runs)]
    return [list(column) for column in zip(*rounds, strict=True)]


def table(title: str, commands: Sequence[Command], results: Sequence[Sequence[Run]]) -> str:
    """Return a Markdown table; ratios are against the first command, paired by round."""
    lines = [
        f"### {title}",
        "",
        "| command | wall s | CPU s | peak MB | times the first |",
        "|-|-|-|-|-|",
    ]
    first = results[0]
    for command, column in zip(commands, results, strict=True):
        ratio = statistics.median(b.wall / a.wall for a, b in zip(first, column, strict=True))
        lines.append(
            f"| {command.name} | {statistics.median(r.wall for r in column):.2f} "
            f"| {statistics.median(r.cpu for r in column):.2f} "
            f"| {max(r.peak_mb for r in column):.0f} | {ratio:.2f} |"
        )
    return "\n".join([*lines, ""])


class Pair(NamedTuple):
    """The runs of one command with an older and a newer version."""

    name: str
    old: Sequence[Run]
    new: Sequence[Run]

    def ratio(self, figure: str) -> float:
        """Return how many times the old median of a figure of `Run` the new one is."""
        old, new = (
            statistics.median(getattr(run, figure) for run in side) for side in (self.old, self.new)
        )
        return new / old

    @property
    def is_worse(self) -> bool:
        """True when the newer version takes clearly more wall time."""
        return self.ratio("wall") > LIMIT


def paired_table(title: str, pairs: Sequence[Pair]) -> str:
    """Return a Markdown table of old and new medians; CPU time is the less noisy figure."""
    lines = [
        f"### {title}",
        "",
        "| command | runs | old s | new s | wall ratio | CPU ratio | |",
        "|-|-|-|-|-|-|-|",
    ]
    for pair in pairs:
        before, after = (statistics.median(r.wall for r in side) for side in (pair.old, pair.new))
        lines.append(
            f"| {pair.name} | {len(pair.new)} | {before:.3f} | {after:.3f}"
            f" | {pair.ratio('wall'):.3f} | {pair.ratio('cpu'):.3f}"
            f" | {'**worse**' if pair.is_worse else ''} |"
        )
    return "\n".join([*lines, ""])
