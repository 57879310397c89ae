"""``envlock push``: send a lock and its content to a registry."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.bundling import image_of
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.group_index import group_path, read_group
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, remote_reference
from envlock.cli.sending import send, send_group
from envlock.cli.transfer import pack
from envlock.cli.versions import extent_for
from envlock.errors import ExitStatus, UsageError
from envlock.registry.reference import Reference
from envlock.store.shipment import Extent

if TYPE_CHECKING:
    from envlock.cli.registry_locks import Pushed
    from envlock.config.load import Config


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what travels, send it, and print the digest of the manifest."""
    config = read_config(arguments, console)
    if arguments.reference:
        reference = Reference.parse(arguments.reference)
    else:
        reference = remote_reference(arguments.lock, config)
    if reference.digest or reference.service:
        raise UsageError(
            "a lock is pushed to a tag, not to a digest or a service", where=arguments.reference
        )
    group = group_path(arguments.lock, config)
    if group is not None:
        return _push_group(group, reference, arguments, config, console)
    with open_store(config) as store:
        extent = Extent() if arguments.whole else extent_for(reference, store)
        parcel = pack(arguments.lock, config, store, extent)
        with image_of(arguments, parcel.lock, config, store, console) as image:
            done = send(
                parcel,
                reference,
                store,
                console,
                image,
                is_confirmed=arguments.yes,
                is_whole=arguments.whole,
            )
    made = image[0].digest if image else None
    console.out(_document(done, reference, image=made) if arguments.json else done.digest)
    if made and not arguments.json:
        console.say(Message.IMAGE_DELIVERED, result=f"image {made}")
    return ExitStatus.OK


def _push_group(
    group: Path,
    reference: Reference,
    arguments: argparse.Namespace,
    config: Config,
    console: Console,
) -> int:
    """Send the locks of a compose project or of pods in one index."""
    if arguments.image:
        raise UsageError(
            "the images of several services have no common tag",
            where=arguments.lock,
            hint="push each of their locks with --image",
        )
    with open_store(config) as store:
        done = send_group(
            group,
            reference,
            config,
            store,
            console,
            is_confirmed=arguments.yes,
            is_whole=arguments.whole,
        )
    services = sorted(read_group(group))
    console.out(
        _document(done, reference, image=None, services=services) if arguments.json else done.digest
    )
    return ExitStatus.OK


def _document(done: Pushed, reference: Reference, **more: object) -> str:
    document = {
        "schema_version": 1,
        "reference": str(reference),
        "manifest_digest": done.digest,
        "blobs": dict(sorted(done.counts.items())),
        "sent_bytes": done.sent_bytes,
        **more,
    }
    return json.dumps(document, indent=2)
