"""The command line in this process, on inputs that someone made to break it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest

from envlock.cli.main import run

SECONDS = 60
"""After this time a command hangs; each takes a fraction of a second."""
LONGEST_SENTENCE = 700


class Outcome(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    def is_refused(self, *statuses: int) -> None:
        """Assert that one documented status and one clear sentence say what is wrong."""
        self.is_sound()
        assert self.status in (statuses or (2, 3, 4, 5)), self
        errors = [line for line in self.err.splitlines() if line.startswith("envlock: error: ")]
        assert len(errors) == 1, self.err
        assert 20 < len(errors[0]) < LONGEST_SENTENCE, self.err[:2000]

    def is_sound(self) -> None:
        """Assert that it did not crash, whether or not the input was refused."""
        assert self.status in (0, 1, 2, 3, 4, 5, 6), f"{self.status}: {self.err[-2000:]}"
        assert "internal error" not in self.err
        assert "Traceback" not in self.err + self.out


class Hang(BaseException):
    """A command did not end; no handler of ordinary exceptions keeps it."""


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


class Attacked:
    """Runs ``envlock ARGUMENTS`` in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: object) -> Outcome:
        self._capture.readouterr()
        signal.signal(signal.SIGALRM, _hang)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            status = run([str(argument) for argument in arguments])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return Outcome(status, *self._capture.readouterr())


@pytest.fixture
def attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Attacked]:
    """Return the command line in an empty folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    term, alarm = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    yield Attacked(folder, capfd)
    signal.signal(signal.SIGTERM, term)
    signal.signal(signal.SIGALRM, alarm)
