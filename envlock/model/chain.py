"""The chain that leads from an application to a record: why it is in the closure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envlock.model.lock import Lock
from envlock.model.scope import EVERY, STEP, Member, MemberClass, Role, roles_of

_LONGEST = 32
"""Most hops of a chain that are followed."""


def chains(lock: Lock, section: str, key: str) -> Iterator[tuple[Role, str]]:
    """Yield each role that needs a record, and its chain: ``app (python:.venv) → … → zlib 1.3``."""
    for _, role in sorted(roles_of(lock).items()):
        members = {member.name: member for member in role.members}
        member = members.get(f"{section}:{key}") or members.get(f"{section}:{EVERY}")
        if member is not None:
            yield role, _chain(lock, role, member, members, key)


def _chain(lock: Lock, role: Role, member: Member, members: Mapping[str, Member], key: str) -> str:
    start = f"{role.name} ({role.root})"
    last = _called(lock, member._replace(key=key))
    if not member.via:
        return f"{STEP.join((start, last))} ({member.member_class.value})"
    hops: list[str] = []
    seen = set()
    at: Member | None = member
    while at is not None and at.via and at.name not in seen and len(hops) < _LONGEST:
        seen.add(at.name)
        origin, *steps = at.via.split(STEP)
        known = members.get(origin)
        named = [_called(lock, known)] if known else [] if origin == role.name else [origin]
        hops = [*named, *steps, *hops]
        at = known
    if member.member_class is MemberClass.DEPENDS:
        last = f"{last} (only by its metadata)"
    return STEP.join((start, *hops, last))


def _called(lock: Lock, member: Member) -> str:
    """Return a record as a step: its name without environment and architecture, and its version."""
    name = member.key or member.section
    if member.section in ("deb", "rpm", "apk", "pacman"):
        name = name.partition(":")[0]
    elif member.section not in ("file", "software"):
        name = name.partition("/")[2] or name
    version = lock.get(member.section, member.key).get("version", "")
    return f"{name} {version}".rstrip()
