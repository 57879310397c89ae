"""``envlock push``: send a lock and its content to a registry."""

from __future__ import annotations

import argparse
import json
import sys

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store
from envlock.cli.registry_locks import open_repository, push
from envlock.cli.transfer import Parcel, contents, pack
from envlock.errors import ExitStatus, UsageError
from envlock.registry.reference import Reference
from envlock.store.objects import Store
from envlock.writing import replace_file

_HOSTS = "pushed-hosts"


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what travels, send it, and print the digest of the manifest."""
    config = read_config(arguments, console)
    reference = Reference.parse(arguments.reference)
    if reference.digest:
        raise UsageError("a lock is pushed to a tag, not to a digest", where=arguments.reference)
    with open_store(config) as store:
        parcel = pack(arguments, config, store)
        _confirm(arguments, reference, parcel, store, console)
        with open_repository(reference) as repository:
            done = push(repository, parcel.shipment)
    if arguments.json:
        document = {
            "schema_version": 1,
            "reference": str(reference),
            "manifest_digest": done.digest,
            "blobs": dict(sorted(done.counts.items())),
            "sent_bytes": done.sent_bytes,
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out(done.digest)
    console.say(
        Message.PUSHED,
        reference=reference,
        sent=done.counts.get("uploaded", 0),
        present=done.counts.get("present", 0),
        size=f"{done.sent_bytes:,}",
    )
    return ExitStatus.OK


def _confirm(
    arguments: argparse.Namespace,
    reference: Reference,
    parcel: Parcel,
    store: Store,
    console: Console,
) -> None:
    """Show what travels to a host for the first time.  Raise UsageError unless it is confirmed."""
    file = store.cache / _HOSTS
    known = file.read_text().split() if file.is_file() else []
    if reference.host in known:
        return
    if not arguments.yes:
        console.note("\n".join(contents(parcel)))
        if not sys.stdin.isatty():
            raise UsageError(
                f"the first push to {reference.host} must be confirmed", hint="add --yes"
            )
        console.note(f"send this to {reference.host}? [y/N] ")
        if input().strip().lower() not in ("y", "yes"):
            raise UsageError("nothing was sent")
    replace_file(file, "".join(f"{host}\n" for host in sorted({*known, reference.host})).encode())
