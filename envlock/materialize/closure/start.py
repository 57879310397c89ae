"""How an image of an application starts: as its environment does, else as its root says."""

from __future__ import annotations

import json
import posixpath
from dataclasses import replace

from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.model.scope import Role, RootKind


def started(lock: Lock, role: Role) -> Lock:
    """Return the lock with a run configuration for its root, where it has none of its own."""
    process = lock.get("process")
    if role.root.kind is RootKind.PROCESS or "cmd" in process or "entrypoint" in process:
        return lock
    derived = _derived(role)
    if not derived:
        return lock
    sections = {**lock.sections, "process": {"": {**process, **derived}}}
    return replace(lock, sections={name: sections[name] for name in sorted(sections)})


def _derived(role: Role) -> Facts:
    argument = role.root.argument
    if not argument.startswith("/"):
        return {}
    if role.root.kind is RootKind.EXE:
        return {"cmd": json.dumps([argument])}
    if role.root.kind is RootKind.PYTHON:
        folder = argument.rstrip("/")
        is_program = posixpath.basename(posixpath.dirname(folder)) == "bin"
        program = folder if is_program else f"{folder}/bin/python"
        return {"cmd": json.dumps([program])}
    if role.root.kind is RootKind.NODE:
        return {"cmd": json.dumps(["node", "."]), "workdir": argument}
    return {}
