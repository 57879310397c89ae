"""Judge a lock once more before it is shown: it may be older than a rule, or written by hand."""

from __future__ import annotations

from dataclasses import replace

from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.secrets.records import clean_record
from envlock.secrets.spans import MASK
from envlock.secrets.values import judge_value

_VARIABLES = "env"


def disclosed_lock(lock: Lock) -> Lock:
    """Return a lock to show, with ``***`` for what should not be in it."""
    sections: dict[str, dict[str, Facts]] = {}
    for record in map(disclosed_record, lock.records()):
        sections.setdefault(record.section, {})[record.key] = record.facts
    coverage = {
        name: clean_record(Record("", name, facts)).facts for name, facts in lock.coverage.items()
    }
    return replace(lock, sections=sections, coverage=coverage)


def disclosed_record(record: Record) -> Record:
    """Return a record to show, with ``***`` for what should not be in it."""
    cleaned = clean_record(record)
    if record.section != _VARIABLES:
        return cleaned
    facts = {
        name: MASK if judge_value(record.key, value) else value
        for name, value in cleaned.facts.items()
    }
    return cleaned._replace(facts=facts)
