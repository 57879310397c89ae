"""Why cron never runs a file that looks like a job: its name, owner, mode.

Sources: cron(8) of Debian and of cronie; run-parts(8); the BusyBox applets crond and run-parts.
"""

from __future__ import annotations

import re

from envlock.capture.context import Context
from envlock.model.tree import Entry, EntryType

_STRICT = re.compile(r"[\w-]+\Z", re.ASCII)
"""Names that the cron and run-parts of Debian and BusyBox accept."""
_LENIENT = re.compile(r"[^.].*", re.DOTALL)
"""Names that cronie and the run-parts of Red Hat, SUSE and Arch accept, leftovers excepted."""
_LENIENT_SYSTEMS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/var/lib/pacman")
_LEFTOVER = re.compile(
    r"\.|.*(?:~|,|,v|\.(?:dpkg-\w+|ucf-\w+|rpm\w+|pac\w+|apk-\w+|bak|backup|old|orig|save|saved|swp"
    r"|cfsaved|disabled?|off|inactive|example|sample|dist|template|tmp|txt|md))\Z",
    re.DOTALL | re.IGNORECASE,
)
"""Names that no one expects to be run: backups, leftovers of packages, jobs switched off."""
_NAME = "cron passes over names with other signs than letters, digits, - and _"
_NOT_EXECUTABLE = "nobody may run it"
_WRITABLE = "others may write it"
_NOT_ROOT = "it does not belong to root"


def cron_names(context: Context) -> re.Pattern[str]:
    """Return the names that the cron of this system accepts."""
    return _LENIENT if any(map(context.exists, _LENIENT_SYSTEMS)) else _STRICT


def is_leftover(path: str) -> bool:
    """True for the name of a backup, of a leftover, or of a job that was switched off.

    >>> is_leftover("/etc/cron.d/php.dpkg-new"), is_leftover("/etc/cron.d/example.com")
    (True, False)
    """
    return _LEFTOVER.match(path.rpartition("/")[2]) is not None


def ignored_script(entry: Entry, names: re.Pattern[str]) -> str:
    """Return why a file in a periodic folder is never run, empty when it is."""
    if not names.match(entry.path.rpartition("/")[2]):
        return _NAME
    is_file = entry.type in (EntryType.FILE, EntryType.HARDLINK)
    return _NOT_EXECUTABLE if is_file and not entry.mode & 0o111 else ""


def ignored_table(path: str, names: re.Pattern[str], context: Context) -> str:
    """Return why cron does not read a table of the system, empty when it does.

    Where /etc itself is not root's, all owners are those of a copy, and nothing is said of them.
    """
    if not names.match(path.rpartition("/")[2]):
        return _NAME
    entry, etc = context.stat(context.resolve(path)), context.stat("/etc")
    if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
        return ""
    if entry.mode & 0o022:
        return _WRITABLE
    return _NOT_ROOT if entry.uid and etc is not None and not etc.uid else ""
