"""What a capture does beside writing the lock: keep its content for git, send it to a registry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import open_store, remote_reference
from envlock.lockfile.writer import render_lock
from envlock.model.lock import tree_address
from envlock.store.carried import files_of, objects_beside, write_files

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock


def keep_beside(path: Path, lock: Lock, config: Config, console: Console) -> None:
    """Write the content of a lock beside it, where ``locks.carry`` says so and it is not too much.

    Raise SecretRefusedError, and write nothing, for a secret in it.
    """
    if config.locks.carry != "git" or not tree_address(lock):
        return
    from envlock.cli.transfer import pack_lock, refuse_secrets

    folder, limit = objects_beside(path), config.locks.carry_limit
    with open_store(config) as store:
        parcel = pack_lock(str(path), render_lock(lock), lock, store)
        files = files_of(parcel.shipment, folder, limit)
        if files is None:
            console.say(Message.TOO_MUCH_TO_CARRY, path=path, limit=f"{limit:,}")
            return
        refuse_secrets(parcel.name, parcel.lockfile, lock, parcel.tree, store)
    new = write_files(folder, files)
    size = sum(map(len, files.values()))
    console.say(Message.CARRIED, folder=folder, count=len(files), size=f"{size:,}", new=f"{new:,}")


def require_remote(arguments: argparse.Namespace, path: Path, config: Config) -> None:
    """Raise UsageError where ``--push`` is given and no remote is set."""
    if arguments.push:
        remote_reference(str(path), config)


def vendor_captured(
    arguments: argparse.Namespace, lock: Lock, config: Config, console: Console
) -> None:
    """Keep the packages of a lock that was just written if ``--vendor`` says so.

    Raise MaterializeError when not all can be had; the others are kept.
    """
    if arguments.vendor:
        from envlock.cli.vendoring import keep_packages

        with open_store(config) as store:
            done = keep_packages(lock, config, store, console, is_confirmed=arguments.yes)
        done.gathered.require_all("the lock was written, but not all of its packages are kept")


def send_captured(
    arguments: argparse.Namespace, path: Path, config: Config, console: Console
) -> None:
    """Send the lock at `path` to the remote if ``--push`` says so."""
    if arguments.push:
        from envlock.cli.sending import send_to_remote

        with open_store(config) as store:
            send_to_remote(path, config, store, console, is_confirmed=arguments.yes)


def send_captured_group(
    arguments: argparse.Namespace, path: Path, config: Config, console: Console
) -> None:
    """Send the locks that the file of a group at `path` lists, in one index, if ``--push`` says so.

    Its tag is the name of the group.
    """
    if arguments.push:
        from envlock.cli.sending import send_group

        reference = remote_reference(path.stem, config)
        with open_store(config) as store:
            send_group(path, reference, config, store, console, is_confirmed=arguments.yes)
