"""Generated account files: locked accounts without passwords, which are never in a lock.

Formats: shadow(5), gshadow(5), passwd(5), group(5).
"""

from __future__ import annotations

from collections.abc import Iterator


def derive_shadow(passwd: bytes, epoch_day: int) -> bytes:
    """Return /etc/shadow with one locked account per line of /etc/passwd.

    `epoch_day` is the day of the last password change, counted from 1970-01-01.
    """
    return b"".join(b"%b:*:%d:0:99999:7:::\n" % (name, epoch_day) for name in _names(passwd))


def derive_gshadow(group: bytes) -> bytes:
    """Return /etc/gshadow with one locked group per line of /etc/group, members kept."""
    members = {
        fields[0]: fields[3]
        for fields in (line.split(b":") for line in group.splitlines())
        if len(fields) > 3
    }
    return b"".join(b"%b:*::%b\n" % (name, members.get(name, b"")) for name in _names(group))


def _names(database: bytes) -> Iterator[bytes]:
    """Yield each account name once; lines that include a network database (+, -) have none."""
    lines = (line for line in database.splitlines() if line and line[:1] not in b"+-#")
    yield from dict.fromkeys(name for line in lines if (name := line.partition(b":")[0]))
