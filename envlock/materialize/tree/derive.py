"""Generated account files: locked accounts without passwords, which are never in a lock.

Formats: shadow(5), gshadow(5), passwd(5), group(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.text import from_bytes
from envlock.secrets.spans import MASK

_LONGEST_WORD = 8
"""A locked field may say why (``*LK*``); what is longer is a hash that was locked."""


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


class LockedAccounts(NamedTuple):
    """An account file without hashes, and the names of the accounts that had one."""

    content: bytes
    names: tuple[str, ...]


def lock_hashes(database: bytes) -> LockedAccounts:
    r"""Return passwd(5) or group(5) with ``*`` in place of each password hash.

    Before there was shadow(5), hashes were kept here.  What a capture wrote in place of one counts
    as one.

    >>> lock_hashes(b"root:$6$salt$hash:0:0::/root:/bin/sh\nbin:x:1:1::/:\n").names
    ('root',)
    """
    lines, names = [], []
    for line in database.split(b"\n"):
        name, *rest = line.split(b":")
        if len(rest) > 1 and _is_hash(rest[0]) and name[:1] not in b"+-#":
            names.append(from_bytes(name))
            line = b":".join((name, b"*", *rest[1:]))  # noqa: PLW2901
        lines.append(line)
    return LockedAccounts(b"\n".join(lines), tuple(dict.fromkeys(names)))


def _is_hash(field: bytes) -> bool:
    return (
        field == MASK.encode()
        or not (field in (b"", b"x") or field[:1] in b"!*")
        or (len(field.lstrip(b"!*")) > _LONGEST_WORD)
    )


def _names(database: bytes) -> Iterator[bytes]:
    """Yield each account name once; lines that include a network database (+, -) have none."""
    lines = (line for line in database.splitlines() if line and line[:1] not in b"+-#")
    yield from dict.fromkeys(name for line in lines if (name := line.partition(b":")[0]))
