"""What is wrong with one lock by itself, as ``envlock check`` prints it."""

from __future__ import annotations

from envlock.diff.drift import Severity
from envlock.diff.inconsistencies import Inconsistency, find_inconsistencies
from envlock.errors import LockfileError
from envlock.lockfile.reader import parse_lock
from envlock.model.text import escape


def lock_inconsistencies(raw: bytes, where: str) -> list[Inconsistency]:
    """Return the inconsistencies of the lock in `raw`; none of one that cannot be read."""
    try:
        return find_inconsistencies(parse_lock(raw, where=where))
    except LockfileError:
        return []


def is_failure(found: Inconsistency) -> bool:
    """True for what cannot work at all; the rest is advice."""
    return found.severity is Severity.CRITICAL


def to_line(found: Inconsistency) -> str:
    """Return one line: severity, record, what is wrong, rule, what to do."""
    record = escape(found.record.strip())
    said = f"{found.severity}: {record}: {escape(found.message)} ({found.rule})"
    return f"{said}; {found.fix}" if found.fix else said


def to_json(found: Inconsistency) -> dict[str, str]:
    """Return an inconsistency for machines."""
    section, _, key = found.record.partition(" ")
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "section": section,
        "key": key,
        "message": found.message,
        "fix": found.fix,
    }
