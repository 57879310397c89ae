"""The severity rules in one table: the first rule that matches a difference decides.

The right side is judged: what it lacks or has in an older version is more severe than what it has
in addition.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.rules.config import CONFIG_RULES
from envlock.diff.rules.files import FILE_RULES
from envlock.diff.rules.hardware import HARDWARE_RULES
from envlock.diff.rules.inconsistencies import INCONSISTENCY_RULES
from envlock.diff.rules.languages import LANGUAGE_RULES
from envlock.diff.rules.os_packages import OS_PACKAGE_RULES
from envlock.diff.rules.packages import PACKAGE_RULES
from envlock.diff.rules.python_packages import PYTHON_RULES
from envlock.diff.rules.rule import Rule
from envlock.diff.rules.scope import SCOPE_RULES
from envlock.diff.rules.state import STATE_RULES
from envlock.diff.rules.system import SYSTEM_RULES
from envlock.diff.rules.variables import VARIABLE_RULES
from envlock.model.severity import Severity

__all__ = ["BREAKING", "CONSEQUENCES", "INCONSISTENCY_RULES", "RULES", "SPECIAL_RULES", "Rule"]

RULES: tuple[Rule, ...] = (
    *(rule for rule in INCONSISTENCY_RULES.values() if rule.sections),
    *SYSTEM_RULES,
    *HARDWARE_RULES,
    *PACKAGE_RULES,
    *PYTHON_RULES,
    *OS_PACKAGE_RULES,
    *LANGUAGE_RULES,
    *STATE_RULES,
    *VARIABLE_RULES,
    *FILE_RULES,
    *CONFIG_RULES,
    *SCOPE_RULES,
    Rule(
        id="OTHER",
        severity=Severity.MEDIUM,
        why="it differs",
        source="no other rule matches",
    ),
)
"""The rules that are tried in order; the last one matches everything."""

SPECIAL_RULES: Mapping[str, Rule] = {
    "unknown": Rule(
        id="NOT-COVERED",
        severity=Severity.INFO,
        why="one side was not captured or could not be read",
        next="capture that side again with the permissions and depth that it needs",
        source="coverage in the lock",
    ),
    "required": Rule(
        id="REQUIRED-NOT-COVERED",
        severity=Severity.HIGH,
        why="policy requires this section, and one side was not captured or could not be read",
        next="capture that side again with the permissions and depth that it needs",
        source="the require setting",
    ),
    "cuda-driver": INCONSISTENCY_RULES["CUDA-DRIVER"],
    "cuda-forward": INCONSISTENCY_RULES["CUDA-DRIVER-FORWARD"],
    "explained": Rule(
        id="EXPLAINED",
        severity=Severity.INFO,
        why="it follows from another change, and is counted there",
        next="resolve the change that it follows from",
        source="the package or file that owns it",
    ),
    "comments": Rule(
        id="FILE-COMMENTS",
        severity=Severity.INFO,
        why="only comments, order or layout differ; every setting is the same",
        next="nothing to do",
        source="comparison by key",
    ),
    "interpreter-line": Rule(
        id="FILE-INTERPRETER-LINE",
        severity=Severity.HIGH,
        breaks=True,
        why="the kernel does not find the interpreter that the first line names",
        next="write the file on both sides with line feeds alone, and without a byte order mark",
        source="execve(2), interpreter scripts",
    ),
    "ssh-login": Rule(
        id="SSH-LOGIN",
        severity=Severity.HIGH,
        why="logins by ssh are open that are closed on {left_name}",
        next="compare sshd -T on both sides",
        source="sshd_config(5), PermitRootLogin, PasswordAuthentication, PermitEmptyPasswords",
    ),
    "login-keys": Rule(
        id="SSH-KEYS",
        severity=Severity.MEDIUM,
        why="a list of keys, with which somebody may log in, is new or another on {right_name}",
        next="compare the keys in {key} on both sides, and remove those that nobody should have",
        source="sshd(8), AUTHORIZED_KEYS FILE FORMAT; sshd_config(5), AuthorizedKeysFile",
    ),
    "layout": Rule(
        id="FILE-LAYOUT",
        severity=Severity.MEDIUM,
        why="line ends, a byte order mark or the last newline differ; every setting is the same",
        next="write the file in the same way on both sides",
        source="crontab(5); bash(1); make(1)",
    ),
    "setting": Rule(
        id="FILE-SETTING",
        severity=Severity.LOW,
        why="a setting in a changed file, which is counted there",
        next="resolve the change of the file",
        source="comparison by key",
    ),
    "abi": Rule(
        id="DEB-LIBRARY-ABI",
        severity=Severity.HIGH,
        breaks=True,
        why="a library with another soname has replaced this one",
        next="bring both sides to one release, or rebuild on {right_name} the programs that use it",
        source="Debian Policy 8.1, shared library packages and their soname",
    ),
    "must-differ": Rule(
        id="EXPECT-MUST-DIFFER",
        severity=Severity.HIGH,
        why="policy expects a difference, and there is none",
        next="give {key} another value on {left_name} or on {right_name}",
        source="[[expect]] in envlock.toml",
    ),
    "only-in": Rule(
        id="EXPECT-ONLY-IN",
        severity=Severity.HIGH,
        why="policy allows it in some environments only, and another one has it",
        next="remove {key} where it is not allowed",
        source="[[expect]] in envlock.toml",
    ),
    "at-least": Rule(
        id="EXPECT-AT-LEAST",
        severity=Severity.HIGH,
        why="policy requires a minimum version, and one side is older",
        next="upgrade {key} where it is older",
        source="[[expect]] in envlock.toml",
    ),
    "satisfies": Rule(
        id="EXPECT-SATISFIES",
        severity=Severity.HIGH,
        why="policy limits how far the versions may be apart, and they exceed it",
        next="bring {key} on {left_name} and {right_name} closer together",
        source="[[expect]] in envlock.toml",
    ),
    "noisy": Rule(
        id="FILE-NOISE",
        severity=Severity.INFO,
        why="a log, cache, state or identity: it differs between any two machines",
        next="nothing to do",
        source="file classes",
    ),
}
"""Rules that decide before `RULES` are tried; `Delta.special_rule` selects one by its key."""

CONSEQUENCES = frozenset(SPECIAL_RULES[name].id for name in ("explained", "setting"))
"""Ids of the rules for what only follows from another change."""

BREAKING: frozenset[str] = frozenset(
    rule.id
    for rule in (*RULES, *SPECIAL_RULES.values(), *INCONSISTENCY_RULES.values())
    if rule.breaks
)
"""Rules for what stops a program; of one severity, these come first in a report."""
