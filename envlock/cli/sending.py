"""Send a lock and its content to a registry: where to, whether it may, what was done."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envlock.cli.console import Console
from envlock.cli.group_index import read_group
from envlock.cli.messages import Message
from envlock.cli.operands import remote_reference
from envlock.cli.registry_locks import Pushed, open_repository, push, push_services
from envlock.cli.transfer import Parcel, contents, pack
from envlock.cli.versions import as_there, extent_for, note_there, whole
from envlock.errors import UsageError
from envlock.store.blob_places import BlobPlaces
from envlock.store.objects import Store
from envlock.store.shipment import BaseGoneError, Extent
from envlock.writing import replace_file

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.registry.reference import Reference
    from envlock.store.shipment import Blob

_HOSTS = "pushed-hosts"
_IMAGE_HOSTS = "image-only-hosts"


def send(
    parcel: Parcel,
    reference: Reference,
    store: Store,
    console: Console,
    image: Sequence[Blob] = (),
    *,
    is_confirmed: bool,
    is_whole: bool = False,
) -> Pushed:
    """Send what travels and say so; before the first push to a host, show it and ask.

    `image` are the manifest, the configuration and the layers of its image, if that travels too.
    Unless `is_whole`, a lock that is there already is left as it is there, and where an earlier
    version is not there any more, the whole is sent.
    Raise UsageError unless that is confirmed, with `is_confirmed` or by the user.
    """
    told = [*contents(parcel)]
    if image:
        told.append(f"and the image: {sum(blob.size for blob in image):,} bytes")
    confirm(told, reference, store, console, is_confirmed=is_confirmed)
    places = BlobPlaces(store, reference.host)
    with open_repository(reference) as repository:

        def push_it(parcel: Parcel) -> Pushed:
            sending = partial(push, repository, parcel.shipment, image, places)
            return push_in_known_form(sending, reference, store, console)

        if not is_whole:
            parcel = as_there(parcel, repository, reference, store)
        try:
            done = push_it(parcel)
        except BaseGoneError:
            parcel = whole(parcel, store)
            done = push_it(parcel)
    note_there(reference, parcel.shipment.manifest, store)
    _say_pushed(done, reference, console)
    return done


def send_group(
    path: Path,
    reference: Reference,
    config: Config,
    store: Store,
    console: Console,
    *,
    is_confirmed: bool,
    is_whole: bool = False,
) -> Pushed:
    """Send the locks of a group in one index, as `send` sends one; `path` is the group's file."""
    services = {name: reference._replace(service=name) for name in read_group(path)}
    parcels = {
        name: pack(
            str(lock), config, store, Extent() if is_whole else extent_for(services[name], store)
        )
        for name, lock in read_group(path).items()
    }
    told = [line for parcel in parcels.values() for line in contents(parcel)]
    confirm(told, reference, store, console, is_confirmed=is_confirmed)
    places = BlobPlaces(store, reference.host)
    with open_repository(reference) as repository:

        def push_all() -> Pushed:
            shipments = {name: parcel.shipment for name, parcel in parcels.items()}
            sending = partial(push_services, repository, shipments, places)
            return push_in_known_form(sending, reference, store, console)

        if not is_whole:
            for name, parcel in parcels.items():
                parcels[name] = as_there(parcel, repository, services[name], store)
        try:
            done = push_all()
        except BaseGoneError:
            parcels = {name: whole(parcel, store) for name, parcel in parcels.items()}
            done = push_all()
    for name, parcel in parcels.items():
        note_there(services[name], parcel.shipment.manifest, store)
    _say_pushed(done, reference, console)
    return done


def _say_pushed(done: Pushed, reference: Reference, console: Console) -> None:
    console.say(
        Message.PUSHED,
        reference=reference,
        sent=done.counts.get("uploaded", 0),
        present=done.counts.get("present", 0) + done.counts.get("mounted", 0),
        size=f"{done.sent_bytes:,}",
    )


class _Push(Protocol):
    """Sends something, with `only_images` in the form of an image."""

    def __call__(self, *, only_images: bool) -> Pushed:
        """Return what was done."""


def push_in_known_form(
    push_it: _Push, reference: Reference, store: Store, console: Console
) -> Pushed:
    """Send something; remember a host that takes images only, and say so the first time."""
    done = push_it(only_images=reference.host in _listed(store, _IMAGE_HOSTS))
    if done.refused:
        _add(store, _IMAGE_HOSTS, reference.host)
        console.say(Message.PUSHED_AS_IMAGE, host=reference.host, reason=done.refused)
    return done


def _listed(store: Store, name: str) -> list[str]:
    """Return the hosts that a file of the cache lists."""
    file = store.cache / name
    return file.read_text().split() if file.is_file() else []


def _add(store: Store, name: str, host: str) -> None:
    hosts = sorted({*_listed(store, name), host})
    replace_file(store.cache / name, "".join(f"{each}\n" for each in hosts).encode())


def send_to_remote(
    lock: Path, config: Config, store: Store, console: Console, *, is_confirmed: bool
) -> Pushed:
    """Send the lock at a path to ``locks.remote``.  Raise UsageError where none is set."""
    reference = remote_reference(str(lock), config)
    parcel = pack(str(lock), config, store, extent_for(reference, store))
    return send(parcel, reference, store, console, is_confirmed=is_confirmed)


def confirm(
    told: Iterable[str],
    reference: Reference,
    store: Store,
    console: Console,
    *,
    is_confirmed: bool,
) -> None:
    """Before the first push to a host, show what travels and ask, unless that is confirmed.

    Raise UsageError when nobody confirms it.
    """
    if reference.host in _listed(store, _HOSTS):
        return
    if not is_confirmed:
        console.note("\n".join(told))
        if not sys.stdin.isatty():
            raise UsageError(
                f"the first push to {reference.host} must be confirmed", hint="add --yes"
            )
        console.note(f"send this to {reference.host}? [y/N] ")
        if input().strip().lower() not in ("y", "yes"):
            raise UsageError("nothing was sent")
    _add(store, _HOSTS, reference.host)
