"""The plan of a rebuild: the artifacts it needs, and every reason why it is impossible.

It is made before anything is fetched or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from envlock.materialize.artifacts.artifact import Artifact, parse_source
from envlock.materialize.artifacts.table import artifact_of
from envlock.model.lock import Lock
from envlock.model.text import escape
from envlock.model.tree import OBSERVED, REDACTED, EntryType, Row
from envlock.store.objects import Store


class Plan(NamedTuple):
    """The artifacts to read, each with the rows it serves, and the rows no source can serve.

    `blockers` has one message for each of the latter.
    """

    artifacts: Mapping[Artifact, Sequence[Row]]
    blockers: tuple[str, ...]


def make_plan(rows: Iterable[Row], lock: Lock, store: Store, derived: Iterable[str]) -> Plan:
    """Return the plan for the rows of an image.

    `derived` are the paths whose content the normaliser generates.  A row that names no artifact
    must have its content in the store.
    """
    generated = frozenset(derived)
    needed: dict[Artifact, list[Row]] = {}
    blockers: list[str] = []
    for row in rows:
        entry = row.entry
        if entry.type is not EntryType.FILE or not entry.size or entry.path in generated:
            continue
        artifact = artifact_of(parse_source(row), lock)
        if artifact is not None:
            needed.setdefault(artifact, []).append(row)
        elif not entry.sha256 or not store.has(entry.sha256):
            blockers.append(_blocker(row))
    return Plan(needed, tuple(blockers))


def missing_artifacts(plan: Plan, missing: Iterable[Artifact], store: Store) -> list[Artifact]:
    """Return the missing artifacts whose files are not all in the store."""
    return [
        artifact
        for artifact in missing
        if not all(store.has(row.entry.sha256) for row in plan.artifacts[artifact])
    ]


def _blocker(row: Row) -> str:
    path = escape(row.entry.path)
    if row.source.startswith(OBSERVED) or not row.entry.sha256:
        return f"{path}: the capture did not keep its content"
    if row.source.startswith(("blob ", REDACTED)):
        return f"{path}: its content (sha256:{row.entry.sha256[:12]}) is not in this store"
    return f"{path}: the lock does not describe its source {escape(row.source)!r}"
