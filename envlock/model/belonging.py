"""Which records belong to an application: its members, what they own, what is in its directory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from envlock.model.record import Facts
from envlock.model.scope import EVERY, Member
from envlock.model.scope_names import BY_PATH, OWNERS

HOW_IT_CAME = frozenset(
    {
        "mark",
        "reason",
        "requested",
        "needed-by",
        "managed-by",
        "packaged-by",
        "externally-managed",
        "repository",
        "origin",
        "installer",
    }
)
"""Facts that say how a record came onto the machine, and nothing of what an application meets."""

NAMES_OF_PLACES = frozenset(
    {
        "PATH",
        "HOME",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "HOSTNAME",
        "TERM",
        "USER",
        "LOGNAME",
        "VIRTUAL_ENV",
        "VIRTUAL_ENV_PROMPT",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "CONDA_PROMPT_MODIFIER",
        "CONDA_SHLVL",
        "_",
    }
)
"""Variables that name places: what is found there is in the closure itself."""

_UNITS = re.compile(r"/(?:etc|run|lib|usr/lib|usr/local/lib)/systemd/system/|/etc/init\.d/")
"""Directories of what starts services."""
_OF_NEEDERS = ("missing-library", "missing-symbol")
"""Sections whose records are about the file in their fact ``needed-by``."""


class Belonging(NamedTuple):
    """The closure of one application, to be asked about records.

    `members` are its members by section and key, `keys` the keys alone, and `places` its own
    directories.
    """

    members: Mapping[tuple[str, str], Member]
    keys: frozenset[str]
    places: tuple[str, ...]

    @classmethod
    def of(cls, members: Iterable[Member], places: Iterable[str]) -> Self:
        """Return what belongs to an application with these members and directories."""
        found = {(member.section, member.key): member for member in members}
        return cls(found, frozenset(key for _, key in found), tuple(places))

    def has(self, section: str, key: str, facts: Facts) -> bool:
        """True when a record belongs to the application.

        That is a member, what a member owns, and what lies in a directory of its own.  What a file
        lacks belongs to it where the file does; variables that only name places belong to nobody.
        """
        if is_place(section, key):
            return False
        if section in _OF_NEEDERS:
            needer = facts.get("needed-by", "")
            return needer in self.keys or self._is_below(needer)
        if (section, key) in self.members or (section, EVERY) in self.members:
            return True
        owner = next((facts[name] for name in OWNERS if name in facts), "")
        if owner:
            of_section, _, of_key = owner.partition(" ")
            if (of_section, of_key) in self.members:
                return True
        return section in BY_PATH and self._is_below(key)

    def member(self, section: str, key: str) -> Member | None:
        """Return the member that a record is, None if it only belongs to one."""
        return self.members.get((section, key)) or self.members.get((section, EVERY))

    def _is_below(self, path: str) -> bool:
        return any(path == place or path.startswith(f"{place}/") for place in self.places)


def is_place(section: str, key: str) -> bool:
    """True for a variable that only names a place."""
    return section == "env" and key in NAMES_OF_PLACES


def is_how_it_came(section: str, fact: str) -> bool:
    """True for a fact that says how a record came onto the machine."""
    return fact in HOW_IT_CAME and section not in _OF_NEEDERS


def is_of_start(section: str, key: str) -> bool:
    """True for a record of how a service is started: its unit, drop-ins, or init script.

    Only services have it; a container starts the same program by a command.
    """
    return section == "service" or (section == "file" and _UNITS.match(key) is not None)
