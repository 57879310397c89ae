"""Commands of the package managers of languages, each for one environment named by its path."""

from __future__ import annotations

import re
from typing import assert_never

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import (
    NO_FIX,
    Commands,
    Surroundings,
    command,
    filled,
    is_name,
    is_text,
)
from envlock.diff.predicates import package_name
from envlock.model.facts import SECTIONS, Family, Section
from envlock.model.record import Facts

_VERSION_SUFFIX = re.compile(r"(?<=[^/])@[^@]*\Z")
_NESTED = "node_modules/"
_OTHER = Section("", "")
_SHORT_VERSION = re.compile(r"\d+\.\d+")
_PYTHON = "python"
_USER = "/.local"


def install(delta: Delta, around: Surroundings) -> Commands:
    """Return how to install the left version of a package of a language."""
    if "packaged-by" in delta.facts:
        return NO_FIX  # it comes with another package
    if delta.section == _PYTHON:
        return _pip_install(delta, around)
    if delta.section == "npm":
        return _npm_install(delta, around)
    section = SECTIONS.get(delta.section, _OTHER)
    if delta.section == "conda" and not _path(delta, around):
        return filled(
            section.install.replace("-p {path}", "-n {environment}"), command_words(delta, around)
        )
    return filled(section.install, command_words(delta, around)) if section.install else NO_FIX


def command_words(delta: Delta, around: Surroundings) -> dict[str, str]:
    """Return what fills the fields of a command template, see `envlock.model.facts.Section`."""
    section = SECTIONS.get(delta.section, _OTHER)
    match section.family:
        case Family.DEBIAN | Family.SYSTEM:
            return {"name": package_name(delta), "version": delta.left or ""}
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
        "path": _path(delta, around),
        "name": _VERSION_SUFFIX.sub("", name.rpartition(_NESTED)[2]),
        "import_path": delta.facts.get("package", delta.key),
        "group": delta.facts.get("group", ""),
        "version": (delta.left if delta.field in ("", "version") else None) or "",
        "build": f"={facts['build']}" if "build" in facts else "",
        "toolchain": f"-{toolchain}" if toolchain not in ("", "system") else "",
        "suffix": facts.get("suffix", ""),
    }


def remove_python(delta: Delta, around: Surroundings) -> Commands:
    """Return how to remove a distribution that only the right side has."""
    _, _, name = delta.key.partition("/")
    pip = _pip("uninstall", delta, around)
    if not pip or not is_name(name) or "packaged-by" in delta.facts:
        return NO_FIX
    return command(*pip, name)


def restore_python(delta: Delta, around: Surroundings) -> Commands:
    """Return how to get the files of a distribution back, if only the right side changed them."""
    _, _, name = delta.key.partition("/")
    version = delta.facts.get("version", "")
    pip = _pip("install", delta, around)
    is_right = delta.kind is ChangeKind.ADDED
    if not is_right or not pip or not is_name(name) or not is_name(version):
        return NO_FIX
    if "packaged-by" in delta.facts or "origin" in delta.facts:
        return NO_FIX
    return command(*pip, "--force-reinstall", "--no-deps", f"{name}=={version}")


def create_environment(delta: Delta, around: Surroundings) -> Commands:
    """Return how to create the virtual environment that the right side lacks."""
    facts, path = delta.facts, delta.facts.get("path", "")
    version = _SHORT_VERSION.match(facts.get("version", ""))
    is_plain = facts.get("implementation") == "cpython" and "system-site-packages" in facts
    if not path.startswith("/") or not is_text(path) or version is None or not is_plain:
        return NO_FIX
    manager = facts.get("managed-by", "")
    shared = facts["system-site-packages"] == "true"
    options = ("--system-site-packages",) if shared else ()
    if manager == "uv":
        return command("uv", "venv", "--python", version[0], *options, path)
    if manager:
        return NO_FIX
    if not around.before(_PYTHON, f"{delta.key}/pip"):
        options = (*options, "--without-pip")
    return command(f"python{version[0]}", "-m", "venv", *options, path)


def _pip_install(delta: Delta, around: Surroundings) -> Commands:
    _, _, name = delta.key.partition("/")
    version = (delta.left if delta.field in ("", "version") else None) or ""
    pip = _pip("install", delta, around)
    facts = delta.facts if delta.kind is ChangeKind.REMOVED else around.before(_PYTHON, delta.key)
    if not pip or not is_name(name) or not is_name(version) or "origin" in facts:
        return NO_FIX
    # Each dependency that differs is a difference of its own.
    return command(*pip, "--no-deps", f"{name}=={version}")


def _pip(verb: str, delta: Delta, around: Surroundings) -> tuple[str, ...]:
    """Return a command of the pip of an environment, or of one that is told its interpreter."""
    environment = delta.key.partition("/")[0]
    facts = around.after(_PYTHON, environment) or around.before(_PYTHON, environment)
    path = _path(delta, around)
    is_system = "externally-managed" in facts or path == "/usr"
    # A directory without an interpreter was filled by `--target`, which removes no older version.
    has_interpreter = "implementation" in facts
    if not path or is_system or path.endswith(_USER) or not has_interpreter:
        return ()
    python = _interpreter(path, facts)
    manager = facts.get("managed-by", "")
    if around.after(_PYTHON, f"{environment}/pip") or around.before(_PYTHON, f"{environment}/pip"):
        is_venv = "system-site-packages" in facts
        return (f"{path}/bin/pip", verb) if is_venv else (python, "-m", "pip", verb)
    if manager in ("uv", "uv tool"):
        return ("uv", "pip", verb, "--python", python)
    return ("pip", "--python", python, verb)


def _interpreter(path: str, facts: Facts) -> str:
    version = _SHORT_VERSION.match(facts.get("version", ""))
    is_venv = "system-site-packages" in facts
    return f"{path}/bin/python{'' if is_venv or version is None else version[0]}"


def _npm_install(delta: Delta, around: Surroundings) -> Commands:
    words = command_words(delta, around)
    name, version, path = words["name"], words["version"], words["path"]
    tree = words["environment"]
    facts = around.after("npm", tree) or around.before("npm", tree)
    location = delta.key.partition("/")[2]
    if _NESTED in location or not path or not is_name(name) or not is_name(version):
        return NO_FIX
    if facts.get("global") == "true":
        return command("npm", "install", "--global", "--prefix", path, f"{name}@{version}")
    if facts.get("managed-by", "npm") != "npm" or "lockfile" in facts:
        return NO_FIX  # its own lockfile says what is installed
    return command("npm", "install", "--no-save", "--prefix", path, f"{name}@{version}")


def _path(delta: Delta, around: Surroundings) -> str:
    """Return the directory of the environment of a package, empty if it is not known."""
    environment = delta.key.partition("/")[0]
    sides = (around.after, around.before)
    found = next((p for side in sides if (p := side(delta.section, environment).get("path"))), "")
    return found if found.startswith("/") and is_text(found) and found != "/" else ""
