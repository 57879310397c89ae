"""What a rebuild needs, and every reason why it cannot be done, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from envlock.materialize.artifacts.artifact import Artifact, artifact_of, parse_source
from envlock.model.lock import Lock
from envlock.model.text import escape
from envlock.model.tree import EntryType, Row
from envlock.store.objects import Store


class Plan(NamedTuple):
    """The artifacts a rebuild reads, the rows each one serves, and what can be had nowhere."""

    artifacts: Mapping[Artifact, Sequence[Row]]
    blockers: tuple[str, ...]


def make_plan(rows: Iterable[Row], lock: Lock, store: Store, derived: Iterable[str]) -> Plan:
    """Return the plan for `rows` as they shall be in the image.

    `derived` are the paths whose content the normaliser makes.  Content that is already in the
    store by digest needs no artifact.
    """
    made = frozenset(derived)
    needed: dict[Artifact, list[Row]] = {}
    blockers: list[str] = []
    for row in rows:
        entry = row.entry
        if entry.type is not EntryType.FILE or not entry.size or entry.path in made:
            continue
        reference = parse_source(row)
        artifact = artifact_of(reference, lock)
        if artifact is not None:
            needed.setdefault(artifact, []).append(row)
        elif not entry.sha256 or not store.has(entry.sha256):
            blockers.append(_blocker(row))
    return Plan(needed, tuple(blockers))


def _blocker(row: Row) -> str:
    path = escape(row.entry.path)
    if row.source == "observed" or not row.entry.sha256:
        return f"{path}: its content could not be kept when it was captured"
    if row.source.startswith("blob "):
        return f"{path}: its content (sha256:{row.entry.sha256[:12]}) is not in this store"
    return f"{path}: the lock does not describe its source {escape(row.source)!r}"


def missing_artifacts(plan: Plan, missing: Iterable[Artifact], store: Store) -> list[str]:
    """Return a blocker for each missing artifact whose files are not all in the store."""
    return [
        f"{artifact}: in no source"
        for artifact in missing
        if not all(store.has(row.entry.sha256) for row in plan.artifacts[artifact])
    ]
