"""Judges reports and closures: which plants a report shows, and what of a running service is known.

Nothing here runs or builds anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from envlock.model.scope import Role

SCREEN = 45
"""Lines of a report in which every plant must be seen."""


class Sign(NamedTuple):
    """What tells that a plant was found: a regular expression for findings and lines."""

    what: str
    sign: str


class Judgement(NamedTuple):
    """What a report of a pair says.

    `findings` are the differences in scope, `information` those of them of the lowest severity,
    `caused` those that a plant caused.  `unknown` are records that one side cannot have, such as
    the kernel of an image.  `stray` names the others.  `missed` are the plants that the first
    `SCREEN` lines do not show, `unfound` those that no finding in scope tells.  `lines` is the
    length of the report.
    """

    findings: int
    information: int
    caused: int
    unknown: int
    stray: tuple[str, ...]
    missed: tuple[str, ...]
    unfound: tuple[str, ...]
    lines: int

    @property
    def precision(self) -> float:
        """The part of the findings in scope that a plant caused; 1 without findings."""
        return self.caused / self.findings if self.findings else 1.0


def judge(document: Mapping[str, Any], text: str, plants: Sequence[Sign]) -> Judgement:
    """Judge a report, given as JSON and as text, by the plants of the pair."""
    scoped = [change for change in document["changes"] if is_in_scope(change)]
    changes = [change for change in scoped if change["kind"] != "unknown"]
    names = [name_of(change) for change in changes]
    lines = text.splitlines()
    stray = [name for name in names if not any(re.search(p.sign, name) for p in plants)]
    return Judgement(
        findings=len(changes),
        information=sum(change["severity"] == "info" for change in changes),
        caused=len(names) - len(stray),
        unknown=len(scoped) - len(changes),
        stray=tuple(stray),
        missed=_without(plants, lines[:SCREEN]),
        unfound=_without(plants, names),
        lines=len(lines),
    )


def is_in_scope(change: Mapping[str, Any]) -> bool:
    """True for a change that some application needs, or of a report that knows no scope."""
    return bool(change.get("scope", True))


def name_of(change: Mapping[str, Any]) -> str:
    """Return section, key, field and both values of a change."""
    parts = ("section", "key", "field", "left", "right")
    return " ".join(filter(None, (change[part] for part in parts)))


def _without(plants: Iterable[Sign], texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(p.what for p in plants if not any(re.search(p.sign, text) for text in texts))


class Recall(NamedTuple):
    """How many of the libraries that a service has mapped are in its closure, and their owners.

    `missing` are the libraries that are not, with their owners.
    """

    libraries: int
    packages: int
    missing: tuple[str, ...]
    missing_packages: tuple[str, ...]

    @property
    def share(self) -> float:
        """The part of the libraries that is in the closure."""
        return 1 - len(self.missing) / self.libraries if self.libraries else 1.0


def recall(owners: Mapping[str, str], roles: Iterable[Role]) -> Recall:
    """Compare mapped libraries, each with the record that owns it, with all members of the roles.

    An owner is ``deb:NAME``, ``python:NAME``, ``npm:NAME``, or empty for a file that nothing owns,
    which must then be a member by its path.
    """
    known = {name for role in roles for member in role.members for name in _names(member.name)}
    missing = [path for path, owner in owners.items() if (owner or path) not in known]
    packages = {owner for owner in owners.values() if owner}
    return Recall(
        libraries=len(owners),
        packages=len(packages),
        missing=tuple(sorted(f"{path} ({owners[path] or 'no owner'})" for path in missing)),
        missing_packages=tuple(sorted(packages - known)),
    )


def _names(member: str) -> Iterable[str]:
    """Yield how owners call a member: a package without architecture, environment and version."""
    section, _, key = member.partition(":")
    yield member
    if key.startswith("/"):
        yield key
    if section == "deb":
        yield f"deb:{key.partition(':')[0]}"
    elif section == "python":
        yield f"python:{key.rpartition('/')[2]}"
    elif section == "npm":
        yield f"npm:{_npm_name(key)}"


def _npm_name(key: str) -> str:
    """Return the name of a Node package from its key, which ends with it and perhaps a version.

    >>> _npm_name("/opt/app/node_modules/@img/sharp-linux-x64")
    '@img/sharp-linux-x64'
    """
    name = key.rpartition("node_modules/")[2]
    found = re.search(r"(?:@[^/@]+/)?[^/@]+(?=(?:@[^/@]*)?\Z)", name)
    return found[0] if found else name
