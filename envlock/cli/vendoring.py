"""Keep the packages of a lock in a folder or a registry, and say what was done."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.console import Console
from envlock.cli.image_rules import user_rules
from envlock.cli.messages import Message
from envlock.cli.package_sources import source_options, vendor_place
from envlock.cli.registry_locks import open_repository, push
from envlock.cli.sending import confirm, push_in_known_form
from envlock.errors import UsageError
from envlock.materialize.artifacts.artifact import is_plain
from envlock.materialize.artifacts.obtain import artifact_cache
from envlock.materialize.vendor import (
    Gathered,
    Kept,
    as_blobs,
    folder_errors,
    gather,
    keep_file,
    keep_in_folder,
    make_folder,
)
from envlock.registry.reference import Reference
from envlock.store.manifests import PACKAGE_TYPE, Described, Origin
from envlock.store.shipment import pack_packages
from envlock.workflow import require_tree

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock
    from envlock.store.objects import Store


class Vendored(NamedTuple):
    """Where packages are now, how many and how large, and those that could not be had."""

    place: str
    kept: Kept
    gathered: Gathered


def keep_packages(
    lock: Lock,
    config: Config,
    store: Store,
    console: Console,
    *,
    to: str = "",
    offline: bool = False,
    is_confirmed: bool = False,
) -> Vendored:
    """Fetch the packages of a lock and keep them; those that cannot be had are left out.

    Raise MaterializeError for a lock without a file tree, UsageError where a push to a registry is
    not confirmed.
    """
    place = vendor_place(config, lock, to)
    if isinstance(place, Reference) and place.digest:
        raise UsageError("packages are sent to a tag, not to a digest", where=str(place))
    with console.progress("fetching packages") as steps:
        gathered = gather(
            lock,
            require_tree(lock, store),
            store,
            source_options(config, lock, offline=offline),
            steps,
            user_rules=user_rules(config),
            jobs=config.workers,
        )
    if isinstance(place, Path):
        kept = keep_in_folder(gathered.paths, place)
    else:
        kept = _send(gathered, place, store, console, is_confirmed=is_confirmed)
    _say_kept(place, kept, console)
    return Vendored(str(place), kept, gathered)


def take_packages(
    layers: Sequence[Described],
    origin: Origin,
    lock: Lock,
    config: Config,
    store: Store,
    console: Console,
) -> None:
    """Put the packages of a shipment where a rebuild looks for them, each verified by its digest.

    Where packages are kept in a registry or nowhere, that is the cache of the store.  Raise
    SourceError when the folder cannot be written, StoreError for a package that is damaged.
    """
    place = vendor_place(config, lock) if config.locks.vendor else None
    folder = place if isinstance(place, Path) else artifact_cache(store)
    packages = [layer for layer in layers if layer.media_type == PACKAGE_TYPE]
    new = 0
    with folder_errors(folder):
        make_folder(folder) if folder is place else folder.mkdir(parents=True, exist_ok=True)
        for each in packages:
            sha256 = each.digest.removeprefix("sha256:")
            name = each.name if is_plain(each.name.replace("%", "")) else sha256
            new += keep_file(folder, name, sha256, origin.blob(each.digest, each.size))
    _say_kept(folder, Kept(len(packages), new, sum(each.size for each in packages)), console)


def _say_kept(place: Path | Reference, kept: Kept, console: Console) -> None:
    console.say(
        Message.VENDORED,
        place=place,
        count=f"{kept.packages:,}",
        size=f"{kept.size:,}",
        new=f"{kept.new:,}",
    )


def _send(
    gathered: Gathered, place: Reference, store: Store, console: Console, *, is_confirmed: bool
) -> Kept:
    packages = as_blobs(gathered.paths)
    shipment = pack_packages(packages)
    size = sum(each.size for each in {each.digest: each for each in packages}.values())
    told = [f"packages: {len(packages):,} files, {size:,} bytes"]
    confirm(told, place, store, console, is_confirmed=is_confirmed)
    with open_repository(place) as repository:
        done = push_in_known_form(partial(push, repository, shipment), place, store, console)
    new = len(done.sent.intersection(each.digest for each in packages))
    return Kept(len(packages), new, size)
