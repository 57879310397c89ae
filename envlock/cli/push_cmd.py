"""``envlock push``: send a lock and its content to a registry."""

from __future__ import annotations

import argparse
import json

from envlock.cli.bundling import image_of
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, remote_reference
from envlock.cli.sending import send
from envlock.cli.transfer import pack
from envlock.errors import ExitStatus, UsageError
from envlock.registry.reference import Reference


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what travels, send it, and print the digest of the manifest."""
    config = read_config(arguments, console)
    if arguments.reference:
        reference = Reference.parse(arguments.reference)
    else:
        reference = remote_reference(arguments.lock, config)
    if reference.digest:
        raise UsageError("a lock is pushed to a tag, not to a digest", where=arguments.reference)
    with open_store(config) as store:
        parcel = pack(arguments.lock, config, store)
        with image_of(arguments, parcel.lock, config, store, console) as image:
            done = send(parcel, reference, store, console, image, is_confirmed=arguments.yes)
    if arguments.json:
        document = {
            "schema_version": 1,
            "reference": str(reference),
            "manifest_digest": done.digest,
            "blobs": dict(sorted(done.counts.items())),
            "sent_bytes": done.sent_bytes,
            "image": image[0].digest if image else None,
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out(done.digest)
        if image:
            console.say(Message.IMAGE_DELIVERED, result=f"image {image[0].digest}")
    return ExitStatus.OK
