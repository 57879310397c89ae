"""What apply needs of a package manager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from envlock.apply.plan import Archive, Transaction
from envlock.apply.programs import Machine

Files = Mapping[Archive, Path]
"""Where the package files of a plan are on this machine, each verified by its digest."""


class Pool(NamedTuple):
    """A folder of package files of a run: its path on this machine, and on the one to change."""

    path: Path
    inside: str


class PackageTool(Protocol):
    """One package manager.  Each function raises CommandFailed, or OSError."""

    name: str
    touches: tuple[str, ...]
    """Files beside its own database that packages change, and that are kept."""

    def obstacle(self, machine: Machine) -> str:
        """Return why it cannot be used now, as a sentence, empty if it can."""

    def stage(self, machine: Machine, pool: Pool) -> None:
        """Make the folder, which has the package files, a repository."""

    def simulate(self, machine: Machine, pool: Pool, wanted: Transaction) -> list[str]:
        """Return what it would do beside the transaction, as words; nothing is changed."""

    def run(self, machine: Machine, pool: Pool, wanted: Transaction) -> None:
        """Do the transaction, and set the marks.  What is done already is passed over."""

    def finish_interrupted(self, machine: Machine) -> None:
        """Finish what an interrupted call of it left, so that it can be used again."""

    def undo(self, machine: Machine, pool: Pool, done: Transaction) -> None:
        """Install the versions of before again, and remove what was new, with its settings."""
