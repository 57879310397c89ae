"""The table of settings, from which reading, documentation and ``envlock.toml.example`` follow.

The key ``diff.fail-on`` is ``fail-on`` under ``[diff]`` in envlock.toml, the variable
``ENVLOCK_DIFF_FAIL_ON`` in the environment, and an option of some verbs.  In a variable the items
of a list are separated by commas, and an empty variable counts as not set.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.config.declare_table import DECLARE
from envlock.config.policy_tables import EXPECT, PRESETS, WAIVE
from envlock.config.setting import LEVELS, Kind, Setting, Table, Value
from envlock.model.scope import RootKind

__all__ = ["LEVELS", "SETTINGS", "TABLES", "Kind", "Setting", "Table", "Value"]

SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for setting in (
        Setting(
            key="jobs",
            kind=Kind.COUNT,
            default=0,
            help="How many files to read, or artifacts to open, in parallel; 0: as many as CPUs.",
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
            help="The directory of the lockfiles, NAME.lock for the environment NAME.",
        ),
        Setting(
            key="locks.carry",
            kind=Kind.CHOICE,
            default="none",
            help="git: a capture also writes the file tree and what no package has to objects/ "
            "beside the lock, so that a clone can rebuild it.",
            choices=("none", "git"),
        ),
        Setting(
            key="locks.carry-limit",
            kind=Kind.COUNT,
            default=8 * 1024 * 1024,
            help="The most bytes of one environment that are written there; above, none are.",
        ),
        Setting(
            key="locks.remote",
            kind=Kind.TEXT,
            default="",
            help="The repository of a registry, oci://HOST/REPOSITORY, from which content that the "
            "store lacks is fetched, and to which `envlock push NAME` sends the tag NAME.",
        ),
        Setting(
            key="locks.vendor",
            kind=Kind.TEXT,
            default=".envlock/packages",
            help="Where `envlock vendor` keeps packages, and a rebuild looks for them before it "
            "asks any mirror: a directory, seen from that of envlock.toml, or the repository of a "
            "registry, oci://HOST/REPOSITORY.",
        ),
        Setting(
            key="capture.files",
            kind=Kind.GLOBS,
            default=(),
            help="Further configuration files whose digest is recorded, besides those in /etc.",
        ),
        Setting(
            key="capture.ignore",
            kind=Kind.GLOBS,
            default=(),
            help="Paths that a capture never reads; the lock records each as a gap.",
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
            key="capture.key",
            kind=Kind.TEXT,
            default="",
            help="A key of `envlock key`, by which values that are not recorded are compared.",
        ),
        Setting(
            key="capture.with-state",
            kind=Kind.TEXTS,
            default=(),
            help="Paths of data of services (databases, mail) that is kept, whole, where it is "
            "found; its server must be stopped. Without it, such data is left out as a whole.",
        ),
        Setting(
            key="capture.timeout",
            kind=Kind.COUNT,
            default=60,
            help="Time limit of each collector in seconds; what it did not reach is a gap.",
            minimum=1,
        ),
        Setting(
            key="check.fail-on",
            kind=Kind.CHOICE,
            default="high",
            help="`envlock check` exits with status 1 if it finds something of this severity or "
            "above; its option --fail-on does the same.",
            choices=LEVELS,
        ),
        Setting(
            key="diff.fail-on",
            kind=Kind.CHOICE,
            default="low",
            help="Exit with status 1 if there is a change of this severity or above.",
            flag="--fail-on",
            choices=LEVELS,
        ),
        Setting(
            key="diff.ignore",
            kind=Kind.TEXTS,
            default=(),
            help='Changes to ignore: patterns "section:key" or "section:key:fact".',
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
            help="Sets of ignored changes that ship with envlock, each with its reason.",
            choices=PRESETS,
        ),
        Setting(
            key="diff.baseline",
            kind=Kind.PATH,
            default="",
            help="A file of accepted differences, which can only become fewer.",
            flag="--baseline",
        ),
        Setting(
            key="materialize.layers",
            kind=Kind.COUNT,
            default=64,
            help="The most layers of an image; with more layers, images share more of them.",
            flag="--layers",
            minimum=1,
        ),
        Setting(
            key="materialize.mirrors",
            kind=Kind.URLS,
            default=(),
            help="Further mirrors of apt, repositories of rpm, and mirrors of pacman with $repo, "
            "to fetch from; credentials belong in apt's auth.conf.",
        ),
        Setting(
            key="materialize.snapshots",
            kind=Kind.URLS,
            default=(),
            help="Services that keep every version of Debian packages, with the interface of "
            "Debian's snapshot archive; asked after mirrors.",
        ),
        Setting(
            key="materialize.archives",
            kind=Kind.URLS,
            default=(),
            help="Addresses of packages with fields in braces, asked last, for example "
            "https://archive.example.org/pool/main/{prefix}/{source}/{name}_{noepoch}_{arch}.deb; "
            "others are {filename}, {letter}, {version}, {sha256} and {scheme}.",
        ),
        Setting(
            key="materialize.wheels",
            kind=Kind.PATHS,
            default=(),
            help="Directories of packages and wheels, which are tried before the network.",
        ),
        Setting(
            key="store.path",
            kind=Kind.PATH,
            default="~/.local/share/envlock",
            help="The directory of the store; $XDG_DATA_HOME/envlock if that variable is set.",
            flag="--store",
        ),
    )
}
"""Every setting with a single value, in the order of the documentation."""

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
                    help="What to capture; without it the environment has only a lockfile.",
                ),
                Setting(
                    key="lock",
                    kind=Kind.PATH,
                    default="",
                    help="The lockfile; without it NAME.lock in locks.dir.",
                ),
                Setting(
                    key="roots",
                    kind=Kind.ROOTS,
                    default=(),
                    help="Where its applications begin, by role: KIND:ARGUMENT, with one of the "
                    f"kinds {', '.join(RootKind)}.",
                ),
                Setting(
                    key="traces",
                    kind=Kind.TRACES,
                    default=(),
                    help="Files of `envlock trace` by role: what runs of the application touched "
                    "belongs to it.",
                ),
            ),
            example={
                "target": "docker:web",
                "lock": "locks/dev.lock",
                "roots": ("app=python:/opt/app", "web=service:nginx"),
                "traces": ("app=traces/pytest.trace", "app=traces/serve.trace"),
            },
        ),
        DECLARE,
        Table(
            key="normalize",
            is_array=True,
            help="What an image leaves out, empties or keeps; these rules come before the built-in "
            "ones.",
            fields=(
                Setting(
                    key="path",
                    kind=Kind.GLOB,
                    default="",
                    help="A path pattern; it includes everything below the path.",
                ),
                Setting(
                    key="action",
                    kind=Kind.CHOICE,
                    default="drop",
                    help="drop: leave out; empty: remove the content; keep: do not change.",
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
"""Every repeatable setting, in the order of the documentation."""
