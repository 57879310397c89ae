"""``envlock pull``: fetch a lock and its content from a registry."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, remote_reference, safe_name
from envlock.cli.registry_locks import RegistryOrigin, lock_manifest, open_repository
from envlock.cli.transfer import unpack
from envlock.errors import ExitStatus
from envlock.registry.reference import PREFIX, Reference
from envlock.store.partial_file import partial_folder
from envlock.store.shipment import parse_manifest
from envlock.writing import replace_file


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Fetch and verify everything that the store lacks, then write the lock."""
    config = read_config(arguments, console)
    if arguments.reference.startswith(PREFIX):
        reference = Reference.parse(arguments.reference)
    else:
        reference = remote_reference(arguments.reference, config)
    name = safe_name(reference.tag or reference.repository.rpartition("/")[2])
    path = Path(arguments.output or Path(config.locks.dir) / f"{name}.lock")
    with open_repository(reference) as repository, open_store(config) as store:
        manifest = lock_manifest(repository)
        layers = parse_manifest(manifest.content, str(reference))
        raw, _, new = unpack(layers, RegistryOrigin(repository, partial_folder(store)), store)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, raw)
    if arguments.json:
        document = {
            "schema_version": 1,
            "lock": str(path),
            "manifest_digest": manifest.digest,
            "new_objects": new,
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out(manifest.digest)
    console.say(Message.WROTE, path=path)
    return ExitStatus.OK
