"""Jobs of cron and anacron: schedule, user, variables, and digest of the command.

A command is never recorded, only the program that it runs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.accounts import ACCOUNT_READS, is_unknown_account
from envlock.capture.discover.at_jobs import AT_SPOOLS, at_jobs
from envlock.capture.discover.ignored_jobs import (
    cron_names,
    ignored_script,
    ignored_table,
    is_leftover,
)
from envlock.formats.system.cron import Table, parse_crontab, parse_variables, program_of
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.model.record import Record
from envlock.model.text import to_bytes
from envlock.model.tree import EntryType
from envlock.secrets.redact import redact_environ, redact_text

_TABLE, _ANACRON, _FOLDER = "/etc/crontab", "/etc/anacrontab", "/etc/cron.d"
_PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
_ALPINE = "/etc/periodic"
_ALPINE_PERIODS = ("15min", *_PERIODS[:4])
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/etc/crontabs")
_VARIABLES = ("CRON_TZ", "MAILTO", "MAILFROM", "SHELL", "RANDOM_DELAY", "START_HOURS_RANGE")
"""Variables that cron itself reads (crontab(5), anacrontab(5)), whose values may be recorded."""
_TEMPORARY = re.compile(
    r"tmp\.|cron\.|\.|crontabs\Z|tabs\Z|cron\.update\Z|atjobs\Z|atspool\Z|lastrun\Z"
)


def collect(context: Context) -> Iterator[Record]:
    """Yield the jobs of system tables, scripts of periodic directories, user tables, and `at`.

    The key of a job is its table and program, with a number where a program has several jobs.
    Facts: ``schedule``, ``user`` (not in the table of a user), ``command`` (digest of the command
    without secrets).  ``TABLE NAME=`` is a variable of the jobs of a table.  A file that cron never
    runs has only ``ignored``, the reason.
    """
    yield from _jobs(_ANACRON, Table.ANACRON, context)
    names = cron_names(context)
    for path in (_TABLE, *_tables(context)):
        why = ignored_table(path, names, context)
        if why:
            yield Record("cron", path, {"ignored": why})
        else:
            yield from _jobs(path, Table.SYSTEM, context)
    periods = dict(_folders())
    for folder in context.distinct(periods):
        for child in context.children(folder):
            if child.type is not EntryType.DIRECTORY and not is_leftover(child.path):
                why = ignored_script(child, names)
                facts = {"ignored": why} if why else {"schedule": f"@{periods[folder]}"}
                yield Record("cron", child.path, facts)
    for spool in context.distinct(_SPOOLS):
        for child in context.children(spool):
            name = child.path.rpartition("/")[2]
            if child.type in (EntryType.FILE, EntryType.HARDLINK) and not _TEMPORARY.match(name):
                yield from _jobs(child.path, Table.ACCOUNT, context)
    yield from at_jobs(context)


def _tables(context: Context) -> Iterator[str]:
    for child in context.children(_FOLDER):
        if child.type is not EntryType.DIRECTORY and not is_leftover(child.path):
            yield child.path


def _folders() -> Iterator[tuple[str, str]]:
    for period in _PERIODS:
        yield f"/etc/cron.{period}", period
    for period in _ALPINE_PERIODS:
        yield f"{_ALPINE}/{period}", period


def _jobs(path: str, form: Table, context: Context) -> Iterator[Record]:
    text = context.text(path, SETTINGS_LIMIT) or ""
    allowed = (*_VARIABLES, *context.env_allow)
    for record in redact_environ(parse_variables(text), allowed, context.env_deny):
        yield Record("cron", f"{path} {record.key}=", record.facts)
    seen: Counter[str] = Counter()
    for job in parse_crontab(text, form):
        if job is None:
            context.gap(path, "malformed job")
            continue
        command = redact_text(job.command)
        key = f"{path} {program_of(command)}".rstrip()
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key} {seen[key]}"
        digest = hashlib.sha256(to_bytes(command)).hexdigest()
        facts = {"schedule": job.schedule, "command": f"sha256:{digest}"}
        if form is Table.SYSTEM and is_unknown_account(job.user, "user-missing", context):
            facts["ignored"] = f"there is no account {job.user}"
        if job.user:
            facts["job" if form is Table.ANACRON else "user"] = job.user
        yield Record("cron", key, facts)


COLLECTOR = Collector(
    name="cron",
    sections=("cron",),
    reads=(
        _TABLE,
        _ANACRON,
        f"{_FOLDER}/*",
        *(f"{folder}/*" for folder, _ in _folders()),
        *(f"{spool}/*" for spool in (*_SPOOLS, *AT_SPOOLS)),
        *ACCOUNT_READS,
    ),
    collect=collect,
    sources=("crontab(5)", "anacrontab(5)", "run-parts(8)", "at(1)"),
)
