"""Every error a user can meet, with its exit status and its stable id.

The tree (status in brackets)::

    EnvlockError
    |-- UsageError [2]                the command line cannot be understood
    |   |-- ConfigError [2]           envlock.toml or a setting is wrong
    |   |-- TargetNameError [2]       a TARGET that has no known form
    |   |-- TraceFileError [2]        a file of `envlock trace` that cannot be read
    |   `-- LockfileError [2]         a lockfile that cannot be read
    |       `-- LockfileVersionError [2]   written by a newer envlock
    |-- InconclusiveError [3]         a required section was not covered, or nothing to compare
    |-- UnreachableError [4]          something outside envlock did not answer
    |   |-- TargetError [4]           the environment: stopped daemon, dead container, no such root
    |   |-- TraceError [4]            strace is missing, or may not trace
    |   |-- RegistryError [4]         an OCI registry: no answer, a refusal, or other bytes
    |   |-- SandboxError [4]          a declared environment cannot be installed here
    |   |-- SourceError [4]           an artifact source: mirror, index, cache
    |   `-- StoreError [4]            envlock's own store: corrupt, missing object, disk full
    |-- MaterializeError [5]          the rebuild is impossible; carries all reasons
    |-- ApplyError [5]                a machine cannot be changed as planned, or only in part
    |-- SecretRefusedError [6]        a secret would have been written
    `-- InterruptedByUser [130]       Ctrl-C; 143 after SIGTERM, 129 after SIGHUP

The library raises these; only `envlock.cli` turns one into a message and a status.
Each `id` is documented in docs/reference/errors.md and never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """Exit statuses of the process, as documented in docs/reference/command-line.md."""

    OK = 0
    DRIFT = 1
    USAGE = 2
    INCONCLUSIVE = 3
    UNREACHABLE = 4
    MATERIALIZE = 5
    SECRET = 6
    INTERNAL = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class EnvlockError(Exception):
    """Base of all errors; with this id it is an internal error, which is a bug in envlock.

    `message` is one sentence without a full stop that says what happened; `where` is a path, line
    or name; `hint` is the next command or step.
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
    """The command line cannot be understood, or asks for something impossible."""

    status = ExitStatus.USAGE
    id = "usage"


class ConfigError(UsageError):
    """envlock.toml, a variable or an option has an invalid setting; the place is given."""

    id = "config"


class TargetNameError(UsageError):
    """A TARGET or LOCK operand does not have a known form."""

    id = "target-name"


class StateInUseError(UsageError):
    """Data of a service was to be taken along while its server runs, or without a part of it."""

    id = "state-in-use"


class TraceFileError(UsageError):
    """A file that `envlock trace` should have written cannot be read; the file is given."""

    id = "trace-file"


class LockfileError(UsageError):
    """A lockfile cannot be read; the file is given, and the line if its content is invalid."""

    id = "lockfile"


class LockfileVersionError(LockfileError):
    """A lockfile has a format version that this version of envlock does not read."""

    id = "lockfile-version"


class InconclusiveError(EnvlockError):
    """A required section was not covered, or the two sides cannot be compared."""

    status = ExitStatus.INCONCLUSIVE
    id = "inconclusive"


class UnreachableError(EnvlockError):
    """Something outside envlock did not answer, or standard output cannot be written."""

    status = ExitStatus.UNREACHABLE
    id = "unreachable"


class TargetError(UnreachableError):
    """The environment cannot be reached, or stopped answering during the capture."""

    id = "target"


class TraceError(UnreachableError):
    """A command cannot be traced: strace is missing or too old, or the system forbids ptrace(2)."""

    id = "trace"


class RegistryError(UnreachableError):
    """An OCI registry does not answer, refuses, or sent other bytes than its digests state."""

    id = "registry"


class ManifestRefusedError(RegistryError):
    """A registry does not take a manifest of this form."""

    id = "manifest-refused"


class SourceError(UnreachableError):
    """An artifact source does not answer, or sent other bytes than the lock refers to."""

    id = "source"


class SandboxError(UnreachableError):
    """No sandbox can be made for a declared environment, or an installation in it failed."""

    id = "sandbox"


class StoreError(UnreachableError):
    """The store is corrupt, lacks an object, or cannot be written, for example on a full disk."""

    id = "store"


class MaterializeError(EnvlockError):
    """The lock cannot be rebuilt; all reasons are listed, not only the first.

    `blockers` are these reasons.
    """

    status = ExitStatus.MATERIALIZE
    id = "materialize"

    def __init__(
        self, message: str, *, blockers: tuple[str, ...] = (), where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.blockers = blockers


class ApplyError(EnvlockError):
    """A machine cannot be changed as planned, or was changed in part; the hint says what to do."""

    status = ExitStatus.MATERIALIZE
    id = "apply"


class SecretRefusedError(EnvlockError):
    """A secret would have been written; nothing was written."""

    status = ExitStatus.SECRET
    id = "secret"


class InterruptedByUser(EnvlockError):
    """The command was interrupted by a signal; no partly written file is left.

    The status says by which one: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
    """

    status = ExitStatus.INTERRUPTED
    id = "interrupted"


def documented_errors(root: type[EnvlockError] = EnvlockError) -> Iterator[type[EnvlockError]]:
    """Yield the errors of this module, parents first; subclasses elsewhere share a parent's id."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == __name__:
            yield from documented_errors(child)
