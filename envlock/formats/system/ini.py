"""Lenient parsing of INI files: malformed lines are skipped.

The strict parser for comparing configuration is `envlock.formats.config.ini`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class IniSection(NamedTuple):
    """A section of a configuration file; a repeated option keeps all its values."""

    name: str
    options: Mapping[str, tuple[str, ...]]

    def text(self, option: str) -> str:
        """Return the values of an option, separated by spaces."""
        return " ".join(self.options.get(option, ()))


def parse_ini(text: str) -> Iterator[IniSection]:
    """Yield the sections of a file; an indented line continues the value above it."""
    name, options, last = "", dict[str, tuple[str, ...]](), ""
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped[0] == "[" and stripped[-1] == "]":
            if name:
                yield IniSection(name, options)
            name, options, last = stripped[1:-1].strip(), {}, ""
        elif line[0] in " \t" and last:
            options[last] = (*options[last], stripped)
        else:
            option, _, value = (part.strip() for part in stripped.partition("="))
            last = option.lower()
            options[last] = (*options.get(last, ()), value) if value else options.get(last, ())
    if name:
        yield IniSection(name, options)
