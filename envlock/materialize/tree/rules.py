"""Rules for what an image must not contain: the first one that matches a path decides.

The built-in rules leave alone the files that make up the identity of an environment (the
significant classes), except what no image can hold.  So a capture of the rebuilt image shows no
drift.  A rule of the user may drop anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from envlock.model.glob import compile_globs
from envlock.model.tree import OBSERVED, SIGNIFICANT, EntryType, FileClass, Row

NORMALIZER = "3"
"""Version of the built-in rules; a change to them that changes an image's digest raises it."""


class Action(StrEnum):
    """What happens to a path."""

    KEEP = "keep"
    DROP = "drop"
    EMPTY = "empty"
    """The file stays, without content."""
    LOCK_ACCOUNTS = "lock-accounts"
    """The content is generated from /etc/passwd, with every account locked."""
    LOCK_HASHES = "lock-hashes"
    """Password hashes in the content are replaced, so that their accounts are locked."""
    LOCK_GROUPS = "lock-groups"
    """The content is generated from /etc/group, with every group locked."""


_ALL_TYPES = frozenset(EntryType)
_ALL_CLASSES = frozenset(FileClass)
_INSIGNIFICANT = _ALL_CLASSES - SIGNIFICANT
_NOT_DIRECTORIES = _ALL_TYPES - {EntryType.DIRECTORY}
_FILES = frozenset({EntryType.FILE, EntryType.HARDLINK})


class Rule(NamedTuple):
    """One rule: its id, the paths it covers, what happens to them, and why.

    It applies to rows of the given `types` and `classes`; with `unkept`, only to content that the
    capture did not keep.  With `warn`, the user is told about each path that it dropped.
    """

    id: str
    globs: tuple[str, ...]
    action: Action
    reason: str
    types: frozenset[EntryType] = _ALL_TYPES
    classes: frozenset[FileClass] = _INSIGNIFICANT
    unkept: bool = False
    warn: bool = False

    def covers(self, row: Row) -> bool:
        """True when the rule applies to `row`, whatever its path."""
        return (
            row.entry.type in self.types
            and row.file_class in self.classes
            and (not self.unkept or row.source.startswith(OBSERVED))
        )


def user_rule(glob: str, action: Action = Action.DROP) -> Rule:
    """Return the rule for a glob of the user: the paths it matches and everything below them."""
    return Rule(
        f"user:{glob}",
        (glob, f"{glob}/**"),
        action,
        "asked for in the settings",
        classes=_ALL_CLASSES,
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "root-directory",
        ("/",),
        Action.DROP,
        "every engine creates the root directory itself",
        classes=_ALL_CLASSES,
    ),
    Rule(
        "sockets",
        ("**",),
        Action.DROP,
        "a socket exists only while a program listens on it",
        types=frozenset({EntryType.SOCKET}),
        classes=_ALL_CLASSES,
    ),
    Rule(
        "whiteout-names",
        ("**/.wh.*", "**/.wh.*/**"),
        Action.DROP,
        "image layers reserve these names for deletions",
        classes=_ALL_CLASSES,
        warn=True,
    ),
    Rule(
        "kernel-file-systems",
        ("/proc/**", "/sys/**", "/dev/**"),
        Action.DROP,
        "provided by the kernel of whatever runs the image",
    ),
    Rule(
        "runtime-files",
        ("/run/**", "/.dockerenv"),
        Action.DROP,
        "left by a running system; directories stay, since services expect them",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "temporary-files",
        ("/tmp/**", "/var/tmp/**"),  # noqa: S108  these name paths in an image, nothing is opened
        Action.DROP,
        "temporary by definition",
    ),
    Rule(
        "machine-id",
        ("/etc/machine-id",),
        Action.EMPTY,
        "random, and must differ on each machine; when empty, the first boot fills it",
        types=_FILES,
    ),
    Rule(
        "dbus-machine-id",
        ("/var/lib/dbus/machine-id",),
        Action.DROP,
        "a copy of the machine id",
        types=_FILES,
    ),
    Rule(
        "host-names",
        ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/hostid"),
        Action.DROP,
        "names the machine it was built on; whatever runs the image writes its own",
    ),
    Rule(
        "ssh-host-keys",
        ("/etc/ssh/ssh_host_*",),
        Action.DROP,
        "secret, and must differ on each machine; `ssh-keygen -A` makes new ones",
        warn=True,
    ),
    Rule(
        "snakeoil",
        ("/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/certs/ssl-cert-snakeoil.pem"),
        Action.DROP,
        "random; `make-ssl-cert generate-default-snakeoil` makes a new one",
        warn=True,
    ),
    Rule(
        "account-backups",
        tuple(f"/etc/{n}-" for n in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")),
        Action.DROP,
        "backup of an account file, with the history of the machine",
    ),
    Rule(
        "shadow",
        ("/etc/shadow",),
        Action.LOCK_ACCOUNTS,
        "password hashes are never in an image; every account is locked",
        types=_FILES,
    ),
    Rule(
        "account-hashes",
        ("/etc/passwd", "/etc/group"),
        Action.LOCK_HASHES,
        "password hashes are never in an image; their accounts are locked",
        types=frozenset({EntryType.FILE}),
        classes=_ALL_CLASSES,
    ),
    Rule(
        "gshadow",
        ("/etc/gshadow",),
        Action.LOCK_GROUPS,
        "password hashes are never in an image; every group is locked",
        types=_FILES,
    ),
    Rule(
        "debconf-passwords",
        ("/var/cache/debconf/passwords.dat*",),
        Action.DROP,
        "answers to package questions that are passwords",
    ),
    Rule(
        "login-records",
        tuple(f"/var/log/{name}" for name in ("wtmp", "btmp", "lastlog", "faillog", "tallylog")),
        Action.EMPTY,
        "logins; the empty file must exist for new ones to be recorded",
        types=_FILES,
    ),
    Rule(
        "logs",
        ("/var/log/**",),
        Action.DROP,
        "times of installation and of running; directories and their modes stay",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "python-bytecode",
        ("**/__pycache__", "**/__pycache__/**"),
        Action.DROP,
        "holds times of installation and differs between two compilations",
    ),
    Rule(
        "home-caches",
        ("**/.cache/**",),
        Action.DROP,
        "can be generated again",
    ),
    Rule(
        "apt-lists",
        ("/var/lib/apt/lists/**", "/var/cache/apt/**"),
        Action.DROP,
        "downloaded indices and packages; directories stay",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "system-caches",
        (
            "/var/cache/ldconfig/**",
            "/var/cache/man/**",
            "/var/cache/fontconfig/**",
            "/var/cache/debconf/*-old",
        ),
        Action.DROP,
        "holds inode numbers, directory times or an older state",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "dpkg-runtime",
        (
            "/var/lib/dpkg/*-old",
            "/var/lib/dpkg/lock*",
            "/var/lib/dpkg/triggers/Lock",
            "/var/lib/dpkg/updates/*",
            "/var/backups/**",
        ),
        Action.DROP,
        "locks and backups of the package database",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "systemd-state",
        (
            "/var/lib/systemd/random-seed",
            "/var/lib/systemd/credential.secret",
            "/var/lib/systemd/timers/*",
            "/var/lib/systemd/catalog/database",
        ),
        Action.DROP,
        "random, secret or a time; generated again at boot",
    ),
    Rule(
        "etc-runtime",
        (
            "/etc/adjtime",
            "/etc/mtab",
            "/etc/.pwd.lock",
            "/etc/blkid.tab",
            "/etc/apt/trusted.gpg~",
            "/etc/apt/trustdb.gpg",
            "/etc/apt/apt.conf.d/01autoremove-kernels",
        ),
        Action.DROP,
        "describes the hardware or the kernel of one machine, or locks a file",
    ),
    Rule(
        "update-databases",
        (
            "/var/lib/ucf/hashfile.?",
            "/var/lib/ucf/registry.?",
            "/var/lib/update-notifier/**",
            "/var/lib/plocate/**",
            "/var/lib/mlocate/**",
        ),
        Action.DROP,
        "backups, and indices of the files of one machine",
        types=_NOT_DIRECTORIES,
    ),
    Rule(
        "shell-history",
        ("/root/.*_history", "/home/*/.*_history", "/root/.lesshst", "/root/.wget-hsts"),
        Action.DROP,
        "traces of interactive use",
    ),
    Rule(
        "lost+found",
        ("**/lost+found", "**/lost+found/**"),
        Action.DROP,
        "created by the file system",
    ),
    Rule(
        "secrets",
        ("**",),
        Action.DROP,
        "secrets are never in an image; give them to the container when it runs",
        types=_NOT_DIRECTORIES,
        classes=frozenset({FileClass.SECRET}),
        warn=True,
    ),
    Rule(
        "identity",
        ("**",),
        Action.DROP,
        "names one machine",
        types=_FILES,
        classes=frozenset({FileClass.IDENTITY}),
        warn=True,
    ),
    Rule(
        "caches-and-logs",
        ("**",),
        Action.DROP,
        "content that can be generated again was not captured",
        types=_FILES,
        classes=frozenset({FileClass.CACHE, FileClass.LOG}),
        unkept=True,
    ),
    Rule(
        "large-state",
        ("**",),
        Action.DROP,
        "service state this large was not captured: data, not environment",
        types=_FILES,
        classes=frozenset({FileClass.STATE}),
        unkept=True,
        warn=True,
    ),
)


def explain(path: str, user_rules: Iterable[Rule] = ()) -> Rule | None:
    """Return the first rule that names `path`, whatever its class, or None."""
    return next(
        (
            rule
            for rule in (*user_rules, *RULES)
            if rule.globs != ("**",) and compile_globs(rule.globs).match(path)
        ),
        None,
    )
