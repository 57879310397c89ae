"""Measures two versions of envlock in turn: what a change costs, row by row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from locks import fleet_lock, synthetic_lock
from measure import Command, Pair, in_turn

MANY = 200
"""Locks of the row about a fleet."""


class Row(NamedTuple):
    """A command of envlock to measure with both versions, `times` as often as others.

    `remove` names what of the version's own directory is removed before each run.
    """

    name: str
    words: Sequence[str]
    remove: Sequence[str] = ()
    times: int = 1


class Version(NamedTuple):
    """A checkout and a directory of its own; both are run by this Python with its libraries."""

    checkout: Path
    folder: Path

    def command(self, row: Row) -> Command:
        """Return the command of a row, run in the version's directory."""
        environ = {
            "PYTHONPATH": self.checkout,
            "PYTHONPYCACHEPREFIX": self.folder / "pycache",
            **{f"XDG_{kind}_HOME": self.folder / kind.lower() for kind in ("DATA", "STATE")},
        }
        settings = [f"{name}={value}" for name, value in environ.items()]
        argv = ["env", f"--chdir={self.folder}", *settings, sys.executable, "-m", "envlock"]
        prepare = ["sh", "-c", f"cd {self.folder} && rm -rf {' '.join(row.remove)}"]
        return Command(row.name, [*argv, *row.words], prepare if row.remove else ())

    def require_package(self) -> None:
        """Raise SystemExit unless the package that is run is the checkout's."""
        environ = {"PYTHONPATH": str(self.checkout)}
        shown = subprocess.run(
            [sys.executable, "-c", "import envlock; print(envlock.__file__)"],
            check=True, capture_output=True, text=True, env=environ, cwd=self.folder,
        ).stdout  # fmt: skip
        if not Path(shown.strip()).is_relative_to(self.checkout):
            raise SystemExit(f"not the envlock of {self.checkout}: {shown.strip()}")


def against(older: Path, newer: Path, root: Path, work: Path, runs: int) -> list[Pair]:
    """Measure every row with both checkouts; a row that looks worse is run three times as often."""
    versions = [Version(older, work / "old"), Version(newer, work / "new")]
    for version in versions:
        version.folder.mkdir()
        version.require_package()
    pairs = []
    for row in rows(root, work):
        sys.stderr.write(f"{row.name}\n")
        commands = [version.command(row) for version in versions]
        pair = Pair(row.name, *in_turn(commands, runs * row.times))
        if pair.is_worse:
            more = in_turn(commands, 2 * runs * row.times)
            pair = Pair(row.name, [*pair.old, *more[0]], [*pair.new, *more[1]])
        pairs.append(pair)
    return pairs


def rows(root: Path, work: Path) -> Iterator[Row]:
    """Yield the rows, each after what it needs was made; later ones use what earlier ones wrote."""
    digests = ("data/envlock/cache", "data/envlock/statcache.sqlite*")
    capture = ("capture", f"dir:{root}", "-o", "root.lock", "-q")
    yield Row("capture of a directory, nothing known", capture, digests)
    yield Row("capture of a directory, again", capture)
    yield Row("capture of packages only", (*capture[:2], "--only", "deb", "-o", "-", "-q"))
    host = ("capture", "host", "-o", "host.lock", "-q")
    yield Row("capture of this machine's configuration, nothing known", host, digests)
    yield Row("capture of this machine's configuration, again", host)
    build = ("materialize", "root.lock", "-o", "layout", "-q")
    yield Row("materialize, artifacts fetched before", build, ("layout",))
    yield Row("verify", ("verify", "root.lock", "oci:layout", "-q"))
    for each in (2500, 5000):
        for name, changed in (("left", 0), ("right", 40)):
            (work / f"{name}-{each}.lock").write_text(synthetic_lock(changed, each))
        pair = (str(work / f"left-{each}.lock"), str(work / f"right-{each}.lock"))
        name = f"diff of two locks of {2 * each:,} records"
        yield Row(name, ("diff", *pair), times=3)
        yield Row(f"{name}, JSON", ("diff", *pair, "--format", "json"), times=3)
    locks = [work / f"host-{number}.lock" for number in range(MANY)]
    for number, lock in enumerate(locks):
        lock.write_text(fleet_lock(number))
    yield Row(f"diff of {MANY} locks of 5,000 records", ("diff", *map(str, locks)))
    yield Row(f"diff of {MANY} locks, JSON", ("diff", "--json", *map(str, locks)))
    yield Row("check of a lock", ("check", "root.lock"), times=2)
    yield Row("--help", ("--help",), times=6)
