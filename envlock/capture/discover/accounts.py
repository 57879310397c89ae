"""Whether an account or group of a name can exist: in the local files, or from elsewhere.

Source: nsswitch.conf(5); sysusers.d(5).
"""

from __future__ import annotations

import re

from envlock.capture.context import Context
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines

_LOCAL = frozenset({"files", "compat", "systemd", "altfiles", "db"})
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*\$?\Z", re.ASCII)
_MADE_AT_BOOT = ("/etc/sysusers.d", "/run/sysusers.d", "/usr/lib/sysusers.d")
_GROUP = "group-missing"
ACCOUNT_READS = (
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    *(f"{folder}/*" for folder in _MADE_AT_BOOT),
)
"""Paths that `is_unknown_account` reads."""


def is_unknown_account(name: str, fact: str, context: Context) -> bool:
    """True when it is proved that no account, or with ``group-missing`` no group, has this name.

    False for numbers, where accounts come from a directory service, and for those that
    systemd-sysusers makes at the next boot.
    """
    path = "/etc/group" if fact == _GROUP else "/etc/passwd"
    if not _PLAIN.match(name) or is_in_file(name, path, context) is not False:
        return False
    return _all_are_local(path.rpartition("/")[2], context) and not _is_made(name, context)


def is_in_file(name: str, path: str, context: Context) -> bool | None:
    """True when a file of accounts or groups has this name; None when it has nothing at all."""
    text = context.text(path)
    return any(line.partition(":")[0] == name for line in text.split("\n")) if text else None


def _all_are_local(database: str, context: Context) -> bool:
    for line in parse_lines(context.text("/etc/nsswitch.conf", SETTINGS_LIMIT) or ""):
        named, colon, sources = line.partition(":")
        if colon and named.strip() in (database, "initgroups"):
            words = {word for word in sources.split() if not word.startswith("[")}
            if words - _LOCAL:
                return False
    return True


def _is_made(name: str, context: Context) -> bool:
    for folder in _MADE_AT_BOOT:
        for file in context.names(folder):
            text = context.text(f"{folder}/{file}", SETTINGS_LIMIT) or ""
            if any(name in line.split()[1:3] for line in parse_lines(text)):
                return True
    return False
