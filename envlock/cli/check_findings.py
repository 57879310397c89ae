"""Inconsistencies of a single lock, as ``envlock check`` prints them."""

from __future__ import annotations

from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.inconsistencies.inconsistency import Inconsistency
from envlock.errors import LockfileError
from envlock.lockfile.reader import parse_lock
from envlock.model.severity import Severity
from envlock.model.text import escape
from envlock.report.wording import shell_line


def lock_inconsistencies(raw: bytes, where: str) -> list[Inconsistency]:
    """Return the inconsistencies of the lockfile `raw`, an empty list if it cannot be read."""
    try:
        return find_inconsistencies(parse_lock(raw, where=where))
    except LockfileError:
        return []


def is_failure(found: Inconsistency, level: Severity | None) -> bool:
    """True for an inconsistency that makes the check fail; less severe ones are advice."""
    return level is not None and found.severity.rank <= level.rank


def to_line(found: Inconsistency) -> str:
    """Return one line: severity, record, problem, rule, remedy."""
    record = escape(found.record.strip())
    line = f"{found.severity}: {record}: {escape(found.message)} ({found.rule})"
    if found.fix:
        return f"{line}; fix: {shell_line(found.fix)}"
    return f"{line}; next: {found.next}" if found.next else line


def to_json(found: Inconsistency) -> dict[str, object]:
    """Return an inconsistency as a JSON object."""
    section, _, key = found.record.partition(" ")
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "section": section,
        "key": key,
        "message": found.message,
        "fix": shell_line(found.fix),
        "commands": [list(command) for command in found.fix],
        "next": "" if found.fix else found.next,
    }
