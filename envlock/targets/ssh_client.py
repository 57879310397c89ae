"""How the system's OpenSSH client is called: its options, and the machine it is to reach."""

from __future__ import annotations

import re

from envlock.errors import TargetNameError

_OPERAND = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.+-]*)@)?"
    r"(?:(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*)|\[(?P<address>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?)\])"
    r"(?::(?P<port>[0-9]{1,5}))?\Z"
)

OPTIONS = (
    "-T", "-a", "-x",
    "-o", "ConnectTimeout=15",
    "-o", "ServerAliveInterval=15",
    "-o", "ServerAliveCountMax=3",
    "-o", "ClearAllForwardings=yes",
    "-o", "LogLevel=ERROR",
)  # fmt: skip
"""No terminal, no forwarding, and a timeout for a dead connection (ssh_config(5))."""


def destination(operand: str) -> list[str]:
    """Return the ssh arguments for ``[USER@]HOST[:PORT]``.  Raise TargetNameError.

    >>> destination("admin@db1.example.org:2222")
    ['-p', '2222', '--', 'admin@db1.example.org']
    >>> destination("[::1]")
    ['--', '::1']
    """
    found = _OPERAND.match(operand)
    port = int(found["port"] or 22) if found else 0
    if found is None or not 0 < port < 65536:
        raise TargetNameError(
            f"'ssh:{operand}' names no machine",
            hint="write ssh:[USER@]HOST[:PORT]; define anything else as a host in ~/.ssh/config",
        )
    user = f"{found['user']}@" if found["user"] else ""
    host = f"{user}{found['host'] or found['address']}"
    return [*(["-p", str(port)] if found["port"] else []), "--", host]
