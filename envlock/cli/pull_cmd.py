"""``envlock pull``: fetch a lock and its content from a registry."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.group_index import ServiceLock, write_group
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, remote_reference, safe_name
from envlock.cli.registry_locks import (
    RegistryOrigin,
    lock_manifest,
    open_repository,
)
from envlock.cli.transfer import unpack
from envlock.cli.versions import note_there
from envlock.errors import ExitStatus, LockfileError, UsageError
from envlock.model.digest import digests
from envlock.registry.reference import PREFIX, Reference
from envlock.store.manifests import parse_manifest
from envlock.store.partial_file import partial_folder
from envlock.store.service_set import services_of
from envlock.writing import replace_file

if TYPE_CHECKING:
    from envlock.model.lock import Lock
    from envlock.registry.client import Manifest, Repository
    from envlock.store.objects import Store


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Fetch and verify everything that the store lacks, then write the lock."""
    config = read_config(arguments, console)
    if arguments.reference.startswith(PREFIX):
        reference = Reference.parse(arguments.reference)
    else:
        reference = remote_reference(arguments.reference, config)
    name = safe_name(reference.tag or reference.repository.rpartition("/")[2])
    with open_repository(reference) as repository, open_store(config) as store:
        puller = _Puller(repository, store, Path(config.locks.dir))
        tagged = repository.manifest()
        where = str(reference)
        services = {} if reference.service else services_of(tagged.document, where)
        if services:
            if arguments.output:
                raise UsageError(
                    "the locks of several services cannot be written to one file",
                    where=where,
                    hint=f"name one of them: {where}#{next(iter(services))}",
                )
            document = puller.pull_group(name, tagged, services)
        else:
            name += f"-{safe_name(reference.service)}" if reference.service else ""
            document = puller.pull(Path(arguments.output or puller.path(name)))
    console.out(json.dumps(document, indent=2) if arguments.json else document["manifest_digest"])
    for path in puller.written:
        console.say(Message.WROTE, path=path)
    return ExitStatus.OK


class _Puller:
    """Fetches locks of a repository into a store and a folder; `written` are the files."""

    def __init__(self, repository: Repository, store: Store, folder: Path) -> None:
        self._repository = repository
        self._store = store
        self._folder = folder
        self.written: list[Path] = []

    def path(self, name: str) -> Path:
        """Return where a lock goes."""
        return self._folder / f"{name}.lock"

    def pull(self, path: Path) -> dict[str, Any]:
        """Fetch the lock that the reference names, write it, and return what was done."""
        manifest = lock_manifest(self._repository)
        raw, _, new = self._fetch(manifest, self._repository.reference)
        self._write(path, raw)
        return {
            "schema_version": 1,
            "lock": str(path),
            "manifest_digest": manifest.digest,
            "new_objects": new,
        }

    def pull_group(
        self, name: str, tagged: Manifest, services: Mapping[str, str]
    ) -> dict[str, Any]:
        """Fetch the locks of all services, write them and the file of the group.

        `tagged` is the index; `services` are the digests of the manifests in it.
        """
        paths = {service: self.path(f"{name}-{safe_name(service)}") for service in services}
        if len(set(paths.values())) < len(paths):
            raise LockfileError(
                "two of its services have one file name",
                where=str(self._repository.reference),
                hint="pull each of them by itself, with -o",
            )
        fetched = {
            service: self._fetch(
                self._repository.manifest(digest),
                self._repository.reference._replace(service=service),
            )
            for service, digest in services.items()
        }
        for service, (raw, _, _) in fetched.items():
            self._write(paths[service], raw)
        listed = self._folder / f"{name}.json"
        locks = {
            service: ServiceLock(paths[service].name, digests(lock).environment)
            for service, (_, lock, _) in fetched.items()
        }
        write_group(listed, str(self._repository.reference), locks)
        self.written.append(listed)
        return {
            "schema_version": 1,
            "locks": {service: str(path) for service, path in paths.items()},
            "manifest_digest": tagged.digest,
            "new_objects": sum(new for _, _, new in fetched.values()),
        }

    def _fetch(self, manifest: Manifest, reference: Reference) -> tuple[bytes, Lock, int]:
        """Fetch a lock with its content; return it, and how many objects were new to the store."""
        origin = RegistryOrigin(self._repository, partial_folder(self._store))
        done = unpack(parse_manifest(manifest.content, origin.name), origin, self._store)
        note_there(reference, manifest.content, self._store)
        return done

    def _write(self, path: Path, raw: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, raw)
        self.written.append(path)
