"""File capabilities: the text form in packages, and the binary form in extended attributes.

Sources: cap_from_text(3), capabilities(7), and linux/capability.h for ``vfs_cap_data``.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

_NAMES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
    "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
    "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
    "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
)  # fmt: skip
_BITS = {f"cap_{name}": 1 << bit for bit, name in enumerate(_NAMES)}
_ALL = (1 << len(_NAMES)) - 1
_CLAUSE = re.compile(r"([a-z0-9_,]*)((?:[=+-][eip]*)+)\Z")
_ACTION = re.compile(r"([=+-])([eip]*)")
_EFFECTIVE = 1


class FileCapabilities(NamedTuple):
    """Permitted and inheritable capabilities as bit sets, and the effective flag."""

    permitted: int = 0
    inheritable: int = 0
    is_effective: bool = False

    def __str__(self) -> str:
        """Return the text form of cap_to_text(3), ``none`` for an empty set."""
        if self == NO_CAPABILITIES:
            return "none"
        flags = "e" * self.is_effective + "i" * bool(self.inheritable) + "p" * bool(self.permitted)
        bits = self.permitted | self.inheritable
        names = [name for name, bit in _BITS.items() if bits & bit]
        return f"{','.join(names)}={flags}"


NO_CAPABILITIES = FileCapabilities()


def parse_capabilities(text: str) -> FileCapabilities | None:
    """Return the capabilities in text like ``cap_net_raw,cap_net_admin=ep``, or None if invalid."""
    sets = dict.fromkeys("eip", 0)
    for clause in text.lower().split():
        match = _CLAUSE.match(clause)
        bits = _bits(match[1]) if match else None
        if match is None or bits is None:
            return None
        for operator, flags in _ACTION.findall(match[2]):
            for flag in "eip":
                if operator == "=" or (operator == "-" and flag in flags):
                    sets[flag] &= ~bits
                if operator != "-" and flag in flags:
                    sets[flag] |= bits
    return FileCapabilities(sets["p"], sets["i"], bool(sets["e"]))


def _bits(names: str) -> int | None:
    bits = 0
    for name in names.split(",") if names else ("all",):
        if name != "all" and name not in _BITS:
            return None
        bits |= _ALL if name == "all" else _BITS[name]
    return bits


def capability_names(bits: int) -> str:
    """Return the names in a set of capabilities of a process, ``all`` for the whole set.

    >>> capability_names(0x21), capability_names((1 << 41) - 1), capability_names(0)
    ('chown kill', 'all', '')
    """
    if bits & _ALL == _ALL:
        return "all"
    return " ".join(name for at, name in enumerate(_NAMES) if bits >> at & 1)


def decode_capabilities(raw: bytes) -> FileCapabilities | None:
    """Return the content of the attribute ``security.capability``, or None if invalid."""
    words = len(raw) // 4
    if words not in (3, 5, 6) or len(raw) % 4:
        return None
    magic, *sets = struct.unpack(f"<{words}I", raw)
    permitted, inheritable = sets[0], sets[1]
    if words > 3:
        permitted |= sets[2] << 32
        inheritable |= sets[3] << 32
    return FileCapabilities(permitted, inheritable, bool(magic & _EFFECTIVE))
