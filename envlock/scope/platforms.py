"""Compiled files that a package ships for several systems: which are for this one."""

from __future__ import annotations

import re

from envlock.scope.graph import Around

_OTHER_SYSTEMS = re.compile(r"(?:\A|[-_/])(?:darwin|macos|win32|windows|android|freebsd|sunos|aix)")
_MACHINES = {
    "amd64": ("x64", "x86_64", "amd64"),
    "x86_64": ("x64", "x86_64", "amd64"),
    "arm64": ("arm64", "aarch64"),
    "aarch64": ("arm64", "aarch64"),
}
"""Architecture of the system -> its names in the paths of packages."""
_MACHINE = re.compile(
    r"(?:\A|[-_/.])(x64|x86_64|amd64|arm64|aarch64|armv[67]l?|arm|ia32|i686|ppc64le|ppc64|s390x"
    r"|riscv64|mips64el|loong64)(?=[-_/.+]|\Z)"
)
_MUSL = re.compile(r"musl|alpine")


def is_for_this_system(path: str, around: Around) -> bool:
    """True unless the last parts of a path name another system, processor or C library."""
    end = "/".join(path.split("/")[-4:])
    if _OTHER_SYSTEMS.search(end):
        return False
    machine = _MACHINE.findall(end)
    own = _MACHINES.get(around.lock.get("os").get("arch", ""))
    if machine and own and machine[-1] not in own:
        return False
    return not _MUSL.search(end) or around.once(_has_musl)


def _has_musl(around: Around) -> bool:
    return any(name.startswith("ld-musl-") for name in around.view.names("/lib"))
