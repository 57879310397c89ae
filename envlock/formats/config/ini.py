"""INI files, and unit files of systemd, in which names repeat and an empty value resets them.

Sources: the INI dialects of Python's configparser, desktop entries and option files of MySQL;
systemd.syntax(7) and systemd.unit(5) for units and drop-ins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.formats.config.values import Document, add_value, lines_of

_SECTION = re.compile(r"\[([^\[\]]+)\]\s*(?:[#;].*)?\Z")
_NAME = re.compile(r"(?=[^=\s])((?:[^=\s]++|\s++(?=[^=\s]))++)\s*+=\s*+(.*)\Z")
_COLON = re.compile(r"(?=[^:\s])((?:[^:\s]++|\s++(?=[^:\s]))++)\s*+:\s++(.*)\Z")


def parse_ini(text: str) -> Document:
    """Return section -> name -> value.  Raise ValueError for text outside of a section.

    An indented line continues the value above it; a name without a value has the value ``(set)``.
    """
    document: Document = {}
    section: Document | None = None
    name = ""
    for line in lines_of(text):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if (heading := _SECTION.match(stripped)) and line[0] == "[":
            section, name = _section(document, heading[1]), ""
            continue
        if section is None:
            raise ValueError("a line before the first section")
        if line[0].isspace() and name:
            _continue(section, name, stripped)
            continue
        found = _NAME.match(stripped) or _COLON.match(stripped)
        name = found[1] if found else stripped
        add_value(section, name, found[2] if found else "(set)")
    if section is None:
        raise ValueError("no section")
    return document


def parse_unit(text: str) -> Document:
    """Return section -> name -> value, or values where a name is repeated.

    An empty value resets the name, and is itself left out.
    """
    return _read_systemd(text, keeps_reset=False)


def parse_drop_in(text: str) -> Document:
    """Return the same as `parse_unit` with resets kept, since they reset values of the unit."""
    return _read_systemd(text, keeps_reset=True)


def _read_systemd(text: str, *, keeps_reset: bool) -> Document:
    document: Document = {}
    section: Document | None = None
    for line in _joined(text):
        if heading := _SECTION.match(line):
            section = _section(document, heading[1])
            continue
        found = _NAME.match(line)
        if section is None or found is None:
            raise ValueError("neither a section nor an assignment")
        name, value = found.groups()
        if value:
            add_value(section, name, value)
        elif keeps_reset:
            section[name] = [""]
        else:
            section.pop(name, None)
    if section is None:
        raise ValueError("no section")
    return document


def _joined(text: str) -> Iterator[str]:
    """Yield logical lines: a final backslash joins the next line, comments are dropped."""
    held: list[str] = []
    for line in lines_of(text):
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            continue
        if stripped.endswith("\\"):
            held.append(stripped[:-1].rstrip())
            continue
        whole = " ".join([*held, stripped]).strip()
        held = []
        if whole:
            yield whole
    if held:
        raise ValueError("the last line ends with a backslash")


def _section(document: Document, name: str) -> Document:
    found = document.setdefault(name.strip(), Document())
    if not isinstance(found, dict):
        raise ValueError(f"{name} is both a value and a section")  # noqa: TRY004  the text is wrong
    return found


def _continue(section: Document, name: str, more: str) -> None:
    value = section[name]
    if isinstance(value, list):
        value[-1] = f"{value[-1]}\n{more}"
    else:
        section[name] = f"{value}\n{more}"
