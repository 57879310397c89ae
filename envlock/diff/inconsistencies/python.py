"""Python environments whose parts do not fit: interpreter, wheels, sources, requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.diff.inconsistencies.wheels import (
    System,
    Tags,
    fits_interpreter,
    fits_machine,
    needed_glibc,
)
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.versions import pep440

_SECTION = "python"
_RELEASE = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})(?![0-9])")
_TOLD: Mapping[str, tuple[str, str]] = {
    "other-versions": ("PYTHON-DOUBLED", "{version} and {} are both recorded"),
    "overlaps": ("PYTHON-OVERLAP", "it and {} install other code under one name"),
    "unmet": ("PYTHON-REQUIREMENT", "what it requires is not there: {}"),
    "missing": ("PYTHON-LIBRARY", "its compiled modules need {}, which does not exist"),
    "lacking": ("PYTHON-SYMBOL", "its compiled modules need {} of newer libraries"),
    "beyond": ("PYTHON-REQUIREMENT-NEWER", "what it requires is newer than it allows: {}"),
}
"""Fact of a distribution that is there only if something is wrong -> the rule, and the message."""
_SCRIPTS = {
    "scripts-need": "its programs need {}, which does not exist: it was moved or copied",
    "scripts-run": "its programs run {}, and import the packages of that environment",
}
_USER = re.compile(r"(?:.+-)?user-\d+\.\d+t?(?:-\d+)?\Z")
"""Names of the environments of accounts, see `envlock.capture.discover.python_envs`."""


def _environments(lock: Lock) -> Iterator[Inconsistency]:
    for name, facts in lock.sections.get(_SECTION, {}).items():
        if "/" in name:
            continue
        interpreter = facts.get("interpreter", "")
        if interpreter == "missing":
            message = "its program python leads to nothing"
            yield _found("PYTHON-INTERPRETER-GONE", name, message, "interpreter")
        elif interpreter:
            message = (
                f"it was made for {facts.get('version')}, its program python is now {interpreter}"
            )
            yield _found("PYTHON-INTERPRETER-OTHER", name, message, "interpreter")
        for fact, fault in _SCRIPTS.items():
            if facts.get(fact):
                yield _found("PYTHON-SCRIPTS", name, fault.format(facts[fact]), fact)
        if facts.get("lost-paths"):
            message = f"{facts['lost-paths']} adds a directory that does not exist"
            yield _found("PYTHON-PATH-GONE", name, message, "lost-paths")
        if facts.get("leftovers"):
            message = f"an interrupted installation left {facts['leftovers']}"
            yield _found("PYTHON-LEFTOVERS", name, message, "leftovers")


def _distributions(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get(_SECTION, {}).items():
        if "/" not in key:
            continue
        if facts.get("source") == "missing":
            message = "the source directory that it is linked to does not exist"
            yield _found("PYTHON-SOURCE-GONE", key, message, "source")
        for fact, (rule, message) in _TOLD.items():
            if facts.get(fact):
                text = message.format(facts[fact], version=facts.get("version"))
                yield _found(rule, key, text, fact)


def _wheels(lock: Lock) -> Iterator[Inconsistency]:
    """Check the tags of wheels; only the interpreter itself may see more than they state."""
    records, system = lock.sections.get(_SECTION, {}), lock.get("os")
    for key, facts in records.items():
        tags = Tags.of(facts.get("artifact", "")) if "/" in key else None
        env = records.get(key.partition("/")[0], {})
        release = _release(env)
        if tags is None or release is None or env.get("implementation", "cpython") != "cpython":
            continue
        fits = System(
            release, "free-threaded" in env, system.get("arch", ""), system.get("libc", "")
        )
        short = f"{release[0]}{release[1]}"
        shown = "-".join(".".join(part) for part in tags)
        libc = needed_glibc(tags, fits)
        if not fits_interpreter(tags, fits):
            message = f"the environment needs cp{short}, its wheel is {shown}"
            yield _found("PYTHON-ABI", key, message, "artifact")
        elif not fits_machine(tags, fits):
            message = f"the system is {fits.arch}, its wheel is {shown}"
            yield _found("PYTHON-PLATFORM", key, message, "artifact")
        elif libc:
            message = f"its wheel is built for {libc}, the system has {fits.libc}"
            yield _found("PYTHON-LIBC", key, message, "artifact")


def _hidden(lock: Lock) -> Iterator[Inconsistency]:
    """Check what an account has installed for itself: it hides the same name of the system."""
    records = lock.sections.get(_SECTION, {})
    if lock.get("env", "PYTHONNOUSERSITE").get("value"):
        return
    shared: dict[tuple[tuple[int, int] | None, str], tuple[str, str]] = {}
    for name, env in records.items():
        if "/" in name or _USER.match(name) or env.get("system-site-packages") == "false":
            continue
        for project, version in _of(records, name):
            shared.setdefault((_release(env), project), (f"{name}/{project}", version))
    for name, env in records.items():
        if "/" in name or not _USER.match(name):
            continue
        for project, version in _of(records, name):
            hidden = shared.get((_release(env), project))
            if hidden is not None and hidden[1] != version:
                rule = "PYTHON-HIDDEN" if _is_risky(version, hidden[1]) else "PYTHON-HIDDEN-NEWER"
                message = f"{version} of an account hides {hidden[1]} of {hidden[0]}"
                yield _found(rule, f"{name}/{project}", message)


def _of(records: Mapping[str, Facts], name: str) -> Iterator[tuple[str, str]]:
    """Yield project and version of the distributions in an environment."""
    start = f"{name}/"
    for key, facts in records.items():
        if key.startswith(start):
            yield key.removeprefix(start), facts.get("version", "")


def _is_risky(version: str, hidden: str) -> bool:
    """True when a version is older than the one that it hides, or has another major number."""
    try:
        is_older = pep440.compare(version, hidden) < 0
        return is_older or pep440.release(version)[0] != pep440.release(hidden)[0]
    except ValueError:
        return True


def _release(env: Facts) -> tuple[int, int] | None:
    match = _RELEASE.match(env.get("version", ""))
    return (int(match[1]), int(match[2])) if match else None


def _found(rule: str, key: str, message: str, field: str = "") -> Inconsistency:
    return Inconsistency(rule, _SECTION, key, message, field)


PYTHON: tuple[Family, ...] = (_environments, _distributions, _wheels, _hidden)
