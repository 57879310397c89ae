"""The step of a plan that changes packages: exact versions in one transaction, and marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.apply.gap import Difference, Phase
from envlock.apply.managers.apt import NAME
from envlock.apply.plan import (
    Archive,
    Marks,
    PackageChange,
    Step,
    StepKind,
    Transaction,
    Verb,
)
from envlock.apply.situation import Draft, Situation
from envlock.model.facts import VersionOrder
from envlock.model.record import Facts
from envlock.versions.ordering import relate
from envlock.versions.relation import Relation

_SECTION = "deb"


class _Package(NamedTuple):
    """A package: its key in both locks, and its facts there."""

    key: str
    wanted: Facts
    present: Facts

    @property
    def is_content(self) -> bool:
        """True when its version or state differs."""
        names = ("version", "status")
        return any(self.wanted.get(name) != self.present.get(name) for name in names)


def plan_packages(situation: Situation, draft: Draft) -> None:
    """Add the step for Debian packages, if there is anything to do."""
    found = [each for each in situation.found if each.section == _SECTION]
    packages = {each.key: _package(each.key, situation) for each in found}
    changed = [p for p in packages.values() if p.is_content]
    wanted = [p.key for p in changed if p.wanted]
    files = situation.supplies.packages(wanted, old=False) if wanted else {}
    absent = {key for key in wanted if key not in files}
    draft.leave([each for each in found if each.key in absent], _ABSENT)
    changed = [p for p in changed if p.key not in absent]
    before = [p.key for p in changed if p.present.get("version") and _moves(p)]
    old = situation.supplies.packages(before, old=True) if before else {}
    changes = tuple(sorted(_changes(changed, files, old), key=lambda c: (c.name, c.arch)))
    kept = [p for p in packages.values() if p.key not in absent and p.wanted]
    marks = _marks(kept, _native(situation))
    if changes or any(marks):
        draft.steps.append(_step(changes, marks, found, absent))


_ABSENT = (
    "this version cannot be had: `envlock vendor` on a machine that has it keeps it, or name a"
    " directory or snapshot service in [materialize]"
)


def _step(
    changes: tuple[PackageChange, ...], marks: Marks, found: list[Difference], absent: set[str]
) -> Step:
    counts = Counter(change.verb.value for change in changes)
    told = [f"{verb} {counts[verb]:,}" for verb in Verb if counts[verb]]
    marked = sum(map(len, marks))
    older = sorted(c.name for c in changes if c.verb is Verb.DOWNGRADE)
    gone = sorted(c.name for c in changes if c.verb is Verb.REMOVE)
    risks = [f"installs older versions of {', '.join(older)}"] if older else []
    risks += [f"removes {', '.join(gone)}"] if gone else []
    return Step(
        id="packages",
        kind=StepKind.PACKAGES,
        phase=Phase.PACKAGES,
        summary=f"packages: {', '.join([*told, f'mark {marked:,}'] if marked else told)}",
        risk="; ".join(risks),
        gaps=tuple(each.id for each in found if each.key not in absent),
        packages=Transaction(NAME, changes, marks),
        has_undo=all(c.has_undo and c.verb is not Verb.CONFIGURE for c in changes),
    )


def _package(key: str, situation: Situation) -> _Package:
    wanted, present = (lock.get(_SECTION, key) for lock in (situation.wanted, situation.present))
    return _Package(key, wanted, present)


def _moves(package: _Package) -> bool:
    return package.wanted.get("version") != package.present.get("version")


def _changes(
    packages: list[_Package], files: Mapping[str, Archive], old: Mapping[str, Archive]
) -> Iterator[PackageChange]:
    for each in packages:
        name, _, arch = each.key.rpartition(":")
        before, after = each.present.get("version", ""), each.wanted.get("version", "")
        verb = _verb(before, after)
        yield PackageChange(verb, name, arch, before, after, files.get(each.key), old.get(each.key))


def _verb(before: str, after: str) -> Verb:
    if not after:
        return Verb.REMOVE
    if not before:
        return Verb.INSTALL
    if before == after:
        return Verb.CONFIGURE
    is_newer = relate(VersionOrder.DEB, after, before) is Relation.NEWER
    return Verb.DOWNGRADE if is_newer else Verb.UPGRADE


def _native(situation: Situation) -> str:
    counts = Counter(k.rpartition(":")[2] for k in situation.wanted.sections.get(_SECTION, ()))
    del counts["all"]
    return min(counts, key=lambda name: (-counts[name], name), default="")


def _marks(packages: list[_Package], native: str) -> Marks:
    """Return the marks to set; what a transaction names becomes manual, so changed ones too."""
    found: dict[str, list[str]] = {"auto": [], "manual": [], "hold": [], "unhold": []}
    for each in packages:
        want, have = each.wanted.get("mark", ""), each.present.get("mark", "")
        name, _, arch = each.key.rpartition(":")
        word = name if arch in ("all", native) else f"{name}:{arch}"
        if want in found and (each.is_content or want != have):
            found[want].append(word)
        if have == "hold" and (each.is_content or want != "hold"):
            found["unhold"].append(word)
    return Marks(**{mark: tuple(sorted(names)) for mark, names in found.items()})
