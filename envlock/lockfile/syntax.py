"""What a canonical lockfile looks like: the TOML subset shared by its writer and its reader.

Keys and values hold text in which a byte that is not UTF-8 or a control character was escaped
(`envlock.model.text.escape`) before TOML's own rules for basic strings were applied.
"""

from __future__ import annotations

HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
VERSION_KEY = "lock-version"
COVERAGE = "coverage"

LOCK_MAJOR = 1
