"""Jobs that wait for `at` or `batch` to run them once.

Sources: at(1); atd(8); at.c and atd.c of at 3.2, which name a job after queue, number and time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from envlock.capture.context import Context
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.model.record import Record
from envlock.model.text import to_bytes
from envlock.model.tree import EntryType
from envlock.secrets.redact import redact_text

AT_SPOOLS = ("/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs", "/var/spool/atd")
"""Where Debian, Red Hat, SUSE and Alpine keep the jobs."""
_NAME = re.compile(r"[A-Za-z=][0-9a-f]{5}([0-9a-f]{8})\Z")
_USER = re.compile(r"^# atrun uid=([0-9]{1,10}) ", re.MULTILINE)
_END_OF_PREAMBLE = "}"
_DELIMITER = "marcinDELIMITER"
"""What some versions put around the commands, with a random number behind it."""


def at_jobs(context: Context) -> Iterator[Record]:
    """Yield a record of the section `cron` for each job in the queue.

    Facts: ``schedule`` (the time it was given, UTC), ``user`` (the number of the account), and
    ``command`` (digest of its commands without secrets, and without the variables before them).
    """
    for spool in context.distinct(AT_SPOOLS):
        for child in context.children(spool):
            match = _NAME.match(child.path.rpartition("/")[2])
            if match is None or child.type not in (EntryType.FILE, EntryType.HARDLINK):
                continue
            text = context.text(child.path, SETTINGS_LIMIT)
            if text is None:
                continue
            when = datetime.fromtimestamp(int(match[1], 16) * 60, UTC)
            facts = {"schedule": f"once {when:%Y-%m-%dT%H:%MZ}"}
            if stated := _USER.search(text):
                facts["user"] = stated[1]
            digest = hashlib.sha256(to_bytes(_commands(text))).hexdigest()
            yield Record("cron", child.path, facts | {"command": f"sha256:{digest}"})


def _commands(text: str) -> str:
    """Return the commands of a job: what follows the variables and the change of directory."""
    lines = [line for line in text.split("\n") if _DELIMITER not in line]
    first = lines.index(_END_OF_PREAMBLE) + 1 if _END_OF_PREAMBLE in lines else 0
    return "\n".join(redact_text(line) for line in lines[first:]).strip()
