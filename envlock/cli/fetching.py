"""Bring the content of a lock to the store: from beside the lock, or from a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli import git_revision
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import lock_path, remote_reference
from envlock.errors import EnvlockError, StoreError
from envlock.model.lock import tree_address
from envlock.registry.reference import PREFIX, Reference
from envlock.store.carried import CarriedObjects, objects_beside
from envlock.store.manifests import has_tree, parse_manifest
from envlock.store.objects import Store
from envlock.store.partial_file import partial_folder
from envlock.store.unpacking import is_complete, unpack_shipment

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock

_Fetch = Callable[[str, Store], int]
"""(tree, store) -> how many files were new."""


def bring_content(operand: str, lock: Lock, config: Config, store: Store, console: Console) -> None:
    """Fetch what the store lacks of the content of a lock, and say from where it came.

    Where a carrier cannot give it, a warning says why; what needs the content then says what is
    missing.  Raise RegistryError where the lock itself is in a registry that does not have it.
    """
    tree = tree_address(lock)
    if not tree or is_complete(tree, store):
        return
    if operand.startswith(PREFIX):
        _from_registry(Reference.parse(operand), tree, store)
        return
    for place, fetch in _carriers(operand, tree, config):
        try:
            count = fetch(tree, store)
        except EnvlockError as error:
            console.say(Message.CONTENT_NOT_THERE, place=place, lock=operand, reason=error.message)
        else:
            console.say(Message.CONTENT_FETCHED, place=place, lock=operand, count=count)
            return


def _carriers(operand: str, tree: str, config: Config) -> Iterator[tuple[str, _Fetch]]:
    """Yield the places that may have the content of a lock, cheapest first."""
    folder = _folder(operand, config)
    if any(sha256 == tree for sha256, _ in CarriedObjects(folder).files()):
        yield str(folder), lambda tree, store: _from_folder(folder, tree, store)
    if config.locks.remote:
        reference = remote_reference(_name(operand), config)
        yield str(reference), lambda tree, store: _from_registry(reference, tree, store)


def _folder(operand: str, config: Config) -> Path:
    if operand.startswith(git_revision.PREFIX):
        return Path(config.locks.dir) / objects_beside(Path()).name
    return objects_beside(lock_path(operand, config))


def _name(operand: str) -> str:
    return operand.rpartition(":")[2] if operand.startswith(git_revision.PREFIX) else operand


def _from_folder(folder: Path, tree: str, store: Store) -> int:
    origin = CarriedObjects(folder)
    return unpack_shipment(origin.layers(tree), origin, tree, store)


def _from_registry(reference: Reference, tree: str, store: Store) -> int:
    from envlock.cli.registry_locks import RegistryOrigin, lock_manifest, open_repository
    from envlock.cli.versions import note_there

    with open_repository(reference) as repository:
        manifest = lock_manifest(repository).content
        layers = parse_manifest(manifest, str(reference))
        if not has_tree(layers, tree):
            raise StoreError(
                "it holds another version of this lock",
                where=str(reference),
                hint="push this version, or pull that one",
            )
        origin = RegistryOrigin(repository, partial_folder(store))
        count = unpack_shipment(layers, origin, tree, store)
        note_there(reference, manifest, store)
        return count
