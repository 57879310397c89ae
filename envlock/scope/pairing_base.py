"""Name the applications of a common base like the two sides that are compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envlock.model.facts import Family, packages_of
from envlock.model.locales import with_named_locales
from envlock.model.lock import Lock
from envlock.model.scope import roles_of
from envlock.model.scope_names import Names, Place, joined, names_of, renamed
from envlock.scope.pairing import Paired
from envlock.scope.stated import with_own

_ENVIRONMENTS = packages_of(Family.PYTHON, Family.LANGUAGE)


def like(base: Lock, paired: Paired) -> tuple[Lock, Names]:
    """Return another lock of the same applications with the names of a comparison, and those.

    Where it names an application itself, that decides; else what either side calls so.
    """
    if paired.scoping is None:
        return base, Names({})
    known = {name: role for name, role in roles_of(base).items() if role.is_found}
    roles = [known[pair.role] for pair in paired.scoping.pairs if pair.role in known]
    others = [pair.role for pair in paired.scoping.pairs if pair.role not in known]
    found = joined((*(names_of(base, role) for role in roles), *_of_sides(base, paired, others)))
    names = _used(found, paired)
    return with_named_locales(renamed(with_own(base, roles), names)), names


def _of_sides(base: Lock, paired: Paired, roles: list[str]) -> Iterator[Names]:
    """Yield the names of each side for what the base has under the same key and path."""
    for names in paired.names if roles else ():
        keys = {
            section: {
                key: name
                for key, name in known.items()
                if key in base.sections.get(section, {}) and _is_of(name, roles)
            }
            for section, known in names.keys.items()
        }
        paths = set(_paths(base, keys))
        places = tuple(
            place for place in names.places if place.path in paths and _is_of(place.name, roles)
        )
        yield Names({section: kept for section, kept in keys.items() if kept}, places)


def _is_of(name: str, roles: list[str]) -> bool:
    """True for the name by role of one of the roles: ``app``, ``app-base``, ``/{app}``."""
    first = name.removeprefix("@").strip("/").partition("/")[0].strip("{}")
    return first.removesuffix("-base") in roles


def _paths(base: Lock, keys: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for section, known in keys.items():
        if section in _ENVIRONMENTS:
            yield from (base.get(section, key).get("path", "").rstrip("/") for key in known)


def _used(found: Names, paired: Paired) -> Names:
    """Return those names that the comparison uses, as it writes them."""
    new = {
        (section, name.removeprefix("@")): name
        for names in paired.names
        for section, known in names.keys.items()
        for name in known.values()
    }
    keys = {
        section: {
            key: new[section, name.removeprefix("@")]
            for key, name in known.items()
            if (section, name.removeprefix("@")) in new
        }
        for section, known in found.keys.items()
    }
    called = {place.name for side in paired.names for place in side.places}
    places = tuple(Place(*place) for place in found.places if place.name in called)
    return Names({section: known for section, known in keys.items() if known}, places)
