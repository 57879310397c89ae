"""Where in the bytes of a lockfile a record and its facts stand, for reports that name lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envlock.lockfile.syntax import assignment, heading


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one lockfile; `headings` maps what stands in brackets to its line, from 1.

    Lines are found by their text as the writer writes them.  Of a file that someone edited what
    does not look like that is not found, which is no error.
    """

    text: tuple[str, ...]
    headings: Mapping[str, int]

    @classmethod
    def of(cls, raw: bytes) -> Lines:
        """Return the lines of the lockfile `raw`; any bytes will do."""
        text = tuple(raw.decode(errors="replace").split("\n"))
        headings: dict[str, int] = {}
        for number, line in enumerate(text, 1):
            if line.startswith("["):
                headings.setdefault(line.rstrip("\r]")[1:], number)
        return cls(text, headings)

    def find(self, section: str, key: str = "", fact: str = "") -> int | None:
        """Return the line of a fact, or of its record when it has no line; None for neither."""
        start = self.headings.get(heading(section, key))
        if start is None or not fact:
            return start
        begin = assignment(fact)
        for number in range(start, len(self.text)):
            line = self.text[number]
            if line.startswith(begin):
                return number + 1
            if line.startswith("["):
                break
        return start

    def find_section(self, section: str) -> int | None:
        """Return the line where the records of a section begin, or None."""
        begin = f"{section}."
        return next(
            (n for head, n in self.headings.items() if head == section or head.startswith(begin)),
            None,
        )
