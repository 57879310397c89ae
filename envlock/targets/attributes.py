"""Which extended attributes of a path are recorded: those that belong to it, not to one machine.

Left out are labels of the machine's security module, signatures made with its key, and what a file
system keeps there for itself.  Worker processes import this module, so it imports nothing.
"""

from __future__ import annotations

PREFIXES = ("security.", "system.posix_acl_", "trusted.", "user.")
LEFT_OUT = (
    "security.SMACK64",
    "security.apparmor",
    "security.evm",
    "security.ima",
    "security.selinux",
    "trusted.SGI_",
    "trusted.glusterfs.",
    "trusted.gfid",
    "trusted.overlay.",
    "user.overlay.",
)


def is_recorded(name: str) -> bool:
    """True for an attribute that is recorded."""
    return name.startswith(PREFIXES) and not name.startswith(LEFT_OUT)
