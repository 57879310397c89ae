"""Stanzas of fields, as dpkg and apt write them (deb-control(5), deb822(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_STRANGE = re.compile(r"^(?![ \t#]|[^\s:]+:|\r?$).*", re.MULTILINE)

Stanza = Mapping[str, str]
"""Field name in lower case -> value; continuation lines keep their line breaks."""


def parse_stanzas(text: str) -> Iterator[Stanza]:
    """Yield the stanzas of `text`, without comments.

    A line that is neither a field, a continuation nor blank is skipped, so that damage does not
    hide the rest; callers check for missing fields.
    """
    for block in text.replace("\r\n", "\n").split("\n\n"):
        stanza = _parse_stanza(block)
        if stanza:
            yield stanza


def _parse_stanza(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        if line[:1] in (" ", "\t"):
            if name:
                fields[name] += f"\n{line.strip()}"
            continue
        name = ""
        head, colon, value = line.partition(":")
        if colon and line[:1] != "#" and not head.isspace() and " " not in head:
            name = head.lower()
            fields[name] = value.strip()
    return fields


def strange_line(text: str) -> int:
    """Return the number of the first line that is no field, continuation or comment; 0 for none."""
    match = _STRANGE.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else 0
