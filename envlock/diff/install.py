"""The command by which the package manager of a section installs one version of a package."""

from __future__ import annotations

import re
from typing import assert_never

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import package_name
from envlock.model.facts import SECTIONS, Family, Section

_VERSION_SUFFIX = re.compile(r"(?<=[^/])@[^@]*\Z")
_NESTED = "node_modules/"
_SAFE_IN_A_SHELL = re.compile(r"[\w./@:+~=-]*\Z")
_OTHER = Section("", "")


def install_command(delta: Delta) -> str:
    """Return how to install the left version of a package on the right side.

    It is a command, or a few words if none is known.  A package that is part of another one is
    installed with that one.
    """
    section = SECTIONS.get(delta.section, _OTHER)
    match section.family:
        case Family.DEBIAN | Family.SYSTEM:
            return section.install.format_map(command_words(delta))
        case Family.APP | Family.PYTHON | Family.LANGUAGE | Family.HPC | None:
            return _guarded(section.install, delta)
        case _:
            assert_never(section.family)


def command_words(delta: Delta) -> dict[str, str]:
    """Return what fills the fields of a command template, see `envlock.model.facts.Section`."""
    section = SECTIONS.get(delta.section, _OTHER)
    match section.family:
        case Family.DEBIAN | Family.SYSTEM:
            return {"name": package_name(delta), "version": delta.left or "nothing"}
        case Family.PYTHON | Family.LANGUAGE | Family.HPC:
            environment, _, name = delta.key.partition("/")
        case Family.APP | None:
            environment, name = "", delta.key
        case _:
            assert_never(section.family)
    # Other facts of the left side are known only where the right side has no record.
    facts = delta.facts if delta.kind is ChangeKind.REMOVED and not delta.field else {}
    toolchain = facts.get("toolchain", "") if "{toolchain}" in section.install else ""
    return {
        "environment": environment,
        "name": _VERSION_SUFFIX.sub("", name.rpartition(_NESTED)[2]),
        "import_path": delta.facts.get("package", delta.key),
        "group": delta.facts.get("group", "GROUP"),
        "version": (delta.left if delta.field in ("", "version") else None) or "",
        "build": f"={facts['build']}" if "build" in facts else "",
        "toolchain": f"-{toolchain}" if toolchain not in ("", "system") else "",
        "suffix": facts.get("suffix", ""),
    }


def _guarded(template: str, delta: Delta) -> str:
    """Return a command if all its words are known and safe in a shell, else a few words."""
    owner = delta.facts.get("packaged-by", "")
    if owner:
        return f"bring {owner} to one version"
    words = command_words(delta) if template else {}
    # The key of an environment itself has no slash, and there is no package to name.
    lacks_name = "{name}" in template and not words["name"]
    is_safe = all(_SAFE_IN_A_SHELL.match(word) for word in words.values())
    if not template or not words["version"] or lacks_name or not is_safe:
        return f"install {delta.key} {delta.left or ''}".rstrip()
    return template.format_map(words)
