"""The parity digest: the identity of an application's closure, the same on any machine.

::

    parity = H("envlock:parity:v1", sorted leaves of the records...)

A leaf is that of the environment digest (`envlock.model.digest`), with keys by role
(`envlock.model.scope_names`).  Left out is what no image holds (kernel, CPU, drivers), how a
package came (asked for or not, by which installer), how a service is started, variables that only
name places, and locales that no variable names.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.model.belonging import Belonging, is_how_it_came, is_of_start
from envlock.model.digest import hash_parts, leaf_digest
from envlock.model.facts import Part, part_of
from envlock.model.locales import with_named_locales
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.scope import Role
from envlock.model.scope_names import names_of, renamed

COMPILED = "compiled"
"""The fact with the digest of the compiled files of a package, which its version does not fix."""


def parity_digest(lock: Lock, role: Role) -> str:
    """Return ``envlock1:sha256:<hex>`` over the closure of a role of the lock."""
    lock = with_named_locales(lock)
    names = names_of(lock, role)
    belonging = Belonging.of(role.members, (place.path for place in names.places))
    own = Lock.of(_records(lock, role, belonging))
    leaves = sorted(
        leaf_digest(record.section, record.key, of_scope(record.section, record.facts))
        for record in renamed(own, names).records()
    )
    return f"envlock1:sha256:{hash_parts(b'envlock:parity:v1', *leaves).hex()}"


def _records(lock: Lock, role: Role, belonging: Belonging) -> Iterator[Record]:
    added = {(record.section, record.key): record for record in unrecorded(lock, role)}
    for record in lock.records():
        section, key, _ = record
        if part_of(section) is Part.ENVIRONMENT and belonging.has(*record):
            stated = added.pop((section, key), record)
            if not is_of_start(section, key):
                yield stated
    yield from (each for each in added.values() if not is_of_start(each.section, each.key))


def unrecorded(lock: Lock, role: Role) -> Iterator[Record]:
    """Yield a record for what only the closure states.

    That is a file that the lock has no record of, with its digest if it is known, and a package
    whose compiled files have a digest, as its record with the fact `COMPILED`.
    """
    for member in role.members:
        known = lock.get(member.section, member.key)
        if known and member.sha256 and member.section != "file":
            yield Record(member.section, member.key, {**known, COMPILED: member.sha256})
        elif not known and (member.sha256 or member.section == "file"):
            digest = {"sha256": member.sha256} if member.sha256 else {"type": "file"}
            yield Record(member.section, member.key, digest)


def of_scope(section: str, facts: Facts) -> Facts:
    """Return the facts of a record that an application can meet."""
    return {name: value for name, value in facts.items() if not is_how_it_came(section, name)}
