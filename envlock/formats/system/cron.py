"""Job tables of cron and anacron.

Sources: crontab(5), anacrontab(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SETTING = re.compile(r"\s*['\"]?\w+['\"]?\s*=")
_TIMES = r"(@\w+|(?:\S+\s+){4}\S+)"
_SYSTEM = re.compile(rf"\s*{_TIMES}\s+(\S+)\s+(\S.*)")
_ANACRON = re.compile(r"\s*((?:@\w+|\d+)\s+\d+)\s+(\S+)\s+(\S.*)")
_PROGRAM = re.compile(r"(?:^|[\s;&|(])(/[\w./+-]+|[A-Za-z_][\w.+-]*)(?=[\s;&|)]|\Z)")
_PARTS = re.compile(r"\|\||&&|[;{}]")
_RUN_PARTS = "run-parts"
_SHELL_WORDS = frozenset(
    {"test", "command", "exec", "root", "if", "then", "cd", "nice", "ionice", "env", "export",
     "set", "x", "v"}
)  # fmt: skip


class Job(NamedTuple):
    """One job: schedule, user (for anacron its identifier), and command."""

    schedule: str
    user: str
    command: str


def parse_crontab(text: str, *, is_anacron: bool = False) -> Iterator[Job | None]:
    r"""Yield each job of a system table, and None for each malformed line.

    >>> [*parse_crontab("17 *  * * *  root  run-parts /etc/cron.hourly\nMAILTO=root\n")]
    [Job(schedule='17 * * * *', user='root', command='run-parts /etc/cron.hourly')]
    """
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line.startswith("#") or _SETTING.match(line):
            continue
        match = (_ANACRON if is_anacron else _SYSTEM).fullmatch(line)
        if match is None:
            yield None
            continue
        schedule = " ".join(match[1].split())
        yield Job(schedule, match[2], " ".join(match[3].split()))


def program_of(command: str) -> str:
    """Return the name or path of the program that a command runs, empty when it is unclear.

    Of several programs the last one; run-parts(8) is followed by its directory of scripts.

    >>> program_of("test -e /run/systemd/system || /sbin/e2scrub_all -A -r")
    '/sbin/e2scrub_all'
    """
    for part in reversed(_PARTS.split(command)):
        words = (match[1] for match in _PROGRAM.finditer(part))
        program = next((word for word in words if word not in _SHELL_WORDS), "")
        if program == _RUN_PARTS:
            folder = re.search(r"\s(/\S+)\s*\Z", part)
            return f"{program} {folder[1]}" if folder else program
        if program:
            return program
    return ""
