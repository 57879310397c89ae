"""``envlock materialize``: rebuild a lock into a container image."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.building import build_options
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, read_lock_bytes, shown_path
from envlock.cli.sending import confirm
from envlock.cli.service_state import (
    say_what_state_is_missing,
    say_what_will_not_start,
    state_document,
)
from envlock.cli.transfer import refuse_secrets, told_of_tree
from envlock.errors import ExitStatus, UsageError
from envlock.lockfile.reader import parse_lock
from envlock.materialize.assemble import Assembled, layout_directory
from envlock.materialize.image.start_command import start_command, variables_to_give
from envlock.materialize.sinks.table import SINKS
from envlock.model.digest import digests
from envlock.model.tree import REDACTED
from envlock.registry.reference import Reference
from envlock.store.blob_places import BlobPlaces
from envlock.workflow import materialize, materialize_role, require_tree

if TYPE_CHECKING:
    from envlock.materialize.closure.reduce import Reduced
    from envlock.materialize.sinks.base import Sink
    from envlock.model.lock import Lock
    from envlock.store.objects import Store

_FEW = 10
_OUTPUTS = (
    "envlock materialize {lock} -o DIR (an OCI layout), "
    "envlock materialize {lock} --archive FILE (for `docker load` and `skopeo copy`), or "
    "envlock materialize {lock} --load --tag NAME (into the Docker engine)"
)
_TAG = re.compile(r"[a-z0-9][a-z0-9._/:-]*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Rebuild, deliver to the sinks, and print the digest."""
    if arguments.tag and not _TAG.fullmatch(arguments.tag):
        raise UsageError(
            f"{arguments.tag!r} is not a valid image name", hint="for example team/web:1.2"
        )
    sinks = _sinks(arguments)
    flags = {"materialize.layers": arguments.layers} if arguments.layers is not None else {}
    config = read_config(arguments, console, flags)
    raw = read_lock_bytes(arguments.lock, config)
    lock = parse_lock(raw, where=shown_path(arguments.lock, config))
    started = time.monotonic()
    progress = console.progress("materializing")
    with open_store(config) as store, progress as steps, _directory(sinks, store) as directory:
        bring_content(arguments.lock, lock, config, store, console)
        if arguments.push:
            _ask_before_pushing(arguments, raw, lock, store, console)
        options = build_options(config, lock, arguments, directory)
        part = None
        if arguments.root:
            done, part = materialize_role(lock, arguments.root, store, options, steps)
            _say_what_was_left_out(part, console)
        else:
            done = materialize(lock, raw, store, options, steps)
        say_what_state_is_missing(part.lock if part else lock, console)
        _warn_about_paths_left_out(done, console)
        say_what_will_not_start(done.lost, console)
        _warn_about_missing_values(lock, console)
        _deliver(_knowing_places(sinks, store), directory, done, console)
    seconds = time.monotonic() - started
    if arguments.json:
        document = _document(done, digests(part.lock if part else lock).environment, seconds)
        document |= {"left_out_packages": dict(part.left_out)} if part else {}
        document["state"] = state_document(part.lock if part else lock)
        document["run"] = _start(arguments, lock, done)
        console.out(json.dumps(document, indent=2))
    else:
        console.out(done.built.manifest_digest)
    console.say(
        Message.MATERIALIZED,
        paths=len(done.normalised.rows),
        layers=len(done.built.layers),
        fetched=done.downloaded,
        reused=done.reused,
        seconds=seconds,
    )
    if arguments.load is not None:
        console.say(Message.START_WITH, command=shlex.join(_start(arguments, lock, done)))
    return ExitStatus.OK


def _deliver(sinks: Sequence[Sink], directory: Path, done: Assembled, console: Console) -> None:
    for sink in sinks:
        if result := sink.deliver(directory, done.built):
            console.say(Message.IMAGE_DELIVERED, result=result)


def _knowing_places(sinks: Sequence[Sink], store: Store) -> list[Sink]:
    """Return the sinks; one to a registry knows which repositories have which blobs."""
    if all(sink.directory for sink in sinks):
        return list(sinks)
    from envlock.materialize.sinks.registry import RegistrySink

    return [
        replace(sink, places=BlobPlaces(store, sink.reference.host))
        if isinstance(sink, RegistrySink)
        else sink
        for sink in sinks
    ]


def _ask_before_pushing(
    arguments: argparse.Namespace, raw: bytes, lock: Lock, store: Store, console: Console
) -> None:
    """Raise SecretRefusedError for a secret in the image, UsageError if nobody confirms the push.

    What packages have is not searched: others published it.
    """
    tree = require_tree(lock, store)
    refuse_secrets(arguments.lock, raw, lock, tree, store)
    told = (f"the image of {arguments.lock}", *told_of_tree(tree, lock))
    reference = Reference.parse(arguments.push)
    confirm(told, reference, store, console, is_confirmed=arguments.yes)


def _start(arguments: argparse.Namespace, lock: Lock, done: Assembled) -> list[str]:
    """Return the words of the command that starts the image, by its name or its id."""
    return list(start_command(lock, arguments.tag or done.built.image_id))


def _say_what_was_left_out(part: Reduced, console: Console) -> None:
    owners = {row.owner for row in part.tree.rows if row.owner}
    gone = sorted(part.left_out.items(), key=lambda item: (-item[1], item[0]))
    kept = sum(row.entry.size for row in part.tree.rows)
    named = [f"{owner or 'files of no package'} {_megabytes(size)}" for owner, size in gone]
    console.say(
        Message.ROLE_KEEPS,
        role=part.role.name,
        kept=len(owners),
        count=len(owners | part.left_out.keys() - {""}),
        size=_megabytes(kept),
        total=_megabytes(kept + sum(part.left_out.values())),
        names=", ".join(named[:_FEW]) or "nothing",
    )
    for line in named:
        console.detail(f"  left out: {line} MB")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def _sinks(arguments: argparse.Namespace) -> list[Sink]:
    """Return the sinks that the options select.  Raise UsageError when there is none."""
    given = ((row, getattr(arguments, row.option)) for row in SINKS)
    sinks = [row.open(value, arguments.tag) for row, value in given if value is not None]
    if not sinks:
        raise UsageError(
            "no output is asked for, so nothing would be built",
            hint=_OUTPUTS.format(lock=shlex.quote(arguments.lock)),
        )
    return sinks


def _directory(sinks: Sequence[Sink], store: Store) -> AbstractContextManager[Path]:
    """Return where the layout is built: where a sink wants it, else where it is deleted again."""
    given = next((sink.directory for sink in sinks if sink.directory), None)
    return nullcontext(given) if given else layout_directory(store)


def _warn_about_paths_left_out(done: Assembled, console: Console) -> None:
    warned = sorted(done.normalised.warnings.items())
    for path, rule in warned[:_FEW]:
        console.say(Message.IMAGE_LEAVES_OUT, path=path, reason=rule.reason)
    if len(warned) > _FEW:
        console.say(Message.IMAGE_LEAVES_OUT_MORE, count=len(warned) - _FEW)
    for path, rule in warned[_FEW:]:
        console.detail(f"  left out: {path} ({rule.id})")
    for path, names in done.normalised.locked.items():
        console.say(Message.IMAGE_LOCKS_ACCOUNTS, path=path, names=", ".join(names))
    redacted = _redacted(done)
    for path in redacted[:_FEW]:
        console.say(Message.IMAGE_HOLDS_REDACTED, path=path)
    if len(redacted) > _FEW:
        console.say(Message.IMAGE_HOLDS_REDACTED_MORE, count=len(redacted) - _FEW)


def _redacted(done: Assembled) -> list[str]:
    """Return the paths of files that the capture kept without their secret values."""
    rows = done.normalised.rows
    return [row.entry.path for row in rows if row.source.startswith(REDACTED)]


def _warn_about_missing_values(lock: Lock, console: Console) -> None:
    if hidden := variables_to_give(lock):
        console.say(Message.VALUES_NEEDED, names=", ".join(hidden))


def _document(done: Assembled, environment: str, seconds: float) -> dict[str, object]:
    built = done.built
    return {
        "schema_version": 1,
        "manifest_digest": built.manifest_digest,
        "image_id": built.image_id,
        "config_digest": built.config_digest,
        "layers": [layer._asdict() for layer in built.layers],
        "environment_digest": environment,
        "left_out": {path: rule.id for path, rule in sorted(done.normalised.warnings.items())},
        "locked": {path: list(names) for path, names in sorted(done.normalised.locked.items())},
        "redacted": _redacted(done),
        "lost": [each._asdict() for each in done.lost],
        "fetched": done.downloaded,
        "reused": done.reused,
        "seconds": round(seconds, 3),
    }
