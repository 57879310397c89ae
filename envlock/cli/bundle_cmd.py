"""``envlock bundle``: write a lock and everything that its rebuild needs to one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from envlock.cli.bundling import extent_of, image_of
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, read_lock_operand, safe_name
from envlock.cli.transfer import contents, pack
from envlock.errors import ExitStatus
from envlock.store.bundle import write_bundle
from envlock.store.manifests import PACKAGE_TYPE


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the bundle, and say what is in it."""
    config = read_config(arguments, console)
    path = Path(arguments.output)
    lock = read_lock_operand(arguments.lock, config)
    with open_store(config) as store:
        bring_content(arguments.lock, lock, config, store, console)
        extent = extent_of(arguments, lock, config, store, console)
        parcel = pack(arguments.lock, config, store, extent)
        name = safe_name(Path(arguments.lock).name.removesuffix(".lock")) or "lock"
        with image_of(arguments, lock, config, store, console) as image:
            write_bundle(path, parcel.shipment, name, image)
    blobs = parcel.shipment.blobs
    if arguments.json:
        document = {
            "schema_version": 1,
            "bundle": str(path),
            "blobs": len(blobs),
            "objects": parcel.shipment.objects,
            "packages": sum(blob.media_type == PACKAGE_TYPE for blob in blobs),
            "bytes": parcel.shipment.size,
            "image": image[0].digest if image else None,
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out("\n".join(contents(parcel)))
        if image:
            console.out(f"image {image[0].digest}: {sum(blob.size for blob in image):,} bytes")
    console.say(Message.WROTE, path=path)
    return ExitStatus.OK
