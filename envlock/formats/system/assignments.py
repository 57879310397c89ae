"""Shell-like assignments, as in os-release(5), locale.conf(5) and /etc/default."""

from __future__ import annotations

import shlex


def parse_assignments(text: str) -> dict[str, str]:
    """Return name -> value without quotes; the last of a name wins, malformed lines are skipped.

    >>> parse_assignments("LANG='C.UTF-8'")
    {'LANG': 'C.UTF-8'}
    """
    values = {}
    for line in text.split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals and name.isidentifier():
            try:
                values[name] = "".join(shlex.split(value))
            except ValueError:
                continue
    return values
