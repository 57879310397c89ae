"""Measure what `envlock trace` costs a test suite, as times of what the suite costs alone."""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from envlock.targets.local.tracer import CALLS, FILTER

LIMIT = 3.0
"""A traced suite that takes more than so many times its own processor time is too slow."""
SUITES = {
    "pytest tests/unit/versions, which starts 3,000 programs": "tests/unit/versions",
    "pytest tests/unit/model, which starts none": "tests/unit/model",
}
"""What is measured -> the tests of envlock that it runs."""
_PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """Wall and CPU seconds of a command and of everything that it left running."""

    wall: float
    cpu: float


class Traced(NamedTuple):
    """The rounds of one suite: each the cost alone, under strace, and under envlock."""

    name: str
    rounds: Sequence[Sequence[Cost]]

    def seconds(self, way: int, figure: str) -> float:
        """Return the median of a figure of `Cost`; `way` is 0 alone, 1 strace, 2 envlock."""
        return statistics.median(getattr(costs[way], figure) for costs in self.rounds)

    def ratio(self, way: int, figure: str) -> float:
        """Return the median of the paired ratios to the suite alone."""
        ratios = (getattr(c[way], figure) / getattr(c[0], figure) for c in self.rounds)
        return statistics.median(ratios)

    @property
    def holds(self) -> bool:
        """True when the processor time is within the limit."""
        return self.ratio(2, "cpu") <= LIMIT


def traced_suites(
    checkout: Path, work: Path, runs: int, suites: Mapping[str, str] = SUITES
) -> Iterator[Traced]:
    """Run each suite in turn alone, under the strace that envlock starts, and under envlock."""
    strace = ["strace", *FILTER, "-D", "-e", f"trace={CALLS}", "-o", os.devnull, "--"]
    envlock = [sys.executable, "-m", "envlock", "trace", "-o", str(work / "suite.trace"), "--"]
    for name, tests in suites.items():
        sys.stderr.write(f"{name}\n")
        suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
        ways = (suite, [*strace, *suite], [*envlock, *suite])
        cost_of(suite, checkout)
        rounds = [[cost_of(argv, checkout) for argv in ways] for _ in range(runs)]
        yield Traced(name, rounds)


def cost_of(argv: Sequence[str], folder: Path) -> Cost:
    """Run a command in `folder` and wait for all that it leaves; raise CalledProcessError.

    strace is started beside the command, so it is no child of whoever waits for the command.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Compiled modules are kept, as wherever a program is installed.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        argv, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environ | {"PYTHONPATH": str(folder)},
    )  # fmt: skip
    wall = time.perf_counter() - started
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


def trace_table(results: Sequence[Traced]) -> str:
    """Return a Markdown table: seconds of a suite alone, and how many times that traced."""
    lines = [
        "### What a trace costs",
        "",
        "| suite | rounds | CPU s | strace | trace | wall s | strace | trace | |",
        "|-|-|-|-|-|-|-|-|-|",
    ]
    for each in results:
        cells = (
            f"{each.seconds(0, figure):.1f} | {each.ratio(1, figure):.2f}"
            f" | {each.ratio(2, figure):.2f}"
            for figure in ("cpu", "wall")
        )
        mark = "" if each.holds else f"**more than {LIMIT:g}**"
        lines.append(f"| {each.name} | {len(each.rounds)} | {' | '.join(cells)} | {mark} |")
    return "\n".join([*lines, ""])
