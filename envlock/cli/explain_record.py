"""Say of a record of a lock which application needs it, and by which chain."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.errors import UsageError
from envlock.model.chain import chains
from envlock.model.facts import SECTIONS
from envlock.model.lock import Lock
from envlock.model.scope import roles_of
from envlock.model.text import escape
from envlock.secrets.records import clean_text


def is_record(subject: str) -> bool:
    """True for ``SECTION KEY``, with the name of a section."""
    section, space, key = subject.partition(" ")
    return bool(space and key) and section in SECTIONS


def explain_record(subject: str, lock: Lock, operand: str) -> Iterator[str]:
    """Yield the chain of each role to each record that ``SECTION KEY`` names.

    The key may lack the architecture of a package, and the environment of a distribution.  Raise
    UsageError when the lock has no such record.
    """
    section, _, name = subject.partition(" ")
    keys = list(_named(lock, section, name))
    if not keys:
        raise UsageError(
            f"{operand} has no record {subject}",
            hint=f"`envlock show {operand} {section}` lists the records of this section",
        )
    for key in keys:
        found = [escape(clean_text(chain)) for _, chain in chains(lock, section, key)]
        if found:
            yield from found
        else:
            yield f"{escape(clean_text(f'{section} {key}'))}: {_nobody(lock)}"


def _named(lock: Lock, section: str, name: str) -> Iterator[str]:
    entries = lock.sections.get(section, {})
    if name in entries:
        yield name
        return
    for key in entries:
        if name in (key.partition(":")[0], key.partition("/")[2]):
            yield key


def _nobody(lock: Lock) -> str:
    roles = sorted(roles_of(lock))
    if not roles:
        return "the lock names no application, see --root"
    return f"no application needs it (known are {', '.join(roles)})"
