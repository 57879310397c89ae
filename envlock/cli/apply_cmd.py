"""``envlock apply``: make a machine like a lock, by a plan that is shown first."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.apply.execute import stale
from envlock.apply.gap import Difference
from envlock.apply.place import Place
from envlock.apply.plan import Plan
from envlock.apply.plan_document import document_of, plan_bytes, read_plan
from envlock.apply.planning import machine_identity, make_plan
from envlock.apply.programs import Machine
from envlock.apply.situation import KINDS, NO_UNDO, Choice, Situation, rows_of
from envlock.cli.applying import execute, resume, root_of, undo
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.joining import Joining, hold_against, require_machine
from envlock.cli.messages import Message
from envlock.cli.operands import chosen_sections, is_live, open_store, read_lock_operand
from envlock.cli.supplies import Supplies
from envlock.errors import ApplyError, ExitStatus, UsageError
from envlock.model.facts import section_names
from envlock.report.apply import render_plan
from envlock.report.input import Canvas
from envlock.targets.kinds import is_target
from envlock.workflow import load_tree
from envlock.writing import write_output

if TYPE_CHECKING:
    from envlock.store.objects import Store


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Plan, and do the plan where that is asked for; or go on with a run, or take one back."""
    if arguments.undo is not None or arguments.resume:
        return _of_run(arguments, console)
    if not arguments.lock:
        raise UsageError("no lock is named", hint="envlock apply LOCK --dry-run")
    target = arguments.target or "host"
    require_machine(target)
    place_root = root_of(target)
    choice = _choice(arguments)
    config = read_config(arguments, console)
    with open_store(config) as store, Place(place_root) as place:
        if not is_live(arguments.lock):
            lock = read_lock_operand(arguments.lock, config)
            bring_content(arguments.lock, lock, config, store, console)
        with console.progress("examining") as steps:
            joining = hold_against(
                arguments.lock,
                target,
                config,
                store,
                steps,
                role=arguments.root or "",
                whole=arguments.whole,
                deep=True,
            )
        supplies = Supplies(
            joining.lock.lock,
            joining.machine.lock,
            config,
            store,
            offline=arguments.offline,
        )
        if arguments.plan:
            plan = _given(Path(arguments.plan), joining, target, place)
            supplies.find(plan)
        else:
            with console.progress("planning") as steps:
                steps("fetching packages and files", 0, 0)
                plan = _made(arguments, joining, choice, place, supplies, store)
        _show(plan, arguments, console)
        if not _is_agreed(plan, arguments, console):
            return ExitStatus.OK if arguments.dry_run or not plan.steps else ExitStatus.USAGE
        _require_undo(plan, choice)
        return execute(plan, joining, arguments, config, store, supplies.files, place, console)


def _of_run(arguments: argparse.Namespace, console: Console) -> int:
    """Go on with a run, or take it back; the only operand may be the machine."""
    target = arguments.target or "host"
    if arguments.lock and not arguments.target and is_target(arguments.lock):
        target = arguments.lock
    config = read_config(arguments, console)
    with open_store(config) as store, Place(root_of(target)) as place:
        if arguments.resume:
            return resume(place, store, console)
        return undo(arguments.undo, place, store, console)


def _choice(arguments: argparse.Namespace) -> Choice:
    for word in arguments.allow:
        if word not in (*KINDS, NO_UNDO):
            raise UsageError(
                f"--allow does not know {word}", hint=f"it knows {', '.join((*KINDS, NO_UNDO))}"
            )
    return Choice(
        only=chosen_sections(arguments.only, section_names()),
        skip=chosen_sections(arguments.skip, section_names()),
        remove=arguments.remove,
        allow=frozenset(arguments.allow),
    )


def _refuse(differences: tuple[Difference, ...]) -> None:
    """Raise ApplyError for a machine that no plan can make like the lock."""
    for each in differences:
        if each.section == "os" and each.wanted and each.present:
            raise ApplyError(
                f"this machine has another {each.field or 'operating system'}:"
                f" {each.present} instead of {each.wanted}",
                hint="use a machine of the same release and architecture,"
                " or `envlock materialize` for an image",
            )


def _made(
    arguments: argparse.Namespace,
    joining: Joining,
    choice: Choice,
    place: Place,
    supplies: Supplies,
    store: Store,
) -> Plan:
    role = arguments.root
    differences = tuple(d for d in joining.differences if not role or role in d.roles)
    _refuse(differences)
    lock, machine = joining.lock, joining.machine
    situation = Situation(
        found=tuple(each for each in differences if not choice.obstacle(each)),
        choice=choice,
        wanted=lock.lock,
        present=machine.lock,
        wanted_rows=rows_of(lock.tree or load_tree(lock.lock, store)),
        present_rows=rows_of(machine.tree or load_tree(machine.lock, store)),
        place=place,
        machine=Machine(place.root),
        supplies=supplies,
    )
    return make_plan(
        differences,
        situation,
        lock=arguments.lock,
        target=arguments.target or "host",
        roles=joining.diagnosis.roles,
        told=[
            gap.difference.id
            for gap in joining.diagnosis.gaps
            if arguments.remove or not gap.is_light
        ],
    )


def _given(path: Path, joining: Joining, target: str, place: Place) -> Plan:
    """Read a plan that was made before.  Raise ApplyError when it does not fit any more."""
    from envlock.model.digest import digests

    plan = read_plan(path)
    hint = "make a new plan: `envlock apply LOCK --dry-run -o FILE`"
    if plan.target != target or plan.machine != machine_identity(place):
        raise ApplyError("the plan is for another machine", where=str(path), hint=hint)
    if plan.lock_digest != digests(joining.lock.lock).environment:
        raise ApplyError("the lock has changed since the plan was made", where=str(path), hint=hint)
    if moved := stale(plan, place):
        raise ApplyError(
            f"the machine has changed since the plan was made: {len(moved):,} paths",
            where=", ".join(moved[:3]),
            hint=hint,
        )
    return plan


def _show(plan: Plan, arguments: argparse.Namespace, console: Console) -> None:
    if arguments.output:
        try:
            write_output(Path(arguments.output), plan_bytes(plan))
        except OSError as error:
            where = str(arguments.output)
            raise UsageError(f"cannot write the plan: {error.strerror}", where=where) from error
        console.say(Message.WROTE, path=arguments.output)
    if arguments.json:
        console.out(json.dumps(document_of(plan), indent=2, sort_keys=True))
    else:
        canvas = Canvas(console.width, console.color, not console.unicode)
        console.out(render_plan(plan, canvas, full=arguments.all).rstrip("\n"))


def _is_agreed(plan: Plan, arguments: argparse.Namespace, console: Console) -> bool:
    """True when the plan is to be done: by an option, or by an answer on a terminal."""
    if arguments.dry_run or not plan.steps:
        return False
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        console.hint("nothing was changed; --yes does it")
        return False
    console.note("do this? [y/N] ")
    return input().strip().lower() in ("y", "yes")


def _require_undo(plan: Plan, choice: Choice) -> None:
    lost = [
        f"{change.name} {change.before}"
        for step in plan.steps
        for change in (step.packages.changes if step.packages else ())
        if not change.has_undo
    ]
    if lost and NO_UNDO not in choice.allow:
        raise ApplyError(
            f"--undo could not bring back {', '.join(lost[:5])}"
            f"{f' and {len(lost) - 5} more' if len(lost) > 5 else ''}",
            hint=f"--allow {NO_UNDO} does it all the same; nothing was changed",
        )
    if os.geteuid():
        raise ApplyError("only root can change a machine", hint="run it with sudo")
