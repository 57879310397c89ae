"""Rules for configuration: repositories, accounts, services, run command."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.fixes import system
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind

_RESTORE = "compare {key} on both sides and keep one"

CONFIG_RULES: tuple[Rule, ...] = (
    Rule(
        id="APT-SOURCE",
        severity=HIGH,
        sections=("apt-source",),
        why="packages and updates come from another repository",
        next="give both sides the same entries in /etc/apt/sources.list.d",
        source="sources.list(5)",
    ),
    Rule(
        id="REPOSITORY",
        severity=HIGH,
        sections=("repository",),
        why="packages and updates come from another repository, or are verified differently",
        next="give both sides the same repositories",
        source="dnf.conf(5); apk-repositories(5); pacman.conf(5)",
    ),
    Rule(
        id="APT-PIN",
        severity=MEDIUM,
        sections=("apt-pin",),
        why="the next upgrade chooses other versions",
        next="give both sides the same entries in /etc/apt/preferences.d",
        source="apt_preferences(5)",
    ),
    Rule(
        id="ALTERNATIVE",
        severity=MEDIUM,
        sections=("alternative",),
        why="the command {key} is another program",
        fix=system.alternative,
        next="choose the same program on both sides with update-alternatives --config",
        source="update-alternatives(1)",
    ),
    Rule(
        id="DPKG-OVERRIDE",
        severity=MEDIUM,
        sections=("diversion", "statoverride"),
        why="dpkg puts a file at another path, or with other permissions",
        fix=system.override,
        next="compare dpkg-divert --list and dpkg-statoverride --list",
        source="dpkg-divert(1); dpkg-statoverride(1)",
    ),
    Rule(
        id="USER-ROOT",
        severity=CRITICAL,
        sections=("user",),
        fields=("", "uid"),
        kinds=(ADDED, CHANGED),
        when=predicates.is_root_account,
        why="another account has the privileges of root",
        next="remove {key} on {right_name}, or give it another uid",
        source="passwd(5)",
    ),
    Rule(
        id="USER-NUMBER",
        severity=HIGH,
        sections=("user", "group"),
        fields=("uid", "gid"),
        kinds=(CHANGED,),
        why="files on shared or copied volumes belong to another account",
        next="give {key} the number {left} on both sides",
        source="passwd(5); group(5)",
    ),
    Rule(
        id="ACCOUNT",
        severity=MEDIUM,
        sections=("user", "group"),
        why="accounts, and so permissions, differ",
        fix=system.account,
        next="create or change {key} in the same way on both sides",
        source="passwd(5); group(5)",
    ),
    Rule(
        id="SERVICE",
        severity=MEDIUM,
        sections=("service",),
        why="other services start with the system",
        fix=system.service,
        next="compare systemctl is-enabled {key}",
        source="systemctl(1)",
    ),
    Rule(
        id="LOCALE",
        severity=MEDIUM,
        sections=("locale",),
        why="sorting, number formats, messages or local time differ",
        fix=system.time_zone,
        next="set {field} to the same value on both sides",
        source="locale(7); localtime(5)",
    ),
    Rule(
        id="PROCESS-ROOT",
        severity=HIGH,
        sections=("process",),
        fields=("user",),
        when=predicates.becomes_root,
        why="on {right_name} it runs as root",
        next="set the user in the image, or where the container is started, to that of {left_name}",
        source="OCI image configuration, User",
    ),
    Rule(
        id="PROCESS",
        severity=MEDIUM,
        sections=("process",),
        why="another program runs, or with other settings",
        next="give both sides the same {field}",
        source="OCI image configuration",
    ),
)
