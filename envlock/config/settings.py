"""The table of settings: it drives reading, the documentation and ``envlock.toml.example``.

A key ``diff.fail-on`` stands in envlock.toml as ``fail-on`` under ``[diff]``, in the environment
as ``ENVLOCK_DIFF_FAIL_ON``, on some command lines as a flag.  In the environment the items of a
list are separated by commas, and an empty variable counts as not set.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.config.policy_tables import EXPECT, PRESETS, WAIVE
from envlock.config.setting import LEVELS, Kind, Setting, Table, Value

__all__ = ["LEVELS", "SETTINGS", "TABLES", "Kind", "Setting", "Table", "Value"]

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
            key="diff.presets",
            kind=Kind.WORDS,
            default=(),
            help="Rules of what to ignore that ship with envlock, each with its reason.",
            choices=PRESETS,
        ),
        Setting(
            key="diff.baseline",
            kind=Kind.PATH,
            default="",
            help="A file of differences that are accepted as they are and may only become fewer.",
            flag="--baseline",
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
        EXPECT,
        WAIVE,
    )
}
"""Every repeating setting, in the order the documentation shows them."""
