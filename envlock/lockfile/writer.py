"""Write a lock in canonical form: keyed tables in byte order, one fact per line.

So two branches that change different records merge without a conflict, and a bad merge that
duplicates a record is a parse error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envlock.errors import SecretRefusedError, StoreError
from envlock.lockfile.syntax import COVERAGE, HEADER, VERSION_KEY, assignment, heading, quoted
from envlock.model.facts import fact_sort_key
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.text import escape, sort_key
from envlock.secrets.urls import holds_credentials
from envlock.writing import write_output


def render_lock(lock: Lock) -> bytes:
    """Return the canonical bytes of `lock`.

    Raise SecretRefusedError when a value contains a URL with credentials; the message names the
    section, key and fact, but never the value.
    """
    parts = [HEADER, f"{VERSION_KEY} = {quoted(lock.version)}\n"]
    records = [*lock.records()]
    records += [Record(COVERAGE, key, facts) for key, facts in lock.coverage.items()]
    records.sort(key=lambda record: (sort_key(record.section), sort_key(record.key)))
    for record in records:
        parts.append(f"\n[{heading(record.section, record.key)}]\n")
        parts += _facts(record)
    return "".join(parts).encode()


def write_lock(path: Path, lock: Lock) -> bool:
    """Write `lock` to `path` atomically; return False when the file was up to date already.

    The mode of an existing file is kept, a link is followed, and what is no regular file is written
    to, see `envlock.writing.output`.  Raise StoreError when the disk is full or read-only, and
    as `render_lock` does.
    """
    content = render_lock(lock)
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(path, content)
    except OSError as error:
        raise StoreError(f"cannot write the lockfile: {error.strerror}", where=str(path)) from error
    return True


def find_credentials(record: Record) -> str:
    """Return the name of the first fact that contains a URL with credentials, or nothing."""
    return next((name for name, value in record.facts.items() if holds_credentials(value)), "")


def _facts(record: Record) -> Iterator[str]:
    leaking = find_credentials(record)
    if leaking:
        raise SecretRefusedError(
            "a URL with credentials would have been written",
            where=f"{record.section}.{escape(record.key)}.{leaking}",
            hint="remove the credentials from the configuration that was captured",
        )
    facts: Facts = record.facts
    for name in sorted(facts, key=fact_sort_key):
        yield f"{assignment(name)}{quoted(facts[name])}\n"
