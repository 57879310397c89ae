"""What to capture, and how deep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Depth(StrEnum):
    """How much of the file tree a capture reads."""

    RECORDS = "records"
    """Only the files that the chosen collectors name: packages and facts in a moment."""
    CONFIG = "config"
    """Walk the names of the whole tree, read configuration and Python environments."""
    FULL = "full"
    """Read and hash every file, keep the residue: the lock can be materialized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to capture.

    `only` and `skip` name collectors (empty `only`: all).  `files` are globs of paths to hold in
    the lock by digest, `ignore` globs never walked.  `env_allow` and `env_deny` add to the
    built-in lists of variables whose values may be recorded.  `timeout` is the most seconds that
    one collector may take.
    """

    depth: Depth = Depth.FULL
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    env_allow: tuple[str, ...] = ()
    env_deny: tuple[str, ...] = ()
    jobs: int = 0
    timeout: float = 60
