"""Do a plan, finish one that was cut off, or take it back; the journal says where it stands."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from envlock.apply import steps
from envlock.apply.journal import Event, State
from envlock.apply.managers.base import Files
from envlock.apply.place import Place
from envlock.apply.plan import Archive, Plan, Step, StepKind
from envlock.apply.programs import CommandFailed
from envlock.apply.steps import Run, manager_of
from envlock.errors import ApplyError, EnvlockError
from envlock.model.tree import Entry, EntryType
from envlock.writing import replacing, sync_directory

Told = Callable[[str], None]
"""Called with the summary of each step that begins."""

_PIECE = 1 << 20


def stale(plan: Plan, place: Place) -> list[str]:
    """Return the paths that are not as the plan found them."""
    return [
        step.path
        for step in plan.steps
        if (step.kind is StepKind.FILE and not _is_as(step.before, place, step.path))
        or (step.kind is StepKind.FOLDER and step.is_replaced != bool(place.find(step.path)))
    ]  # fmt: skip


def _is_as(before: Entry | None, place: Place, path: str) -> bool:
    now = place.read(path)
    if before is None or now is None:
        return before is now
    if not before.sha256:
        now = now._replace(sha256="", size=before.size)
    return now._replace(mtime=0, size=0) == before._replace(mtime=0, size=0)


def prepare(run: Run, files: Files) -> None:
    """Bring and keep everything that the run and its undo need; nothing is changed yet.

    Raise ApplyError when the plan does not fit the machine any more, or the package manager would
    do something else.
    """
    if moved := stale(run.journal.plan, run.place):
        raise ApplyError(
            f"the machine has changed since the plan was made: {len(moved):,} paths",
            where=", ".join(moved[:3]),
            hint="make a new plan: `envlock apply LOCK --dry-run`",
        )
    if lost := [e.path for step in run.journal.plan.steps for e in _without_content(run, step)]:
        raise ApplyError(
            f"the store lacks the content of {len(lost):,} files of the plan",
            where=", ".join(lost[:3]),
            hint="make a new plan: `envlock apply LOCK --dry-run`",
        )
    for step in run.journal.plan.steps:
        if step.packages:
            _stage(run, step, files)
        if not run.journal.has(Event.KEPT, step.id):
            run.journal.keep(run.place, step.id, run.paths(step))


def _without_content(run: Run, step: Step) -> Iterator[Entry]:
    for entry in (step.after, *step.entries):
        is_brought = entry and entry.type is EntryType.FILE and entry.sha256 and entry.size
        if entry and is_brought and not run.has_content(entry.sha256):
            yield entry


def _stage(run: Run, step: Step, files: Files) -> None:
    if step.packages is None:
        return
    manager = manager_of(step.packages)
    if obstacle := manager.obstacle(run.machine):
        raise ApplyError(f"no package can be installed: {obstacle}")
    changes = step.packages.changes
    pools = ((run.pool("packages"), [c.archive for c in changes]),
             (run.pool("old"), [c.old for c in changes]))  # fmt: skip
    for pool, archives in pools:
        for archive in archives:
            if archive:
                _copy(archive, files, pool.path)
        sync_directory(pool.path)
    try:
        for pool, _ in pools:
            manager.stage(run.machine, pool)
        surplus = manager.simulate(run.machine, pools[0][0], step.packages)
    except CommandFailed as error:
        raise ApplyError(
            f"the packages of the plan do not fit together: {error}",
            hint="nothing was changed; --whole plans all packages of the lock",
        ) from error
    if surplus:
        raise ApplyError(
            f"{manager.name} would also {', '.join(surplus[:5])}",
            hint="nothing was changed; --whole plans all packages of the lock, --remove removals",
        )


def _copy(archive: Archive, files: Files, folder: Path) -> None:
    """Copy a package file, verified.  Raise ApplyError when it is not to be had."""
    target = folder / f"{archive.name}_{archive.version.replace(':', '%3a')}_{archive.arch}.deb"
    digest = hashlib.sha256()
    if archive not in files:
        raise ApplyError("this package cannot be had any more", where=target.name)
    with files[archive].open("rb") as source, replacing(target) as sink:
        while piece := source.read(_PIECE):
            digest.update(piece)
            sink.write(piece)
        if digest.hexdigest() != archive.sha256:
            raise ApplyError("the file of this package has changed", where=str(files[archive]))


def go_on(run: Run, tell: Told) -> None:
    """Do every step that has not ended, and finish.  Raise ApplyError when one fails."""
    done: list[Step] = []
    for step in run.journal.plan.steps:
        if not run.journal.has(Event.END, step.id):
            tell(step.summary)
            try:
                _take(run, step, done)
            except (OSError, CommandFailed, EnvlockError) as error:
                raise ApplyError(
                    f"step {step.id} failed: {error}",
                    where=step.summary,
                    hint=f"`envlock apply --resume` goes on with it,"
                    f" `envlock apply --undo {run.journal.id}` takes everything back",
                ) from error
        done.append(step)
    if run.journal.state is not State.FINISHED:
        run.journal.write(Event.FINISHED)


def _take(run: Run, step: Step, done: Iterable[Step]) -> None:
    if run.journal.has(Event.BEGIN, step.id):
        steps.recover(run, step)
    else:
        _keep_again(run, step, done)
        run.journal.write(Event.BEGIN, step.id)
    steps.do(run, step)
    run.journal.write(Event.END, step.id, paths=run.prints(step))


def _keep_again(run: Run, step: Step, done: Iterable[Step]) -> None:
    """Keep what an earlier step of this run made of the paths.  Raise ApplyError for other changes.

    Packages may change any path.
    """
    kept = {p["path"]: p["print"] for p in run.journal.last(Event.KEPT, step.id)["paths"]}
    moved = [p["path"] for p in run.prints(step) if kept[p["path"]] != p["print"]]
    if not moved:
        return
    changed = {path for each in done for path in run.paths(each)}
    is_ours = any(each.packages for each in done) or changed.issuperset(moved)
    if not is_ours:
        raise ApplyError("somebody changed it while the plan was being done", where=moved[0])
    run.journal.keep(run.place, step.id, run.paths(step))


def take_back(run: Run, tell: Told) -> list[str]:
    """Take back every step that was begun, the last one first; return what stays, as sentences.

    Raise ApplyError when a step cannot be taken back at all.
    """
    if run.journal.state is not State.UNDOING:
        run.journal.write(Event.UNDO)
    begun = [step for step in run.journal.plan.steps if run.journal.has(Event.BEGIN, step.id)]
    for step in reversed(begun):
        if run.journal.has(Event.UNDONE, step.id):
            continue
        tell(f"undo: {step.summary}")
        try:
            run.place.sweep({os.path.dirname(path) or "/" for path in run.paths(step)})
            left = steps.undo(run, step)
        except (OSError, CommandFailed) as error:
            raise ApplyError(
                f"step {step.id} cannot be taken back: {error}",
                where=step.summary,
                hint="mend that, then run `envlock apply --undo` again",
            ) from error
        run.journal.write(Event.UNDONE, step.id, left=left)
    for step in begun:
        if step.kind is StepKind.REFRESH:
            _refresh(run, step)
    left = [said for e in run.journal.events if e["event"] == Event.UNDONE for said in e["left"]]
    run.journal.write(Event.UNDONE, left=[])
    return left


def _refresh(run: Run, step: Step) -> None:
    for command in step.commands:
        try:
            run.machine.run(command)
        except CommandFailed as error:
            raise ApplyError(
                f"it failed: {error}", where=step.summary, hint="run `envlock apply --undo` again"
            ) from error
