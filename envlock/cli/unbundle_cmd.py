"""``envlock unbundle``: take a lock and its content out of a file that `envlock bundle` wrote."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store
from envlock.cli.transfer import unpack
from envlock.errors import ExitStatus
from envlock.store.bundle import Bundle
from envlock.store.manifests import PACKAGE_TYPE, parse_manifest
from envlock.writing import replace_file


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Verify and store everything, then write the lock."""
    config = read_config(arguments, console)
    path = Path(arguments.output or Path(config.locks.dir) / f"{_name(arguments.bundle)}.lock")
    with Bundle(arguments.bundle) as bundle, open_store(config) as store:
        layers = parse_manifest(bundle.manifest(), bundle.name)
        raw, lock, new = unpack(layers, bundle, store)
        if any(layer.media_type == PACKAGE_TYPE for layer in layers):
            from envlock.cli.vendoring import take_packages

            take_packages(layers, bundle, lock, config, store, console)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, raw)
    if arguments.json:
        document = {"schema_version": 1, "lock": str(path), "new_objects": new}
        document["packages"] = sum(layer.media_type == PACKAGE_TYPE for layer in layers)
        console.out(json.dumps(document, indent=2))
    console.say(Message.WROTE, path=path)
    return ExitStatus.OK


def _name(bundle: Path) -> str:
    return bundle.name.partition(".")[0]
