"""What a bundle has beside the lock: packages, an image; and what the other side has already."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.building import build_options
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.image_rules import user_rules
from envlock.cli.operands import read_lock_bytes, read_lock_operand
from envlock.cli.package_sources import source_options
from envlock.lockfile.reader import parse_lock
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.registry import packages_of
from envlock.materialize.artifacts.verify import is_locked_content
from envlock.materialize.assemble import layout_directory, plan_of
from envlock.materialize.image.travel import image_blobs
from envlock.materialize.vendor import as_blobs, gather
from envlock.model.lock import tree_address
from envlock.model.splice import kept_digests
from envlock.store.bundle import Bundle
from envlock.store.manifests import PACKAGE_TYPE, Described, parse_manifest
from envlock.store.shipment import NOTHING_THERE, Base, Blob, Extent
from envlock.store.unpacking import objects_of, read_lock_of
from envlock.workflow import materialize, require_tree

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock
    from envlock.store.objects import Store


class Known(NamedTuple):
    """What the other side has: a version of a lock, and a test for packages."""

    base: Base
    has_package: Callable[[Artifact], bool]


NOTHING = Known(NOTHING_THERE, lambda _artifact: False)


def known_since(operand: str, config: Config, store: Store, console: Console) -> Known:
    """Return what somebody has who took a bundle, or everything of a lock: a file, or a LOCK.

    Raise StoreError for a file that is no bundle, and where the store lacks the content of a lock.
    """
    path = Path(operand)
    if path.is_file() and path.suffix != ".lock":
        with Bundle(path) as bundle:
            layers = parse_manifest(bundle.manifest(), bundle.name)
            packages = [layer for layer in layers if layer.media_type == PACKAGE_TYPE]
            return Known(_base_in(layers, bundle, store), _packages_in(path, packages))
    lock = read_lock_operand(operand, config)
    bring_content(operand, lock, config, store, console)
    tree = require_tree(lock, store)
    address = tree_address(lock)
    known = frozenset(plan_of(lock, tree, store, user_rules(config)).artifacts)
    return Known(_base_with(address, store), known.__contains__)


def _base_with(tree: str, store: Store) -> Base:
    """Return what somebody has who can rebuild the tree `tree` (hex), which the store has."""
    return Base(tree, kept_digests(store.read(tree))[0] | {tree})


def _base_in(layers: Sequence[Described], bundle: Bundle, store: Store) -> Base:
    """Return what somebody has who took a bundle."""
    tree = tree_address(parse_lock(read_lock_of(layers, bundle), where=bundle.name))
    if tree and store.has(tree):
        return _base_with(tree, store)
    return Base("", objects_of(layers, bundle))


def _packages_in(path: Path, packages: Sequence[Described]) -> Callable[[Artifact], bool]:
    """Return a test for the packages of a bundle: by their digests, where the lock states any."""

    def has(artifact: Artifact) -> bool:
        named = packages_of(artifact, packages)
        if not artifact.proofs or any(each.digest in artifact.proofs for each in named):
            return bool(named)
        with Bundle(path) as bundle:
            pieces = (bundle.blob(each.digest, each.size) for each in named)
            return any(is_locked_content(artifact, content) for content in pieces)

    return has


def extent_of(
    arguments: argparse.Namespace, lock: Lock, config: Config, store: Store, console: Console
) -> Extent:
    """Return the packages that go into a bundle, and what is left out of it.

    Raise MaterializeError when a package cannot be had.
    """
    known = NOTHING
    if arguments.since:
        known = known_since(arguments.since, config, store, console)
    if arguments.thin or not tree_address(lock):
        return Extent((), known.base)
    with console.progress("fetching packages") as steps:
        gathered = gather(
            lock,
            require_tree(lock, store),
            store,
            source_options(config, lock, offline=arguments.offline),
            steps,
            user_rules=user_rules(config),
            jobs=config.workers,
            is_known=known.has_package,
        )
    gathered.require_all("nothing was written (--thin leaves packages out)")
    return Extent(as_blobs(gathered.paths), known.base)


@contextmanager
def image_of(
    arguments: argparse.Namespace, lock: Lock, config: Config, store: Store, console: Console
) -> Iterator[Sequence[Blob]]:
    """Yield the manifest of the image of a lock and its blobs; nothing without ``--image``.

    They can be read until the body ends.

    Raise MaterializeError when it cannot be built.
    """
    if not arguments.image:
        yield ()
        return
    raw = read_lock_bytes(arguments.lock, config)
    with layout_directory(store) as directory:
        options = build_options(config, lock, arguments, directory)
        with console.progress("materializing") as steps:
            built = materialize(lock, raw, store, options, steps).built
        yield image_blobs(directory, built.manifest_digest)
