"""What the applications of an environment need, in a recording of it.

It is recorded as it was found, since a recording lacks most files that it is found in.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.record import Record
from envlock.model.scope import SECTION


class RecordedScope(NamedTuple):
    """The records of the section ``scope``, and what was covered of it."""

    records: tuple[Record, ...]
    coverage: Coverage

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Return what `document` wrote.  Raise KeyError, TypeError or ValueError when malformed."""
        records = (
            Record(SECTION, str(key), {str(name): str(value) for name, value in facts.items()})
            for key, facts in document["records"]
        )
        gaps = tuple(Gap(str(where), str(reason)) for where, reason in document["gaps"])
        return cls(tuple(records), Coverage(Status(document["status"]), gaps))

    def document(self) -> dict[str, object]:
        """Return it as JSON values, which `parse` reads."""
        return {
            "status": self.coverage.status.value,
            "gaps": [list(gap) for gap in self.coverage.gaps],
            "records": [[record.key, dict(record.facts)] for record in self.records],
        }
