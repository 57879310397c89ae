"""What a canonical lockfile looks like: the TOML subset shared by its writer and its reader.

Keys and values hold text in which a byte that is not UTF-8 or a control character was escaped
(`envlock.model.text.escape`) before TOML's own rules for basic strings were applied.
"""

from __future__ import annotations

import re

from envlock.model.text import escape

HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
VERSION_KEY = "lock-version"
COVERAGE = "coverage"

LOCK_MAJOR = 1

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_SECTION = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")


def heading(section: str, key: str) -> str:
    """Return what stands in the brackets over a record.  Raise ValueError for no section's name."""
    if not _SECTION.match(section):
        raise ValueError(f"no section can be called {section!r}")
    return f"{section}.{quoted(key)}" if key else section


def assignment(fact: str) -> str:
    """Return the start of the line that holds `fact`, up to its value."""
    return f"{fact if _BARE.match(fact) else quoted(fact)} = "


def quoted(text: str) -> str:
    """Return `text`, escaped, as a basic string of TOML."""
    return '"' + escape(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
