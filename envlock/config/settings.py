"""The table of settings: it drives reading, the documentation and ``envlock.toml.example``.

A key ``diff.fail-on`` stands in envlock.toml as ``fail-on`` under ``[diff]``, in the environment
as ``ENVLOCK_DIFF_FAIL_ON``, on some command lines as a flag.  In the environment the items of a
list are separated by commas, and an empty variable counts as not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | tuple[str, ...]
"""What a setting holds once it is read; paths are absolute text."""


class Kind(StrEnum):
    """What a setting accepts."""

    TEXT = "text"
    CHOICE = "one of a few words"
    COUNT = "a whole number"
    PATH = "a path"
    """Relative to the folder of the file that sets it, else to the working directory."""
    TEXTS = "a list of texts"
    SECTIONS = "a list of section names"
    GLOBS = "a list of path patterns"
    """Absolute, or starting with ``**``; `*` stays within a name."""
    PATHS = "a list of paths"
    URLS = "a list of URLs without credentials"
    GLOB = "a path pattern"

    @property
    def is_list(self) -> bool:
        """True when the value is a tuple."""
        return self in (Kind.TEXTS, Kind.SECTIONS, Kind.GLOBS, Kind.PATHS, Kind.URLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    `key` is dotted; in a `Table` it is the name of a field.  `default` is as it would be written
    in envlock.toml.  `flag` is the option that sets it, or empty.  `choices` belongs to CHOICE,
    `minimum` to COUNT.
    """

    key: str
    kind: Kind
    default: Value
    help: str
    flag: str = ""
    choices: tuple[str, ...] = ()
    minimum: int = 0

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "ENVLOCK_" + self.key.upper().replace(".", "_").replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A setting that repeats: tables by name (``[environments.dev]``) or an array (``[[x]]``).

    Only files can set it.  `required` are the fields that have no default.  `example` holds one
    value for each field.
    """

    key: str
    is_array: bool
    fields: tuple[Setting, ...]
    help: str
    example: Mapping[str, str]
    required: frozenset[str] = frozenset()


LEVELS = ("critical", "high", "medium", "low", "info")
"""Severities of a change, the worst first."""

SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for setting in (
        Setting(
            key="jobs",
            kind=Kind.COUNT,
            default=0,
            help="How many files to read, or artifacts to open, at once; 0: as many as CPUs.",
            flag="--jobs",
        ),
        Setting(
            key="color",
            kind=Kind.CHOICE,
            default="auto",
            help="When to color output; auto: on a terminal, unless NO_COLOR is set.",
            flag="--color",
            choices=("auto", "always", "never"),
        ),
        Setting(
            key="locks.dir",
            kind=Kind.PATH,
            default="locks",
            help="The folder of the lockfiles, NAME.lock for the environment NAME.",
        ),
        Setting(
            key="capture.files",
            kind=Kind.GLOBS,
            default=(),
            help="Further config files to hold in the lock by digest, beside those under /etc.",
        ),
        Setting(
            key="capture.ignore",
            kind=Kind.GLOBS,
            default=(),
            help="What a capture never walks into; the lock records each as a gap.",
        ),
        Setting(
            key="capture.env-allow",
            kind=Kind.TEXTS,
            default=(),
            help="Further variables (names or patterns) whose values may be recorded.",
        ),
        Setting(
            key="capture.env-deny",
            kind=Kind.TEXTS,
            default=(),
            help="Variables whose values are never recorded; wins over env-allow.",
        ),
        Setting(
            key="capture.timeout",
            kind=Kind.COUNT,
            default=60,
            help="The most seconds one collector may take; what it did not reach is a gap.",
            minimum=1,
        ),
        Setting(
            key="diff.fail-on",
            kind=Kind.CHOICE,
            default="low",
            help="The least severity of a change that makes the exit status 1.",
            flag="--fail-on",
            choices=LEVELS,
        ),
        Setting(
            key="diff.ignore",
            kind=Kind.TEXTS,
            default=(),
            help='Changes that are none: "section:key", a pattern, or "section:key:fact".',
        ),
        Setting(
            key="diff.require",
            kind=Kind.SECTIONS,
            default=(),
            help="Sections that must be covered on both sides, else the exit status is 3.",
        ),
        Setting(
            key="materialize.layers",
            kind=Kind.COUNT,
            default=10,
            help="The most layers an image may have; more layers share more between images.",
            flag="--layers",
            minimum=1,
        ),
        Setting(
            key="materialize.mirrors",
            kind=Kind.URLS,
            default=(),
            help="Further apt mirrors to look in; credentials belong into apt's auth.conf.",
        ),
        Setting(
            key="materialize.wheels",
            kind=Kind.PATHS,
            default=(),
            help="Folders of packages and wheels to look in before any network.",
        ),
        Setting(
            key="store.path",
            kind=Kind.PATH,
            default="~/.local/share/envlock",
            help="Where content is kept by digest; $XDG_DATA_HOME/envlock where that is set.",
            flag="--store",
        ),
    )
}
"""Every plain setting, in the order the documentation shows them."""

TABLES: Mapping[str, Table] = {
    table.key: table
    for table in (
        Table(
            key="environments",
            is_array=False,
            help="The environments of this project: `envlock diff dev prod`.",
            fields=(
                Setting(
                    key="target",
                    kind=Kind.TEXT,
                    default="",
                    help="What to capture; without it the name means only its lockfile.",
                ),
                Setting(
                    key="lock",
                    kind=Kind.PATH,
                    default="",
                    help="The lockfile; without it NAME.lock in locks.dir.",
                ),
            ),
            example={"target": "docker:web", "lock": "locks/dev.lock"},
        ),
        Table(
            key="normalize",
            is_array=True,
            help="What an image leaves out or empties, before the built-in rules.",
            fields=(
                Setting(
                    key="path",
                    kind=Kind.GLOB,
                    default="",
                    help="A path pattern; it covers what lies below as well.",
                ),
                Setting(
                    key="action",
                    kind=Kind.CHOICE,
                    default="drop",
                    help="What becomes of it.",
                    choices=("drop", "empty", "keep"),
                ),
                Setting(key="reason", kind=Kind.TEXT, default="", help="Why; shown by explain."),
            ),
            example={"path": "/srv/cache", "action": "drop", "reason": "downloaded again on start"},
            required=frozenset({"path"}),
        ),
    )
}
"""Every repeating setting, in the order the documentation shows them."""
