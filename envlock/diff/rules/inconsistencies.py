"""Rules for inconsistencies within one environment: parts that cannot work together."""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.rules.inconsistent.hardware import INCONSISTENT_HARDWARE
from envlock.diff.rules.inconsistent.programs import INCONSISTENT_PROGRAMS
from envlock.diff.rules.inconsistent.python import INCONSISTENT_PYTHON
from envlock.diff.rules.inconsistent.scope import INCONSISTENT_SCOPE
from envlock.diff.rules.inconsistent.system import INCONSISTENT_SYSTEM
from envlock.diff.rules.rule import Rule

INCONSISTENCY_RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        *INCONSISTENT_HARDWARE,
        *INCONSISTENT_PROGRAMS,
        *INCONSISTENT_PYTHON,
        *INCONSISTENT_SCOPE,
        *INCONSISTENT_SYSTEM,
    )
}
"""The rules by id; those with sections also judge differences of two environments."""
