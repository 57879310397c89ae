"""Path patterns, the same everywhere: `*` and `?` stay within a name, `**` crosses names."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def compile_globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one pattern for many globs: `*` and `?` stay within a name, `**` crosses names."""
    if not patterns:
        return re.compile(r"(?!)")
    return re.compile("|".join(f"(?:{_glob(pattern)})" for pattern in patterns), re.DOTALL)


def _glob(pattern: str) -> str:
    out = []
    for token in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        match token:
            case "**/":
                out.append("(?:.*/)?")
            case "**":
                out.append(".*")
            case "*":
                out.append("[^/]*")
            case "?":
                out.append("[^/]")
            case _:
                out.append(re.escape(token))
    return "".join(out) + r"\Z"
