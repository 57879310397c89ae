"""``NAME.json`` beside locks: the services of a compose project or a pod, and the lock of each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envlock.errors import LockfileError
from envlock.lockfile.reader import read_lock_file
from envlock.model.document import parse_json
from envlock.writing import write_output

if TYPE_CHECKING:
    from envlock.config.load import Config

_SUFFIX = ".json"


class ServiceLock(NamedTuple):
    """The lock of a service: its file name, its digest, its replicas and those that differ.

    One that was fetched from a registry has no replicas here.
    """

    lock: str
    environment_digest: str
    replicas: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


def group_path(operand: str, config: Config) -> Path | None:
    """Return the file of a group that an operand names by path or by name; None for a lock."""
    path = Path(operand)
    if operand.endswith(_SUFFIX):
        return path if path.is_file() else None
    if operand in config.environments or os.sep in operand or path.is_file():
        return None
    folder = Path(config.locks.dir)
    if (folder / f"{operand}.lock").exists():
        return None
    found = folder / f"{operand}{_SUFFIX}"
    return found if found.is_file() else None


def read_group(path: Path) -> Mapping[str, Path]:
    """Return the lockfiles of a group by service.  Raise LockfileError for any other file."""
    try:
        services = parse_json(read_lock_file(path))["services"]
        locks = {str(name): str(each["lock"]) for name, each in services.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LockfileError("not a list of services and their locks", where=str(path)) from error
    for lock in locks.values():
        if Path(lock).name != lock:
            raise LockfileError("it names a lock outside of its folder", where=str(path))
    if not locks:
        raise LockfileError("it has no services", where=str(path))
    return {name: path.parent / lock for name, lock in locks.items()}


def write_group(path: Path, group: str, services: Mapping[str, ServiceLock]) -> str:
    """Write the file of a group, which `group` names; return its text."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "group": group,
        "services": {name: each._asdict() for name, each in services.items()},
    }
    text = json.dumps(document, indent=2, sort_keys=True)
    write_output(path, f"{text}\n".encode())
    return text
