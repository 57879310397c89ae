"""Measure captures of an image and of a running container of it: for the first time, and again."""

from __future__ import annotations

import statistics
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measure import Command, Run, in_turn, table

LIMITS = {"image, again": 0.1, "container, again": 0.15}
"""Most CPU time of a row, as a part of that of the first row."""


def images(root: Path | None, image: str, envlock: str, work: Path, runs: int) -> tuple[str, bool]:
    """Return a table, and whether each row keeps its limit.

    `image` is one of the engine with ``sleep`` in it; without one, `root` is imported.
    """
    with _imported(root, image) as name, _container(name) as container:
        store = work / "data/envlock"
        forget = ["sh", "-c", f"rm -rf {store}/statcache* {store}/cache"]
        lock = ["-o", str(work / "image.lock"), "-q"]
        capture = [envlock, "capture"]
        commands = [
            Command("image, nothing known", [*capture, f"image:{name}", *lock], forget),
            Command("image, again", [*capture, f"image:{name}", *lock]),
            Command("container, nothing known", [*capture, f"docker:{container}", *lock], forget),
            Command("container, again", [*capture, f"docker:{container}", *lock]),
            Command("container, --full", [*capture, f"docker:{container}", "--full", *lock]),
            Command(
                "docker export, sha256sum", ["sh", "-c", f"docker export {container} | sha256sum"]
            ),
        ]
        commands = [_warm(command) for command in commands]
        results = in_turn(commands, runs)
        size = subprocess.run(
            ["docker", "image", "inspect", "-f", "{{.Size}}", name],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    title = f"Captures of an image of {int(size) / 1e6:.0f} MB, and of a container of it"
    ratios = {
        command.name: _cpu_ratio(results[0], found)
        for command, found in zip(commands, results, strict=True)
        if command.name in LIMITS
    }
    told = "".join(
        f"- {name}: {ratio:.3f} times the CPU time of the first row; at most {LIMITS[name]}\n"
        for name, ratio in ratios.items()
    )
    holds = all(ratio <= LIMITS[name] for name, ratio in ratios.items())
    return f"{table(title, commands, results)}\n{told}", holds


def _warm(command: Command) -> Command:
    """Let a row that measures a second capture make the first one before, not measured."""
    if command.name not in LIMITS:
        return command
    return command._replace(prepare=["sh", "-c", '"$@" > /dev/null', "sh", *command.argv])


def _cpu_ratio(first: Sequence[Run], other: Sequence[Run]) -> float:
    return statistics.median(b.cpu / a.cpu for a, b in zip(first, other, strict=True))


@contextmanager
def _imported(root: Path | None, image: str) -> Iterator[str]:
    if image:
        yield image
        return
    name = f"envlock-bench:{uuid.uuid4().hex[:8]}"
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
        take = ["docker", "import", "-", name]
        subprocess.run(take, stdin=tar.stdout, check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


@contextmanager
def _container(image: str) -> Iterator[str]:
    name = f"envlock-bench-{uuid.uuid4().hex[:8]}"
    run = ["docker", "run", "-d", "--network", "none", "--name", name, image, "sleep", "86400"]
    subprocess.run(run, check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)
