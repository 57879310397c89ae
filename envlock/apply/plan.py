"""The plan of an apply: every step as data, computed before anything is changed.

`envlock.apply.execute` does exactly what a plan says.  `envlock.apply.plan_document` is its form as
JSON, which follows ``plan.schema.json``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from envlock.apply.gap import Command, Phase
from envlock.model.tree import Entry


class StepKind(StrEnum):
    """What a step does."""

    PACKAGES = "packages"
    """Installs, changes, configures and removes packages in one transaction, and marks them."""
    COMMAND = "command"
    """Runs commands; `Step.touches` are the files that they change."""
    FILE = "file"
    """Gives one path its type, content, mode, owner and attributes."""
    FOLDER = "folder"
    """Builds a directory anew beside the old one, and exchanges the two."""
    REFRESH = "refresh"
    """Runs a command that makes files from others; it is run again when the others go back."""


class Verb(StrEnum):
    """What a transaction does with one package."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CONFIGURE = "configure"
    """Finishes an installation that was interrupted."""
    REMOVE = "remove"
    """Its configuration files stay."""


class Archive(NamedTuple):
    """A package file: name, version, architecture, SHA-256 in hex, and size in bytes."""

    name: str
    version: str
    arch: str
    sha256: str
    size: int


class PackageChange(NamedTuple):
    """A package of a transaction.

    `before` and `after` are versions, empty for not installed.  `archive` is the file of `after`,
    `old` that of `before`, which `apply --undo` installs again.
    """

    verb: Verb
    name: str
    arch: str
    before: str
    after: str
    archive: Archive | None = None
    old: Archive | None = None

    @property
    def has_undo(self) -> bool:
        """True when the version of before can be installed again."""
        return not self.before or self.before == self.after or self.old is not None


class Marks(NamedTuple):
    """Names of packages by the mark that they get (apt-mark(8))."""

    auto: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    unhold: tuple[str, ...] = ()


class Transaction(NamedTuple):
    """What one call of a package manager does, in the order of names, and the marks afterwards."""

    manager: str
    changes: tuple[PackageChange, ...]
    marks: Marks = Marks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    - `id`: its position and what it is about, such as ``03-file-etc-app.conf``.
    - `risk`: why it deserves a look, empty for an ordinary step.
    - `gaps`: ids of the differences that it removes.
    - `commands`, `undo`: of kind COMMAND and REFRESH; without `undo`, the files in `touches` are
      put back.
    - `before`, `after`: of kind FILE, None for a path that is not there; without `after.sha256` a
      file keeps its content.
    - `entries`: of kind FOLDER, everything below the path of `after`; `is_replaced`: there is an
      old one.
    - `has_undo`: False when not all of it can be taken back.
    """

    id: str
    kind: StepKind
    phase: Phase
    summary: str
    risk: str = ""
    gaps: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    undo: tuple[Command, ...] = ()
    touches: tuple[str, ...] = ()
    before: Entry | None = None
    after: Entry | None = None
    entries: tuple[Entry, ...] = ()
    is_replaced: bool = False
    packages: Transaction | None = None
    has_undo: bool = True

    @property
    def path(self) -> str:
        """The path of a step of kind FILE or FOLDER, else empty."""
        entry = self.after or self.before
        return entry.path if entry else ""

    @property
    def size(self) -> int:
        """How many bytes it brings: of files, or of packages as they are packed."""
        files = sum(entry.size for entry in (*self.entries, self.after) if entry)
        packed = self.packages.changes if self.packages else ()
        return files + sum(change.archive.size for change in packed if change.archive)


class Left(NamedTuple):
    """A difference that no step removes, and why."""

    id: str
    section: str
    key: str
    field: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What apply would do to make the machine `target` like the lock named `lock`.

    `lock_digest` is the environment digest of the lock; `machine` identifies the machine, in hex,
    empty where it has no machine-id(5).  `roles` are the applications that it is about.
    """

    lock: str
    lock_digest: str
    target: str
    machine: str
    steps: tuple[Step, ...]
    left: tuple[Left, ...] = ()
    roles: tuple[str, ...] = field(default=())
