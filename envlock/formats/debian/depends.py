"""Dependencies of Debian packages with their versions.

Source: deb-control(5), Depends, Pre-Depends and Provides; Debian Policy 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ONE = re.compile(
    r"\s*+(?P<name>[a-z0-9][a-z0-9+.-]*+)(?::[a-z0-9-]++)?"
    r"\s*+(?:\(\s*+(?P<operator><<|<=|=|>=|>>|<|>)\s*+(?P<version>[^\s)]++)\s*+\))?"
    r"\s*+(?:\[[^\]]*+\])?\s*+\Z"
)


class Dependency(NamedTuple):
    """One alternative of a dependency; no operator where any version does."""

    name: str
    operator: str
    version: str


def parse_dependencies(value: str) -> Iterator[tuple[Dependency, ...]]:
    """Yield the alternatives of each dependency; what is malformed is skipped."""
    for group in value.split(","):
        matches = [_ONE.match(one) for one in group.split("|")] if group.strip() else []
        if matches and all(matches):
            yield tuple(
                Dependency(m["name"], m["operator"] or "", m["version"] or "") for m in matches if m
            )
