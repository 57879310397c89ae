"""Check a lockfile: canonical text, valid by its schema, no dangling keys, no credentials."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.errors import LockfileError, SecretRefusedError
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.schema import violations
from envlock.lockfile.writer import find_credentials, render_lock
from envlock.model.document import parse_toml
from envlock.model.lock import Lock
from envlock.model.text import escape


def problems(raw: bytes, where: str) -> list[str]:
    """Return a message for every problem of the lockfile `raw`; `where` names it in messages."""
    try:
        lock = parse_lock(raw, where=where)
    except LockfileError as error:
        return [str(error)]
    try:
        found = violations(parse_toml(raw.decode()))
    except ValueError as error:  # it is read, but it is not TOML within the limits of that parser
        found = [str(error)]
    found += [*_dangling_keys(lock), *_credentials(lock)]
    try:
        if render_lock(lock) != raw:
            line = _first_difference(render_lock(lock), raw)
            found.append(f"line {line}: not canonical; capture again or `envlock merge-driver`")
    except SecretRefusedError:
        pass  # `_credentials` reports it, with section and key
    return found


def _dangling_keys(lock: Lock) -> Iterator[str]:
    """Yield a message for each Python package whose environment has no record."""
    environments = lock.sections.get("python", {})
    for key in environments:
        name, slash, _ = key.partition("/")
        if slash and name not in environments:
            yield f'python."{escape(key)}": no environment is called {escape(name)}'


def _credentials(lock: Lock) -> Iterator[str]:
    for record in lock.records():
        fact = find_credentials(record)
        if fact:
            yield f"{record.section}.{escape(record.key)}.{escape(fact)}: a URL with credentials"


def _first_difference(ours: bytes, theirs: bytes) -> int:
    lines = zip(ours.split(b"\n"), theirs.split(b"\n"), strict=False)
    return next((number for number, (a, b) in enumerate(lines, 1) if a != b), 1)
