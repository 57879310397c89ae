"""Job tables of cron and anacron.

Sources: crontab(5), anacrontab(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_SETTING = re.compile(r"\s*(['\"]?)(\w+)\1\s*=\s*(['\"]?)(.*?)\3\s*")
_TIMES = r"(@\w+|(?:\S+\s+){4}\S+)"
_SYSTEM = re.compile(rf"\s*{_TIMES}\s+(\S+)\s+(\S.*)")
_ACCOUNT = re.compile(rf"\s*{_TIMES}()\s+(\S.*)")
_ANACRON = re.compile(r"\s*((?:@\w+|\d+)\s+\d+)\s+(\S+)\s+(\S.*)")
_PROGRAM = re.compile(r"(?:^|[\s;&|(])(/[\w./+-]+|[A-Za-z_][\w.+-]*)(?=[\s;&|)]|\Z)")
_PARTS = re.compile(r"\|\||&&|[;{}]")
_RUN_PARTS = "run-parts"
_SHELL_WORDS = frozenset(
    {"test", "command", "exec", "root", "if", "then", "cd", "nice", "ionice", "env", "export",
     "set", "x", "v"}
)  # fmt: skip


class Table(Enum):
    """A form of job tables: what a line holds besides its times and command."""

    SYSTEM = _SYSTEM
    """The user."""
    ACCOUNT = _ACCOUNT
    """Nothing: the table is that of one account."""
    ANACRON = _ANACRON
    """The identifier of the job, after a delay."""


class Job(NamedTuple):
    """One job: schedule, user (for anacron its identifier, empty in a user's table), command."""

    schedule: str
    user: str
    command: str


def parse_crontab(text: str, form: Table = Table.SYSTEM) -> Iterator[Job | None]:
    r"""Yield each job of a table, and None for each malformed line.

    >>> [*parse_crontab("17 *  * * *  root  run-parts /etc/cron.hourly\nMAILTO=root\n")]
    [Job(schedule='17 * * * *', user='root', command='run-parts /etc/cron.hourly')]
    """
    for line in _lines(text):
        if _SETTING.fullmatch(line):
            continue
        match = form.value.fullmatch(line)
        if match is None:
            yield None
            continue
        schedule = " ".join(match[1].split())
        yield Job(schedule, match[2], " ".join(match[3].split()))


def parse_variables(text: str) -> dict[str, str]:
    r"""Return the variables that a table sets for its jobs, every value of one that is set again.

    >>> parse_variables("CRON_TZ=Europe/Berlin\n0 3 * * * root x\n")
    {'CRON_TZ': 'Europe/Berlin'}
    """
    found: dict[str, list[str]] = {}
    for line in _lines(text):
        setting = _SETTING.fullmatch(line)
        if setting:
            found.setdefault(setting[2], []).append(setting[4])
    return {name: ", then ".join(values) for name, values in found.items()}


def _lines(text: str) -> Iterator[str]:
    lines = (line.strip() for line in text.split("\n"))
    return (line for line in lines if line and not line.startswith("#"))


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
