"""``envlock materialize``: rebuild a lock into a container image."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store, place_of, read_lock_bytes, user_rules
from envlock.cli.options import add_json, add_lock, read_config
from envlock.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.materialize.assemble import Assembled, BuildOptions
    from envlock.materialize.sinks.base import Sink
    from envlock.model.lock import Lock
    from envlock.store.objects import Store

_DESCRIPTION = """\
Rebuild a lock into a container image, bit-identical wherever it is done.

Files come from the packages the lock refers to (the store, apt's cache, the mirrors of this
machine's apt and of the captured one, pip's indexes) and from the store. No package script runs,
root is not needed. Every reason why it cannot be done is listed at once, before anything is
written. Standard output is the manifest digest.
"""
_FEW = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from envlock.materialize.sinks.table import SINKS

    parser.description = _DESCRIPTION
    add_lock(parser, text="a lockfile or a name")
    for row in SINKS:
        if row.metavar:
            parser.add_argument(*row.flags, metavar=row.metavar, help=row.help)
        else:
            parser.add_argument(*row.flags, action="store_const", const="", help=row.help)
    parser.add_argument("--tag", metavar="NAME", default="", help="name of the image")
    parser.add_argument("--layers", metavar="N", type=int, help="at most this many layers")
    parser.add_argument("--offline", action="store_true", help="use no network")
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Rebuild, write, load if asked, and print the digest."""
    from envlock.lockfile.reader import parse_lock
    from envlock.model.digest import digests
    from envlock.workflow import materialize

    if arguments.tag and not _TAG.fullmatch(arguments.tag):
        raise UsageError(f"{arguments.tag!r} is no image name", hint="for example team/web:1.2")
    flags = {"materialize.layers": arguments.layers} if arguments.layers is not None else {}
    config = read_config(arguments, console, flags)
    raw = read_lock_bytes(arguments.lock, config)
    lock = parse_lock(raw, where=place_of(arguments.lock, config))
    started = time.monotonic()
    with open_store(config) as store, console.progress("materializing") as steps:
        sinks = _sinks(arguments)
        options = _options(arguments, config, store, raw, sinks)
        done = materialize(lock, raw, store, options, steps)
        _say_what_is_left_out(done, console)
        _say_what_must_be_given(lock, console)
        for sink in sinks:
            if message := sink.deliver(options.directory, done.built):
                console.note(message)
    seconds = time.monotonic() - started
    if arguments.json:
        document = _document(done, digests(lock).environment, seconds)
        console.out(json.dumps(document, indent=2))
    else:
        console.out(done.built.manifest_digest)
    console.note(
        f"{len(done.normalised.rows):,} paths in {len(done.built.layers)} layers, "
        f"{done.downloaded} packages fetched, {done.reused} at hand, {seconds:.1f} s"
    )
    return ExitStatus.OK


def _sinks(arguments: argparse.Namespace) -> list[Sink]:
    """Return the sinks that the options select."""
    from envlock.materialize.sinks.table import SINKS

    given = ((row, getattr(arguments, row.option)) for row in SINKS)
    return [row.open(value, arguments.tag) for row, value in given if value is not None]


def _options(
    arguments: argparse.Namespace,
    config: Config,
    store: Store,
    lockfile: bytes,
    sinks: Sequence[Sink],
) -> BuildOptions:
    from envlock.materialize.assemble import BuildOptions, layouts_directory

    # Without an output directory the layout stays in the cache, and its layers can be reused.
    kept = layouts_directory(store) / hashlib.sha256(lockfile).hexdigest()[:16]
    given = (sink.directory for sink in sinks if sink.directory)
    return BuildOptions(
        directory=next(given, kept.absolute()),
        layers=config.materialize.layers,
        offline=arguments.offline,
        artifact_directories=tuple(Path(path) for path in config.materialize.wheels),
        mirrors=tuple(config.materialize.mirrors),
        user_rules=user_rules(config),
        jobs=config.jobs or os.cpu_count() or 1,
    )


_TAG = re.compile(r"[a-z0-9][a-z0-9._/:-]*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?")


def _say_what_is_left_out(done: Assembled, console: Console) -> None:
    warned = sorted(done.normalised.warnings.items())
    for path, rule in warned[:_FEW]:
        console.warn(f"left out: {path} ({rule.reason})")
    if len(warned) > _FEW:
        console.warn(f"left out: {len(warned) - _FEW} more; -v lists them")
    for path, rule in warned[_FEW:]:
        console.detail(f"  left out: {path} ({rule.id})")


def _say_what_must_be_given(lock: Lock, console: Console) -> None:
    hidden = [name for name, facts in lock.sections.get("env", {}).items() if "secret" in facts]
    if hidden and lock.get("process"):
        console.warn(
            f"variables without a recorded value: {', '.join(hidden)}; give them to the container, "
            "or allow them with capture.env-allow"
        )


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
        "fetched": done.downloaded,
        "reused": done.reused,
        "seconds": round(seconds, 3),
    }
