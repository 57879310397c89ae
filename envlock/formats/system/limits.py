"""Resource limits of processes: limits.conf of PAM, /proc/PID/limits, and control groups.

Sources: limits.conf(5), proc_pid_limits(5), and Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_MAX_LINES = 10_000
_COLUMNS = re.compile(r"\s{2,}")
_ROW_NAMES = {
    "Max address space": "as",
    "Max core file size": "core",
    "Max data size": "data",
    "Max file size": "fsize",
    "Max locked memory": "memlock",
    "Max open files": "nofile",
    "Max processes": "nproc",
    "Max stack size": "stack",
}
"""Row of /proc/PID/limits -> item of limits.conf(5); other rows depend on the size of memory."""


class Limit(NamedTuple):
    """A line of limits.conf: domain, type (``soft``, ``hard``, or ``-`` for both), item, value."""

    domain: str
    type: str
    item: str
    value: str


def parse_pam_limits(text: str) -> list[Limit]:
    """Return the limits of one file, in order; malformed lines are skipped."""
    found = []
    for line in text.split("\n")[:_MAX_LINES]:
        words = line.partition("#")[0].split()
        if len(words) == 4 and words[1] in ("soft", "hard", "-"):
            found.append(Limit(*words))
    return found


def parse_proc_limits(text: str) -> dict[str, tuple[str, str]]:
    """Return item -> (soft, hard) of /proc/PID/limits, of the items that administrators set."""
    found = {}
    for line in text.split("\n"):
        words = _COLUMNS.split(line.strip())
        if len(words) >= 3 and words[0] in _ROW_NAMES:
            found[_ROW_NAMES[words[0]]] = (words[1], words[2])
    return found


def parse_cgroup(text: str) -> dict[str, str]:
    """Return controller -> path of /proc/PID/cgroup; version 2 has the controller ``""``."""
    found = {}
    for line in text.split("\n"):
        parts = line.strip().split(":", 2)
        if len(parts) == 3 and parts[2].startswith("/") and ".." not in parts[2].split("/"):
            found.update(dict.fromkeys(parts[1].split(","), parts[2]))
    return found


def smallest(values: Iterable[str]) -> str:
    """Return the smallest limit, empty when there is none.

    ``max``, -1 and the value of version 1 for no limit (close to 2**63) are ignored.  A pair
    (``200000 100000``, quota and period) counts by its first number.
    """
    found: list[tuple[int, str]] = []
    for value in values:
        number = value.split(" ")[0]
        if number.isdecimal() and number.isascii() and int(number) < 2**62:
            found.append((int(number), value))
    return min(found)[1] if found else ""
