"""Rules for what only the closure of an application proves broken."""

from __future__ import annotations

from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

INCONSISTENT_SCOPE: tuple[Rule, ...] = (
    Rule(
        id="LIBRARY-UNRESOLVED",
        severity=Severity.HIGH,
        breaks=True,
        why="what an application runs or loads needs a library that does not exist",
        next="install the package that contains {key}",
        source="ld.so(8)",
    ),
    Rule(
        id="LIBRARY-UNRESOLVED-OPTIONAL",
        severity=Severity.MEDIUM,
        why="a part that an application may load needs a library that does not exist",
        next="install the package that contains {key} if that part is used",
        source="ld.so(8)",
    ),
    Rule(
        id="ROOT-MISSING",
        severity=Severity.HIGH,
        breaks=True,
        why="an application was declared to begin at a place where nothing is",
        next="install it, or declare where {key} begins",
        source="the roots of envlock.toml, or --root",
    ),
)
"""What an application lacks; `envlock.diff.inconsistencies.scoped` finds it."""
