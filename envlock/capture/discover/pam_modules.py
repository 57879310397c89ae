"""Modules that a PAM stack requires and that are not installed.

Source: pam.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from envlock.capture.context import Context

_FOLDERS = ("/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security")
_LIBRARIES = ("/usr/lib", "/lib")
_RULE = re.compile(
    r"(?:auth|account|password|session)\s+(\[[^\]]*\]|\w+)\s+(/\S+\.so|[^\s/]+\.so)(?:\s|\Z)",
    re.IGNORECASE,
)
_NEEDED = ("required", "requisite")
_OPTIONAL = re.compile(r"\b(?:default|module_unknown)=ignore\b")


def pam_modules(context: Context) -> frozenset[str]:
    """Return the names of the installed modules, none where their folder is not known."""
    folders = [*_FOLDERS]
    for library in _LIBRARIES:
        folders += [
            f"{library}/{name}/security" for name in context.names(library) if "-linux-" in name
        ]
    return frozenset(name for folder in context.distinct(folders) for name in context.names(folder))


def missing_module(lines: Iterable[str], there: frozenset[str], context: Context) -> str:
    """Return the first module that a stack requires and that is not there, empty without one.

    A line that begins with a dash may fail, and so may a module whose absence is ignored.
    """
    for line in lines:
        rule = _RULE.match(line)
        if rule is None:
            continue
        control, module = rule.groups()
        is_needed = control.lower() in _NEEDED or (
            control.startswith("[") and not _OPTIONAL.search(control)
        )
        is_gone = context.is_gone(module) if module.startswith("/") else module not in there
        if is_needed and there and is_gone:
            return module
    return ""
