"""Capture a reference that names several environments: a lock for each service, and an index."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.carrying import (
    keep_beside,
    require_remote,
    send_captured,
    send_captured_group,
    vendor_captured,
)
from envlock.cli.console import Console
from envlock.cli.group_index import ServiceLock, write_group
from envlock.cli.messages import Message
from envlock.cli.operands import make_request, open_store, safe_name
from envlock.cli.published import published_packages
from envlock.cli.service_state import say_what_state_is_kept
from envlock.errors import ExitStatus, UsageError
from envlock.lockfile.writer import write_lock
from envlock.model.digest import digests
from envlock.targets.kinds import open_group
from envlock.workflow import Progress, capture_target

if TYPE_CHECKING:
    from envlock.capture.published import Published
    from envlock.capture.request import Request
    from envlock.config.load import Config
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.targets.groups import Service


def capture_group(arguments: argparse.Namespace, config: Config, console: Console) -> int:
    """Capture every service of a group; warn about replicas of a service that differ.

    Writes ``NAME-SERVICE.lock`` for each service, from its first replica, and ``NAME.json``; see
    `envlock.cli.group_index.ServiceLock`.
    """
    if arguments.output or arguments.record:
        raise UsageError(
            "several environments cannot be written to one file",
            hint="--name NAME sets the start of the names of the locks",
        )
    group = open_group(arguments.target)
    directory, name = Path(config.locks.dir), arguments.name or safe_name(group.name)
    require_remote(arguments, Path(f"{name}.lock"), config)
    request = make_request(arguments, config)
    index: dict[str, ServiceLock] = {}
    differing: dict[str, list[str]] = {}
    with open_store(config) as store, console.progress("capturing") as steps:
        published = published_packages(config, store, console, fetch=arguments.fetch)
        anew = arguments.full or arguments.fetch
        for service in group.services:
            locks = _capture_replicas(service, request, store, steps, published, anew=anew)
            path = directory / f"{name}-{safe_name(service.name)}.lock"
            keep_beside(path, locks[0], config, console)
            say_what_state_is_kept(locks[0], console)
            write_lock(path, locks[0])
            send_captured(arguments, path, config, console)
            vendor_captured(arguments, locks[0], config, console)
            found = [digests(lock).environment for lock in locks]
            differing[service.name] = _differing(service, found)
            index[service.name] = ServiceLock(
                path.name, found[0], service.replicas, tuple(differing[service.name])
            )
            console.say(Message.WROTE, path=path)
    for service in group.services:
        first = service.replicas[0]
        for replica in differing[service.name]:
            console.say(Message.REPLICA_DIFFERS, service=service.name, replica=replica, first=first)
    listed = directory / f"{name}.json"
    text = write_group(listed, arguments.target, index)
    send_captured_group(arguments, listed, config, console)
    if arguments.json:
        console.out(text)
    else:
        console.summary("\n".join(sorted(index)))
    return ExitStatus.OK


def _capture_replicas(
    service: Service,
    request: Request,
    store: Store,
    steps: Progress,
    published: Published,
    *,
    anew: bool,
) -> list[Lock]:
    return [
        capture_target(
            replica, request, store, steps, keep=number == 0, anew=anew, published=published
        ).lock
        for number, replica in enumerate(service.replicas)
    ]


def _differing(service: Service, found: list[str]) -> list[str]:
    """Return the replicas whose digest in `found` is not that of the first."""
    return [
        replica
        for replica, digest in zip(service.replicas, found, strict=True)
        if digest != found[0]
    ]
