"""Every error a user can meet, with its exit status and its stable id.

The tree (status in brackets)::

    EnvlockError
    |-- UsageError [2]                the command line cannot be understood
    |   |-- ConfigError [2]           envlock.toml or a setting is wrong
    |   |-- TargetNameError [2]       a TARGET that names no known kind of environment
    |   `-- LockfileError [2]         a lockfile that cannot be read, with the place in it
    |       `-- LockfileVersionError [2]   written by a newer envlock
    |-- InconclusiveError [3]         a required section was not covered, or nothing to compare
    |-- UnreachableError [4]          something outside envlock did not answer
    |   |-- TargetError [4]           the environment: stopped daemon, dead container, no such root
    |   |-- SourceError [4]           an artifact source: mirror, index, cache
    |   `-- StoreError [4]            envlock's own store: corrupt, missing object, disk full
    |-- MaterializeError [5]          the rebuild cannot be done; carries every blocker at once
    |-- SecretRefusedError [6]        a secret would have been written
    `-- InterruptedByUser [130]       Ctrl-C

The library raises these; only `envlock.cli` turns one into a message and a status.
Each `id` is documented in docs/reference/errors.md and never changes its meaning.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """The process exit statuses, as promised in docs/reference/command-line.md."""

    OK = 0
    DRIFT = 1
    USAGE = 2
    INCONCLUSIVE = 3
    UNREACHABLE = 4
    MATERIALIZE = 5
    SECRET = 6
    INTERNAL = 70
    INTERRUPTED = 130


class EnvlockError(Exception):
    """Base of all errors meant for a user: what happened, where, and what to do next.

    `message` is one sentence without a final stop; `where` a path, line or name;
    `hint` the next command or step.
    """

    status: ClassVar[ExitStatus] = ExitStatus.INTERNAL
    id: ClassVar[str] = "internal"

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.where})" if self.where else self.message


class UsageError(EnvlockError):
    """The command line cannot be understood."""

    status = ExitStatus.USAGE
    id = "usage"


class ConfigError(UsageError):
    """envlock.toml or another settings source is wrong."""

    id = "config"


class TargetNameError(UsageError):
    """A TARGET or LOCK operand that names nothing envlock knows."""

    id = "target-name"


class LockfileError(UsageError):
    """A lockfile that cannot be read; `where` gives the file and the place in it."""

    id = "lockfile"


class LockfileVersionError(LockfileError):
    """A lockfile of a format version this envlock does not read."""

    id = "lockfile-version"


class InconclusiveError(EnvlockError):
    """A required section was not covered, or the two sides cannot be compared."""

    status = ExitStatus.INCONCLUSIVE
    id = "inconclusive"


class UnreachableError(EnvlockError):
    """Something outside envlock did not answer."""

    status = ExitStatus.UNREACHABLE
    id = "unreachable"


class TargetError(UnreachableError):
    """The environment cannot be reached or stopped answering midway."""

    id = "target"


class SourceError(UnreachableError):
    """An artifact source does not answer, or answered with other bytes."""

    id = "source"


class StoreError(UnreachableError):
    """The store is corrupt, lacks an object, or cannot be written (disk full)."""

    id = "store"


class MaterializeError(EnvlockError):
    """The rebuild cannot be done.  `blockers` lists every reason, not only the first."""

    status = ExitStatus.MATERIALIZE
    id = "materialize"

    def __init__(
        self, message: str, *, blockers: tuple[str, ...] = (), where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.blockers = blockers


class SecretRefusedError(EnvlockError):
    """A secret would have been written; nothing was."""

    status = ExitStatus.SECRET
    id = "secret"


class InterruptedByUser(EnvlockError):
    """Ctrl-C or SIGTERM; nothing half-written was left."""

    status = ExitStatus.INTERRUPTED
    id = "interrupted"
