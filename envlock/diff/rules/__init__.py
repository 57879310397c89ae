"""The rules of severity, one table: the first that fits a difference decides.

Right is the side that is judged: what it lacks or has in an older version weighs more than what it
has beyond the left one.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.drift import Severity
from envlock.diff.rules.config import CONFIG_RULES
from envlock.diff.rules.hardware import HARDWARE_RULES
from envlock.diff.rules.inconsistencies import INCONSISTENCY_RULES
from envlock.diff.rules.languages import LANGUAGE_RULES
from envlock.diff.rules.os_packages import OS_PACKAGE_RULES
from envlock.diff.rules.packages import PACKAGE_RULES
from envlock.diff.rules.rule import Rule
from envlock.diff.rules.state import STATE_RULES
from envlock.diff.rules.system import SYSTEM_RULES

__all__ = ["ASIDE", "INCONSISTENCY_RULES", "RULES", "Rule"]

RULES: tuple[Rule, ...] = (
    *(rule for rule in INCONSISTENCY_RULES.values() if rule.sections),
    *SYSTEM_RULES,
    *HARDWARE_RULES,
    *PACKAGE_RULES,
    *OS_PACKAGE_RULES,
    *LANGUAGE_RULES,
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

SPECIAL_RULES: Mapping[str, Rule] = {
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
    "cuda-driver": INCONSISTENCY_RULES["CUDA-DRIVER"],
    "cuda-forward": INCONSISTENCY_RULES["CUDA-DRIVER-FORWARD"],
    "explained": Rule(
        id="EXPLAINED",
        severity=Severity.INFO,
        why="it follows from another change, and is counted there",
        fix="see to the change it follows from",
        source="the package or file that owns it",
    ),
    "comments": Rule(
        id="FILE-COMMENTS",
        severity=Severity.INFO,
        why="only comments, order or layout differ; every setting is the same",
        fix="nothing to do",
        source="comparison by key",
    ),
    "abi": Rule(
        id="DEB-LIBRARY-ABI",
        severity=Severity.HIGH,
        why="a library of another soname took the place of this one",
        fix="bring both sides to one release, or rebuild on {right_name} what links against it",
        source="Debian Policy 8.1, shared library packages and their soname",
    ),
    "must-differ": Rule(
        id="EXPECT-MUST-DIFFER",
        severity=Severity.HIGH,
        why="policy expects a difference, and there is none",
        fix="give {key} a value of its own on {left_name} or on {right_name}",
        source="[[expect]] in envlock.toml",
    ),
    "only-in": Rule(
        id="EXPECT-ONLY-IN",
        severity=Severity.HIGH,
        why="policy allows it in some environments only, and another one has it",
        fix="remove {key} where it may not be",
        source="[[expect]] in envlock.toml",
    ),
    "at-least": Rule(
        id="EXPECT-AT-LEAST",
        severity=Severity.HIGH,
        why="policy wants a least version, and one side has less",
        fix="upgrade {key} where it is older",
        source="[[expect]] in envlock.toml",
    ),
    "satisfies": Rule(
        id="EXPECT-SATISFIES",
        severity=Severity.HIGH,
        why="policy lets versions be only so far apart, and they are further",
        fix="bring {key} on {left_name} and {right_name} closer together",
        source="[[expect]] in envlock.toml",
    ),
    "noisy": Rule(
        id="FILE-NOISE",
        severity=Severity.INFO,
        why="a log, cache, state or identity: it differs between any two machines",
        fix="nothing to do",
        source="file classes",
    ),
}
"""Rules that hold for how a difference was found, before any question of what it is."""
