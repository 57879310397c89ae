"""opkg's database of installed packages, and its lists of files.

Sources: opkg, libopkg/pkg_parse.c and pkg.c; OpenWrt wiki, "opkg package manager".
"""

from __future__ import annotations

from typing import NamedTuple

from envlock.formats.debian.deb822 import parse_stanzas
from envlock.formats.debian.dpkg import Package, parse_status


class OpkgDatabase(NamedTuple):
    """The packages, the marks that are stated (name -> mark), and what cannot be relied on."""

    packages: tuple[Package, ...]
    marks: dict[str, str]
    damages: tuple[str, ...]


def parse_opkg_status(text: str) -> OpkgDatabase:
    """Parse a status file: the form is dpkg's, with words of its own in the states.

    ``Auto-Installed`` marks dependencies; a state of ``user`` marks what a user asked for.
    """
    database = parse_status(text)
    marks: dict[str, str] = {}
    for stanza in parse_stanzas(text):
        want, _, rest = stanza.get("status", "").partition(" ")
        flags = rest.partition(" ")[0].split(",")
        is_auto = stanza.get("auto-installed") == "yes"
        is_held = want == "hold" or "hold" in flags
        mark = "hold" if is_held else "auto" if is_auto else "manual" if "user" in flags else ""
        if mark and stanza.get("package"):
            marks[stanza["package"]] = mark
    return OpkgDatabase(database.packages, marks, database.damages)


def parse_opkg_list(text: str) -> list[str]:
    """Return the paths of a list; newer versions add mode and link target after tabs."""
    rows = (line.partition("\t")[0] for line in text.split("\n"))
    return [row for row in rows if row[:1] == "/"]
