"""Capture what names several environments: a lock for each service, and an index of them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import make_request, open_store, safe_name
from envlock.errors import ExitStatus, UsageError
from envlock.targets.kinds import open_group

if TYPE_CHECKING:
    from envlock.capture.request import Request
    from envlock.config.load import Config
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.targets.groups import Service
    from envlock.workflow import Progress


def capture_group(arguments: argparse.Namespace, config: Config, console: Console) -> int:
    """Capture every service of a group; say which replicas of one are not the same.

    Writes ``NAME-SERVICE.lock`` for each service, from its first replica, and ``NAME.json``: for
    each service its lock, its digests, its replicas and those that differ from the first.
    """
    from envlock.lockfile.writer import write_lock

    if arguments.output or arguments.record:
        raise UsageError(
            "several environments are not written to one file", hint="--name NAME names the locks"
        )
    group = open_group(arguments.target)
    folder, name = Path(config.locks.dir), arguments.name or safe_name(group.name)
    request = make_request(arguments, config)
    index: dict[str, object] = {}
    with open_store(config) as store, console.progress("capturing") as steps:
        for service in group.services:
            locks = _capture(service, request, store, steps)
            path = folder / f"{name}-{safe_name(service.name)}.lock"
            write_lock(path, locks[0])
            index[service.name] = _entry(service, locks, path.name)
            console.note(f"wrote {path}")
    for service in group.services:
        _tell_differences(service, index[service.name], console)
    document = {"schema_version": 1, "group": arguments.target, "services": index}
    text = json.dumps(document, indent=2, sort_keys=True)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    console.out(text if arguments.json else "\n".join(sorted(index)))
    return ExitStatus.OK


def _capture(service: Service, request: Request, store: Store, steps: Progress) -> list[Lock]:
    from envlock.workflow import capture_target

    return [
        capture_target(replica, request, store, steps, keep=number == 0).lock
        for number, replica in enumerate(service.replicas)
    ]


def _entry(service: Service, locks: list[Lock], lock: str) -> dict[str, object]:
    from envlock.model.digest import digests

    found = [digests(one).environment for one in locks]
    return {
        "lock": lock,
        "environment_digest": found[0],
        "replicas": list(service.replicas),
        "differing": [
            replica
            for replica, digest in zip(service.replicas, found, strict=True)
            if digest != found[0]
        ],
    }


def _tell_differences(service: Service, entry: object, console: Console) -> None:
    differing = entry["differing"] if isinstance(entry, dict) else []
    for replica in differing:
        first = service.replicas[0]
        console.warn(
            f"{service.name}: {replica} is not as {first}: `envlock diff {first} {replica}`"
        )
