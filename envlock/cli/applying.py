"""Do a plan on a machine, go on with a run, or take it back; then say what is left."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from typing import TYPE_CHECKING

from envlock.apply.execute import go_on, prepare, take_back
from envlock.apply.journal import Journals, State
from envlock.apply.managers.base import Files
from envlock.apply.place import Place
from envlock.apply.plan import Plan
from envlock.apply.programs import Machine
from envlock.apply.steps import Run
from envlock.cli.console import Console
from envlock.cli.joining import Joining, hold_against
from envlock.cli.messages import Message
from envlock.errors import ApplyError, ExitStatus, UsageError
from envlock.report.visible import visible
from envlock.targets.kinds import split_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envlock.apply.journal import Journal
    from envlock.config.load import Config
    from envlock.store.objects import Store

_PIECE = 1 << 20


def root_of(target: str) -> str:
    """Return the root directory of a machine that can be changed: this one, or a directory.

    Raise UsageError for others.
    """
    kind, operand = split_reference(target)
    if kind is not None and kind.scheme == "host":
        return "/"
    if kind is not None and kind.scheme == "dir":
        return os.path.realpath(operand)
    raise UsageError(
        f"apply changes this machine (host) or a root directory (dir:PATH), not {target}",
        where="TARGET",
        hint="run envlock there, with `host`; `envlock doctor` works for every target",
    )


def execute(
    plan: Plan,
    joining: Joining,
    arguments: argparse.Namespace,
    config: Config,
    store: Store,
    files: Files,
    place: Place,
    console: Console,
) -> int:
    """Do a plan, capture the machine again, and say what is left of it."""
    journals = Journals(place)
    with journals.locked():
        if unfinished := journals.unfinished():
            raise ApplyError(
                f"run {unfinished} was not finished",
                hint=f"`envlock apply --resume` goes on with it,"
                f" `envlock apply --undo {unfinished}` takes it back",
            )
        with closing(journals.create(plan)) as journal:
            run = _run(journal, place, store)
            prepare(run, files)
            go_on(run, console.note)
    console.say(Message.APPLIED, id=journal.id, steps=f"{len(plan.steps):,}")
    return _prove(plan, joining, arguments, config, store, console)


def _prove(
    plan: Plan,
    joining: Joining,
    arguments: argparse.Namespace,
    config: Config,
    store: Store,
    console: Console,
) -> int:
    """Capture again; what a step should have removed and did not is told with it."""
    with console.progress("capturing again") as steps:
        again = hold_against(
            arguments.lock,
            joining.machine.name,
            config,
            store,
            steps,
            role=arguments.root or "",
            whole=arguments.whole,
            deep=True,
        )
    step_of = {gap: step for step in plan.steps for gap in step.gaps}
    gaps = again.diagnosis.gaps
    found = {
        gap.difference.id: gap.difference
        for gap in gaps
        if not gap.is_light or gap.difference.id in step_of
    }
    for name, each in found.items():
        subject = " ".join(word for word in (each.section, each.key, each.field) if word)
        if name in step_of:
            console.say(Message.NOT_REMOVED, what=visible(subject), step=step_of[name].id)
    known = {each.id for each in plan.left}
    new = [each for name, each in found.items() if name not in known and name not in step_of]
    new = [each for each in new if each.section != "machine"]
    for each in new:
        console.say(Message.CAME_ANEW, what=visible(f"{each.section} {each.key} {each.field}"))
    is_done = not new and not found.keys() & step_of.keys()
    light = len(gaps) - len(found)
    told = f"left: {len(found):,}" if found else "the machine is as the lock says"
    more = f"; {light:,} more that only this machine has, of little weight" if light else ""
    console.note(f"{told}{more}")
    return ExitStatus.OK if is_done else ExitStatus.DRIFT


def resume(place: Place, store: Store, console: Console) -> int:
    """Go on with the run that was not finished, in the direction that it had."""
    journals = Journals(place)
    with journals.locked():
        name = journals.unfinished()
        if not name:
            raise ApplyError("no run is unfinished", hint="envlock apply LOCK --dry-run")
        with closing(journals.open(name)) as journal:
            run = _run(journal, place, store)
            if journal.state is State.UNDOING:
                return _tell_undone(take_back(run, console.note), name, console)
            go_on(run, console.note)
    console.say(Message.APPLIED, id=name, steps=f"{len(journal.plan.steps):,}")
    return ExitStatus.OK


def undo(name: str, place: Place, store: Store, console: Console) -> int:
    """Take a run back, the last one without a name; only the last one can be."""
    journals = Journals(place)
    with journals.locked():
        last = journals.last_to_undo()
        if not last:
            raise ApplyError("there is no run to take back", where="apply --undo")
        if name and name != last:
            raise ApplyError(
                f"run {name} is not the last one that changed this machine",
                hint=f"`envlock apply --undo {last}` first",
            )
        with closing(journals.open(last)) as journal:
            return _tell_undone(take_back(_run(journal, place, store), console.note), last, console)


def _tell_undone(left: list[str], name: str, console: Console) -> int:
    for each in left:
        console.say(Message.STAYS, what=visible(each))
    console.say(Message.UNDONE, id=name)
    return ExitStatus.DRIFT if left else ExitStatus.OK


def _run(journal: Journal, place: Place, store: Store) -> Run:
    def contents(sha256: str) -> Iterator[bytes]:
        with store.stream(sha256) as stream:
            while piece := stream.read(_PIECE):
                yield piece

    return Run(journal, place, Machine(place.root), contents, store.has)
