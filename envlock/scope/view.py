"""What `envlock.scope` may ask of an environment that was captured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from envlock.formats.binary.linkage import Linkage
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry

SMALL = 1024 * 1024
"""Largest text file in bytes that an edge reads, unless it says otherwise."""


class View(Protocol):
    """The files of a captured environment, and which package owns each.

    Paths are absolute from the root of the target.  Nothing raises for a file that is missing or
    unreadable; what exists and cannot be read is noted as a gap.
    """

    def stat(self, path: str) -> Entry | None:
        """Return one path, a final link not followed; None when it is absent."""

    def resolve(self, path: str) -> str:
        """Return `path` with every link in it followed inside the root."""

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory, empty when absent."""

    def read(self, path: str, limit: int = SMALL) -> bytes | None:
        """Return the content of a file, links followed, or None when absent or unreadable."""

    def open(self, path: str) -> BinaryIO | None:
        """Open a regular file at a real path, or return None for any other and unreadable ones."""

    def prefetch(self, paths: Iterable[str]) -> None:
        """Take note that files at real paths will be asked for, where one question is slow."""

    def first_line(self, path: str) -> str:
        """Return the ``#!`` line of a script without its end, at most 255 bytes, else nothing."""

    def linkage(self, path: str) -> Linkage | None:
        """Return how an ELF file is linked, or None for any other file."""

    def sha256(self, path: str) -> str:
        """Return the digest of a program or library as hex, empty where it is not known."""

    def owner(self, path: str) -> str:
        """Return the record that claims a real path (``deb libc6:amd64``), empty for none."""

    def process(self) -> ProcessConfig | None:
        """Return the run configuration with its variables, or None without one."""

    def gap(self, where: str, reason: str) -> None:
        """Note that something could not be read or understood."""
