"""``envlock bundle``: write a lock and everything its rebuild needs beside packages to one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, safe_name
from envlock.cli.transfer import contents, pack
from envlock.errors import ExitStatus
from envlock.store.bundle import write_bundle


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the bundle, and say what is in it."""
    config = read_config(arguments, console)
    path = Path(arguments.output)
    with open_store(config) as store:
        parcel = pack(arguments.lock, config, store)
        name = safe_name(Path(arguments.lock).name.removesuffix(".lock")) or "lock"
        write_bundle(path, parcel.shipment, name)
    if arguments.json:
        document = {
            "schema_version": 1,
            "bundle": str(path),
            "blobs": len(parcel.shipment.blobs),
            "objects": parcel.shipment.objects,
            "bytes": parcel.shipment.size,
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out("\n".join(contents(parcel)))
    console.say(Message.WROTE, path=path)
    return ExitStatus.OK
