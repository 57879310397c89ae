"""The rules of severity, one table: the first that fits a difference decides.

Right is the side that is judged: what it lacks or has in an older version weighs more than what it
has beyond the left one.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.drift import Severity
from envlock.diff.rules.config import CONFIG_RULES
from envlock.diff.rules.packages import PACKAGE_RULES
from envlock.diff.rules.rule import Rule
from envlock.diff.rules.state import STATE_RULES
from envlock.diff.rules.system import SYSTEM_RULES

__all__ = ["ASIDE", "RULES", "Rule"]

RULES: tuple[Rule, ...] = (
    *SYSTEM_RULES,
    *PACKAGE_RULES,
    *STATE_RULES,
    *CONFIG_RULES,
    Rule(
        id="OTHER",
        severity=Severity.MEDIUM,
        why="it differs",
        source="no rule knows this fact",
    ),
)
"""Every rule that judges a difference by what it is; the last one fits all."""

ASIDE: Mapping[str, Rule] = {
    "unknown": Rule(
        id="NOT-COVERED",
        severity=Severity.INFO,
        why="one side was not looked at or could not be read",
        fix="capture that side again with the rights and depth that show it",
        source="coverage in the lock",
    ),
    "required": Rule(
        id="REQUIRED-NOT-COVERED",
        severity=Severity.HIGH,
        why="policy requires this section, and one side was not looked at or could not be read",
        fix="capture that side again with the rights and depth that show it",
        source="the require setting",
    ),
    "explained": Rule(
        id="EXPLAINED",
        severity=Severity.INFO,
        why="it follows from another change, and is counted there",
        source="the package or file that owns it",
    ),
    "comments": Rule(
        id="FILE-COMMENTS",
        severity=Severity.INFO,
        why="only comments, order or layout differ; every setting is the same",
        source="comparison by key",
    ),
    "noisy": Rule(
        id="FILE-NOISE",
        severity=Severity.INFO,
        why="a log, cache, state or identity: it differs between any two machines",
        source="file classes",
    ),
}
"""Rules that hold for how a difference was found, before any question of what it is."""
