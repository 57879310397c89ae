"""Do one step of a plan, and take it back.  Each function may be called again after a kill."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from envlock.apply.journal import FOLDER, Event, Journal, KeptPath
from envlock.apply.managers.base import PackageTool, Pool
from envlock.apply.managers.table import MANAGERS
from envlock.apply.place import Place
from envlock.apply.plan import Step, StepKind, Transaction
from envlock.apply.programs import CommandFailed, Machine
from envlock.errors import ApplyError
from envlock.model.tree import Entry, EntryType

Contents = Callable[[str], Iterator[bytes]]
"""Yields the content with a SHA-256 in hex.  Raises EnvlockError where it is not to be had."""


class Run(NamedTuple):
    """One run on one machine."""

    journal: Journal
    place: Place
    machine: Machine
    contents: Contents
    has_content: Callable[[str], bool]

    def pool(self, name: str) -> Pool:
        """Return the folder of package files of this name."""
        return Pool(self.journal.folder / name, f"{FOLDER}/{self.journal.id}/{name}")

    def paths(self, step: Step) -> list[str]:
        """Return the paths that a step changes, as far as they are known before."""
        if step.packages:
            return sorted(manager_of(step.packages).touches)
        return [step.path] if step.path else list(step.touches)

    def prints(self, step: Step) -> list[dict[str, str]]:
        """Return what is at these paths now, as the journal tells it."""
        return [
            {"path": path, "print": self.journal.print_of(self.place, path)}
            for path in self.paths(step)
        ]


def manager_of(wanted: Transaction) -> PackageTool:
    """Return the package manager of a transaction."""
    return MANAGERS[wanted.manager]


def do(run: Run, step: Step) -> None:
    """Do a step.  Raise OSError, CommandFailed or EnvlockError."""
    if step.packages:
        manager_of(step.packages).run(run.machine, run.pool("packages"), step.packages)
    elif step.kind is StepKind.FILE:
        _do_file(run, step)
    elif step.kind is StepKind.FOLDER:
        _do_folder(run, step)
    else:
        for command in step.commands:
            run.machine.run(command)


def recover(run: Run, step: Step) -> None:
    """Bring a step that was cut off to where it can be done from its start."""
    if step.packages:
        manager_of(step.packages).finish_interrupted(run.machine)
    elif step.kind is StepKind.FOLDER:
        _undo_folder(run, step)
    elif step.kind in (StepKind.FILE, StepKind.COMMAND):
        run.place.sweep({os.path.dirname(path) or "/" for path in run.paths(step)})
        for kept in run.journal.kept(step.id):
            run.journal.put_back(run.place, kept)


def undo(run: Run, step: Step) -> list[str]:
    """Take back a step that was begun; return what stays, as sentences."""
    if step.kind is StepKind.REFRESH:
        return []
    if step.kind is StepKind.FOLDER:
        return _undo_folder(run, step)
    is_done = run.journal.has(Event.END, step.id)
    after = {p["path"]: p["print"] for p in run.journal.last(Event.END, step.id).get("paths", ())}
    before = {p["path"]: p["print"] for p in run.journal.last(Event.KEPT, step.id)["paths"]}
    left, ours = [], []
    for kept in run.journal.kept(step.id):
        now = run.journal.print_of(run.place, kept.path)
        if is_done and now not in (after.get(kept.path), before.get(kept.path)):
            left.append(f"{kept.path}: it was changed since, and stays")
        else:
            ours.append(kept)
    if step.packages:
        left += _undo_packages(run, step, step.packages)
    elif step.undo:
        return left + [said for command in step.undo for said in _tried(run, command)]
    return left + list(_put_back(run, ours))


def _undo_packages(run: Run, step: Step, done: Transaction) -> list[str]:
    manager = manager_of(done)
    if not run.journal.has(Event.END, step.id):
        manager.finish_interrupted(run.machine)
    manager.undo(run.machine, run.pool("old"), done)
    return [
        f"{each.name}: version {each.before} cannot be had" for each in done.changes
        if not each.has_undo
    ]  # fmt: skip


def _put_back(run: Run, found: Iterable[KeptPath]) -> Iterator[str]:
    for kept in found:
        try:
            run.journal.put_back(run.place, kept)
        except OSError as error:
            yield f"{kept.path}: {error.strerror or error}"


def _tried(run: Run, command: tuple[str, ...]) -> Iterator[str]:
    try:
        run.machine.run(command)
    except CommandFailed as error:
        yield str(error)


def _do_file(run: Run, step: Step) -> None:
    if step.after is None:
        run.place.remove(step.path)
        return
    has_content = step.after.type is EntryType.FILE and step.after.sha256
    run.place.put(step.after, _verified(run, step.after) if has_content else None)


def _verified(run: Run, wanted: Entry) -> Iterator[bytes]:
    """Yield the content of a file; raise at its end when it is another one."""
    if not wanted.size:
        return
    digest = hashlib.sha256()
    for piece in run.contents(wanted.sha256):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != wanted.sha256:
        raise ApplyError(
            "the store has another content for it",
            where=wanted.path,
            hint="run `envlock store check --read-data`",
        )


def _names(run: Run, step: Step) -> tuple[str, str]:
    """Return where a new folder is built, and where the old one is kept."""
    folder, _, name = step.path.rpartition("/")
    return f"{folder}/.{name}.envlock-new", f"{FOLDER}/{run.journal.id}/kept/{step.id}"


def _do_folder(run: Run, step: Step) -> None:
    if step.after is None:
        raise ValueError("a folder step without its folder")
    draft, old = _names(run, step)
    run.place.remove_tree(draft)
    run.place.put(step.after._replace(path=draft), None)
    for entry in step.entries:
        moved = entry._replace(path=draft + entry.path[len(step.path) :])
        is_file = entry.type is EntryType.FILE
        run.place.put(moved, _verified(run, entry) if is_file else None)
    if step.is_replaced:
        run.place.move(step.path, old)
    run.place.move(draft, step.path)


def _undo_folder(run: Run, step: Step) -> list[str]:
    draft, old = _names(run, step)
    has_old = run.place.find(old) is not None
    if has_old or not step.is_replaced:
        run.place.remove_tree(draft)
        if run.place.find(step.path) is not None:
            run.place.move(step.path, draft)
    if has_old:
        run.place.move(old, step.path)
    run.place.remove_tree(draft)
    return []
