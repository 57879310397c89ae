"""Find the line numbers of records and facts in a lockfile, for reports that refer to lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envlock.lockfile.syntax import assignment, heading


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one lockfile; `headings` maps the text in brackets to its line number, from 1.

    Lines are found by the text that the writer gives them.  In a file that was edited by hand,
    other forms are not found, which is no error.
    """

    text: tuple[str, ...]
    headings: Mapping[str, int]

    @classmethod
    def of(cls, raw: bytes) -> Lines:
        """Return the lines of the lockfile `raw`, which may be any bytes."""
        text = tuple(raw.decode(errors="replace").split("\n"))
        headings: dict[str, int] = {}
        for number, line in enumerate(text, 1):
            if line.startswith("["):
                headings.setdefault(line.rstrip("\r]")[1:], number)
        return cls(text, headings)

    def find(self, section: str, key: str = "", fact: str = "") -> int | None:
        """Return the line of a fact, else that of its record, or None."""
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
        """Return the first line of a section, or None."""
        begin = f"{section}."
        return next(
            (n for head, n in self.headings.items() if head == section or head.startswith(begin)),
            None,
        )
