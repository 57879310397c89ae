"""A lock: everything captured of one environment, as sections of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from envlock.model.facts import SECTIONS, is_keyed
from envlock.model.record import Facts, Record
from envlock.model.text import sort_key

LOCK_VERSION = "1.0"

Section = Mapping[str, Facts]
"""The records of a section: key -> facts; a single table has only the key ``""``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One environment.

    `sections` maps section name -> key -> facts and excludes coverage; `coverage` maps a
    collector's name -> facts (``status``; if there are gaps, ``gaps`` and ``reason``).
    Both are in canonical (byte) order.  `version` is the format version read or to be written.
    """

    sections: Mapping[str, Section]
    coverage: Section = field(default_factory=dict)
    version: str = LOCK_VERSION

    @classmethod
    def of(
        cls, records: Iterable[Record], coverage: Section | None = None, version: str = LOCK_VERSION
    ) -> Lock:
        """Return a lock of `records` in canonical order.

        Raise ValueError when two records share a section and key, when a single-table section
        has a key, or when a fact is empty.
        """
        sections: dict[str, dict[str, Facts]] = {}
        for section, key, facts in records:
            _check(section, key, facts)
            entries = sections.setdefault(section, {})
            if key in entries:
                raise ValueError(f"two records for {section} {key!r}")
            entries[key] = facts
        return cls(
            sections={name: _sorted(sections[name]) for name in sorted(sections)},
            coverage=_sorted(coverage or {}),
            version=version,
        )

    def get(self, section: str, key: str = "") -> Facts:
        """Return the facts of one record, empty if there is none."""
        return self.sections.get(section, {}).get(key, {})

    def records(self) -> Iterable[Record]:
        """Yield every record in canonical order."""
        for section, entries in self.sections.items():
            for key, facts in entries.items():
                yield Record(section, key, facts)


def tree_address(lock: Lock) -> str:
    """Return the address of the file tree of `lock` in a store: a hex digest, empty for no tree."""
    return lock.get("tree").get("object", "").removeprefix("sha256:")


def _check(section: str, key: str, facts: Facts) -> None:
    if section in SECTIONS and is_keyed(section) != bool(key):
        raise ValueError(f"key {key!r} is not valid in section {section}")
    for name, value in facts.items():
        if not value:
            raise ValueError(f"empty fact {name} in {section} {key!r}")


def _sorted(entries: Section) -> dict[str, Facts]:
    return {key: entries[key] for key in sorted(entries, key=sort_key)}
