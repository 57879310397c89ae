"""What is wrong with one lock by itself, as ``envlock check`` prints it."""

from __future__ import annotations

from envlock.diff.drift import Severity
from envlock.diff.verdicts import Verdict, verdicts
from envlock.errors import LockfileError
from envlock.lockfile.reader import parse_lock
from envlock.model.text import escape


def lock_verdicts(raw: bytes, where: str) -> list[Verdict]:
    """Return the verdicts on the lock in `raw`; none on one that cannot be read."""
    try:
        return verdicts(parse_lock(raw, where=where))
    except LockfileError:
        return []


def is_failure(verdict: Verdict) -> bool:
    """True for what cannot work at all; the rest is advice."""
    return verdict.severity is Severity.CRITICAL


def to_line(verdict: Verdict) -> str:
    """Return a verdict as one line: severity, record, what is wrong, the rule, what to do."""
    record = escape(verdict.record.strip())
    said = f"{verdict.severity}: {record}: {escape(verdict.message)} ({verdict.rule})"
    return f"{said}; {verdict.fix}" if verdict.fix else said


def to_json(verdict: Verdict) -> dict[str, str]:
    """Return a verdict for machines."""
    section, _, key = verdict.record.partition(" ")
    return {
        "rule": verdict.rule,
        "severity": verdict.severity.value,
        "section": section,
        "key": key,
        "message": verdict.message,
        "fix": verdict.fix,
    }
