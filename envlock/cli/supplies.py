"""Bring what a plan needs to this machine: package files, and contents of files to the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.apply.plan import Archive, Plan
from envlock.cli.package_sources import source_options
from envlock.materialize.artifacts.artifact import Artifact, Reference
from envlock.materialize.artifacts.identify import published_name
from envlock.materialize.artifacts.obtain import obtain
from envlock.materialize.artifacts.plan import Plan as Contents
from envlock.materialize.artifacts.plan import make_plan
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import sha256_of
from envlock.materialize.tree.rebuild import Rebuild
from envlock.model.tree import Row

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock
    from envlock.store.objects import Store

_SCHEME = "deb"


class Supplies:
    """`envlock.apply.situation.Supplies` from the store, and the sources that the settings name.

    `lock` is what the machine shall become, `present` what it is.
    """

    def __init__(
        self, lock: Lock, present: Lock, config: Config, store: Store, *, offline: bool
    ) -> None:
        self._locks = {False: lock, True: present}
        self._config = config
        self._store = store
        self._offline = offline
        self.files: dict[Archive, Path] = {}

    def packages(self, keys: Collection[str], *, old: bool) -> Mapping[str, Archive]:
        """Return the files of packages by key; each is opened, and is what its name says."""
        lock = self._locks[old]
        wanted = {key: artifact_of(Reference(_SCHEME, key, ""), lock) for key in sorted(keys)}
        got = self._obtain([artifact for artifact in wanted.values() if artifact], lock)
        found = {}
        for key, artifact in wanted.items():
            path = got.get(artifact) if artifact else None
            if artifact is None or path is None or published_name(path) != artifact.filename:
                continue
            name, version, arch, *_ = artifact
            archive = Archive(name, version, arch, sha256_of(path), path.stat().st_size)
            self.files[archive] = path
            found[key] = archive
        return found

    def find(self, plan: Plan) -> None:
        """Look for the package files of a plan that was made before, by their digests."""
        changes = [c for step in plan.steps if step.packages for c in step.packages.changes]
        archives = [each for change in changes for each in (change.archive, change.old) if each]
        found = [(_artifact(archive), archive) for archive in archives]
        got = self._obtain([artifact for artifact, _ in found], self._locks[False])
        self.files.update({archive: got[a] for a, archive in found if a in got})

    def lacking(self, rows: Sequence[Row]) -> Mapping[str, str]:
        """Put the contents of rows of the lock into the store; return why others are missing."""
        lock, store = self._locks[False], self._store
        wanted = [row for row in rows if not store.has(row.entry.sha256)]
        plan = make_plan(wanted, lock, store, ())
        got = self._obtain(list(plan.artifacts), lock)
        rebuild = Rebuild(store, {}, self._config.workers)
        try:
            faults = rebuild.prepare(plan, got)
            lacking = self._take(plan, got, faults, rebuild) | _blocked(wanted, plan)
        finally:
            rebuild.close()
        store.commit()
        return lacking

    def _take(
        self,
        plan: Contents,
        got: Mapping[Artifact, Path],
        faults: Mapping[Artifact, Sequence[str]],
        rebuild: Rebuild,
    ) -> dict[str, str]:
        lacking = {}
        for artifact, rows in plan.artifacts.items():
            for row in rows:
                if artifact not in got:
                    lacking[row.entry.path] = f"{artifact} cannot be had, which it comes from"
                elif artifact in faults:
                    lacking[row.entry.path] = faults[artifact][0]
                else:
                    self._store.put_stream(rebuild.chunks(row), row.entry.sha256)
        return lacking

    def _obtain(self, wanted: Sequence[Artifact], lock: Lock) -> Mapping[Artifact, Path]:
        if not wanted:
            return {}
        options = source_options(self._config, lock, offline=self._offline)
        return obtain(wanted, lock, self._store, options).paths


def _artifact(archive: Archive) -> Artifact:
    from envlock.materialize.artifacts.kinds.deb import Deb

    return Deb(archive.name, archive.version, archive.arch, archive.name, archive.sha256)


def _blocked(rows: Sequence[Row], plan: Contents) -> dict[str, str]:
    """Return the rows that no artifact and no blob serves."""
    served = {row.entry.path for found in plan.artifacts.values() for row in found}
    return {
        row.entry.path: "its content is not in this store: pull the lock, or capture it again"
        for row in rows
        if row.entry.size and row.entry.path not in served
    }
