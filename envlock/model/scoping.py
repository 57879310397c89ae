"""What a comparison takes as the applications: pairs of roles, and which records are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from envlock.model.belonging import Belonging, is_how_it_came, is_of_start
from envlock.model.record import Facts
from envlock.model.scope import Member, Role

Identity = tuple[str, str]
"""Section and key of a record."""


class PairedBy(StrEnum):
    """Why a root of one side stands beside a root of the other."""

    DECLARED = "declared"
    """Somebody gave both the same role."""
    SIMILARITY = "similarity"
    """Nobody did for one of them; the two have most in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePair:
    """One application on both sides.

    `left` and `right` are its roots as text.  `score` is the share that the two have in common, 0
    to 1, and `basis` says of what (``46 of 49 Python packages``).  `projected` is the side whose
    closure was not captured but follows from the other's, else empty.  `declare` are the lines of
    envlock.toml that would declare what was found.  `is_equal`: the parity digests are equal.
    `members` are those of both sides, `records` what belongs to it on either side, and `places` its
    own directories, all by the names of the comparison.  `only_left` and `only_right` name what
    only one side's application needs although both sides have it.  `is_service`: it is a service
    on every side, so that how it is started is compared.
    """

    role: str
    left: str
    right: str
    paired_by: PairedBy
    score: float = 1.0
    basis: str = ""
    projected: str = ""
    declare: tuple[str, ...] = ()
    is_equal: bool = False
    members: tuple[Member, ...] = ()
    places: tuple[str, ...] = ()
    records: frozenset[Identity] = frozenset()
    only_left: tuple[str, ...] = ()
    only_right: tuple[str, ...] = ()
    is_service: bool = False


class AbsentRoot(NamedTuple):
    """A declared root as text on the side that has it; None on the side that does not."""

    role: str
    left: str | None
    right: str | None


def absent_roots(ours: Mapping[str, Role], theirs: Mapping[str, Role]) -> tuple[AbsentRoot, ...]:
    """Return the roots that somebody declared for both sides and that one of them lacks."""
    pairs = ((name, ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()))
    return tuple(
        AbsentRoot(name, *(str(role.root) if role.is_found else None for role in (left, right)))
        for name, left, right in pairs
        if left.is_found is not right.is_found
    )


@dataclass(frozen=True, slots=True)
class Scoping:
    """Which records belong to which application.

    `absent` are declared roots that only one side has.  `is_machine_against_container`: one side
    says how a program is started, the other is a machine on which many are.
    `original` maps, for each side, section and key of the comparison -> key in the lock, where the
    two differ.
    """

    pairs: tuple[RolePair, ...]
    absent: tuple[AbsentRoot, ...] = ()
    is_machine_against_container: bool = False
    original: tuple[Mapping[Identity, str], Mapping[Identity, str]] = ({}, {})
    _belonging: dict[str, Belonging] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for pair in self.pairs:
            self._belonging[pair.role] = Belonging.of(pair.members, pair.places)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles, in order."""
        return tuple(self._belonging)

    def of(
        self, section: str, key: str, fact: str = "", facts: Facts | None = None
    ) -> tuple[str, ...]:
        """Return the roles that a record belongs to, or a fact of it, empty for none."""
        if is_how_it_came(section, fact):
            return ()
        # A path of a file tree has no record: its owner and its directory decide.
        known = {name: text for name, text in (facts or {}).items() if name == "owned-by"}
        is_start = is_of_start(section, key)
        return tuple(
            pair.role
            for pair in self.pairs
            if (pair.is_service or not is_start)
            and (
                (section, key) in pair.records
                or (section == "file" and self._belonging[pair.role].has(section, key, known))
            )
        )

    def member(self, role: str, section: str, key: str) -> Member | None:
        """Return the member that a record is for a role, None if it is none itself."""
        return self._belonging[role].member(section, key)
