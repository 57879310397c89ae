"""Entry points of Python distributions (packaging specification "Entry points")."""

from __future__ import annotations

_SCRIPTS = frozenset({"[console_scripts]", "[gui_scripts]"})


def parse_entry_points(text: str) -> frozenset[str]:
    r"""Return the names of the programs in an entry_points.txt.

    >>> sorted(parse_entry_points("[console_scripts]\nflask = flask.cli:main\n[x]\ny = z\n"))
    ['flask']
    """
    names, is_inside = set(), False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            is_inside = line in _SCRIPTS
        elif is_inside and "=" in line and line[0] not in "#;":
            names.add(line.partition("=")[0].strip())
    return frozenset(names)
