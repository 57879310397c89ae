"""Settings in unit files of systemd.

Source: systemd.syntax(7).
"""

from __future__ import annotations

import re

_CONTINUED = re.compile(r"\\\n(?:[ \t]*[#;][^\n]*\n)*[ \t]*")

Settings = dict[str, dict[str, list[str]]]
"""Section -> setting -> its values in order."""


def unit_lines(text: str) -> list[str]:
    r"""Return the lines of a unit file without comments and layout, sections included.

    >>> unit_lines("[Service]\n# a reset, then a value\nExecStart=\nExecStart = /bin/app  -v\n")
    ['[Service]', 'ExecStart=', 'ExecStart=/bin/app -v']
    """
    found = []
    for raw in _CONTINUED.sub(" ", text).split("\n"):
        line = " ".join(raw.split())
        if line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            found.append(f"{name.strip()}{equals}{value.strip()}")
    return found


def parse_unit(text: str, onto: Settings | None = None) -> Settings:
    r"""Return the settings of a unit file, added to those of earlier files in `onto`.

    An empty value resets the setting.  Malformed lines are skipped.

    >>> parse_unit("[Timer]\nOnCalendar=daily\nOnCalendar=\nOnCalendar=Mon *-*-* 06:00\n")
    {'Timer': {'OnCalendar': ['Mon *-*-* 06:00']}}
    """
    settings = onto if onto is not None else {}
    section = ""
    for raw in _CONTINUED.sub(" ", text).split("\n"):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = line[1:-1]
            continue
        name, equals, value = line.partition("=")
        if not equals or not section:
            continue
        values = settings.setdefault(section, {}).setdefault(name.strip(), [])
        if value.strip():
            values.append(value.strip())
        else:
            values.clear()
    return settings
