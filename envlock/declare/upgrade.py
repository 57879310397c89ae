"""What keeps its version while one package of a declared environment moves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envlock.declare.pins import Pins
from envlock.errors import UsageError
from envlock.model.lock import Lock
from envlock.model.record import Facts

MOST_ROUNDS = 50
"""How often more packages are let go because one that moves needs them."""
_UNMET = re.compile(r"(?:Pre-Depends|Depends|Breaks|Conflicts): ([a-z0-9][a-z0-9+.-]*)")
_NEEDS = re.compile(r"^ ([a-z0-9][a-z0-9+.-]*) : ", re.MULTILINE)


def pins_without(lock: Lock, packages: Iterable[str]) -> Pins:
    """Return pins of everything in a lock but some packages; those of one source move together.

    Raise UsageError for a package that the lock does not have.
    """
    debian = {name.partition(":")[0]: facts for name, facts in lock.sections.get("deb", {}).items()}
    python = {
        name.partition("/")[2]: facts["version"]
        for name, facts in lock.sections.get("python", {}).items()
        if "/" in name and "version" in facts
    }
    wanted = set(packages)
    for name in sorted(wanted - debian.keys() - python.keys()):
        raise UsageError(
            f"the lock has no package {name}",
            where="--upgrade",
            hint="run `envlock show NAME deb python` to see its packages",
        )
    sources = {_source(name, debian[name]) for name in wanted & debian.keys()}
    return Pins(
        {
            name: facts["version"]
            for name, facts in debian.items()
            if _source(name, facts) not in sources
        },
        {name: version for name, version in python.items() if name not in wanted},
    )


def let_go(pins: Pins, said: str) -> Pins | None:
    """Return pins without those that apt names as unmet in `said`, None if it names none.

    Where what is unmet moves already, the packages that need it are let go.
    """
    named = set(_UNMET.findall(said)) & pins.debian.keys()
    named = named or set(_NEEDS.findall(said)) & pins.debian.keys()
    if not named:
        return None
    return Pins({n: v for n, v in pins.debian.items() if n not in named}, pins.python)


def moved_against(pins: Pins, lock: Lock) -> list[str]:
    """Return the Debian packages of a new lock that did not keep the version of their pin."""
    found = (
        (name.partition(":")[0], facts) for name, facts in lock.sections.get("deb", {}).items()
    )
    return [n for n, facts in found if pins.debian.get(n, facts["version"]) != facts["version"]]


def _source(name: str, facts: Facts) -> str:
    return facts.get("source", name)
