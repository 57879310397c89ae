"""Files that their reader ignores or refuses because of their mode or owner.

The content is right and has no effect: sshd refuses a list of keys that others may write, cron a
table of another owner, a database client a file of passwords that others may read.
"""

from __future__ import annotations

from envlock.diff.drift import Delta
from envlock.model.glob import GlobSet

_WRITABLE_BY_OTHERS = 0o022
_WRITABLE_BY_ALL = 0o002
_FOR_OTHERS = 0o077
_FORBIDDEN = (
    (
        _WRITABLE_BY_OTHERS,
        GlobSet(
            (
                *(f"{home}{rest}" for home in ("/root", "/home/*") for rest in ("", "/.ssh")),
                "**/.ssh/authorized_keys*",
                "/etc/crontab",
                "/etc/cron.d/*",
                "/etc/logrotate.conf",
                "/etc/logrotate.d/*",
                "/etc/sudoers",
                "/etc/sudoers.d/*",
            )
        ),
    ),
    (
        _WRITABLE_BY_ALL,
        GlobSet(("/etc/my.cnf", "/etc/my.cnf.d/**", "/etc/mysql/**", "**/.my.cnf")),
    ),
    (
        _FOR_OTHERS,
        GlobSet(("**/.ssh/id_*", "**/.pgpass", "**/.erlang.cookie", "**/.fetchmailrc")),
    ),
)
"""Bits of a mode, and the files that must not have them."""
_PUBLIC = ".pub"
_OF_ROOT = GlobSet(
    ("/etc/crontab", "/etc/cron.d/*", "/etc/logrotate.d/*", "/etc/sudoers", "/etc/sudoers.d/*")
)


def is_refused(delta: Delta) -> bool:
    """True when the mode or owner of a file lets its reader use it on the left side only."""
    if delta.left is None or delta.right is None:
        return False
    if delta.field == "owner":
        was, now = (value.partition(":")[0] == "0" for value in (delta.left, delta.right))
        return was and not now and _OF_ROOT(delta.key)
    if delta.key.endswith(_PUBLIC):
        return False
    try:
        before, after = (int(value, 8) for value in (delta.left, delta.right))
    except ValueError:
        return False
    return any(
        after & bits and not before & bits and files(delta.key) for bits, files in _FORBIDDEN
    )
