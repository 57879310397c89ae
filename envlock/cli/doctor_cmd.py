"""``envlock doctor``: say what a machine lacks of a lock, in order, with the commands."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.apply.doctor import diagnose, only
from envlock.apply.gap import Diagnosis, Difference, State
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import chosen_sections, open_store
from envlock.cli.pair_operands import read_pair
from envlock.diff.drift import Change, ChangeKind, DriftReport, NoteKind
from envlock.diff.engine import Options
from envlock.errors import ExitStatus, UsageError
from envlock.model.facts import section_names
from envlock.model.severity import Severity
from envlock.report.disclosure import disclosed_change
from envlock.report.doctor import (
    render_doctor,
    render_doctor_json,
    render_fix_script,
    render_nagios,
)
from envlock.report.input import Canvas
from envlock.targets.kinds import is_target, open_target
from envlock.versions.relation import Relation
from envlock.workflow import compare_environments, reader_of
from envlock.writing import write_output

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables

_LIGHT = (Severity.LOW, Severity.INFO)
_STATES = {
    ChangeKind.REMOVED: State.MISSING,
    ChangeKind.ADDED: State.EXTRA,
    ChangeKind.CHANGED: State.WRONG,
    ChangeKind.UNKNOWN: State.UNKNOWN,
}


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare the machine with the lock, and print what it lacks."""
    config = read_config(arguments, console)
    sections = chosen_sections(arguments.only, section_names())
    if not is_target(arguments.target):
        raise UsageError(
            f"{arguments.target} is no machine",
            where="TARGET",
            hint="name a target such as host, ssh:HOST or docker:NAME",
        )
    diagnosis = _diagnosed(arguments, config, console)
    diagnosis = _narrowed(diagnosis, arguments, sections)
    if arguments.fix_script:
        _write_script(diagnosis, Path(arguments.fix_script), console)
    if arguments.style == "nagios":
        status, text = render_nagios(diagnosis)
        console.out(text)
        return status
    if arguments.json:
        console.out(render_doctor_json(diagnosis))
    else:
        canvas = Canvas(console.width, console.color, not console.unicode)
        console.out(render_doctor(diagnosis, canvas, full=arguments.all).rstrip("\n"))
    if diagnosis.has_work:
        return ExitStatus.DRIFT
    return ExitStatus.OK if diagnosis.is_clean else ExitStatus.INCONCLUSIVE


def _diagnosed(arguments: argparse.Namespace, config: Config, console: Console) -> Diagnosis:
    operands = (arguments.lock, arguments.target)
    with open_store(config) as store, console.progress("examining") as steps:
        known: ParsedTables = {}
        left, right = read_pair(operands, config, store, steps, known, whole=arguments.whole)
        report = compare_environments(
            left,
            right,
            Options(contents=reader_of(store), ignore=tuple(config.diff.ignore)),
            store,
            whole=arguments.whole,
            joining=True,
        )
        roles = report.scoping.roles if report.scoping else ()
        if arguments.root and arguments.root not in roles:
            raise UsageError(
                f"{arguments.lock} names no application {arguments.root}",
                where="--root",
                hint=f"it names {', '.join(roles)}" if roles else "leave --root out",
            )
        with closing(open_target(arguments.target)) as target:
            return diagnose(
                _differences(report),
                target,
                lock=arguments.lock,
                roles=[arguments.root] if arguments.root else roles,
                outside=sum(report.outside.values()),
                notes=[n.text for n in report.notes if n.kind is NoteKind.NOT_COMPARED],
            )


def _differences(report: DriftReport) -> list[Difference]:
    """Return what counts and follows from nothing else, but for how a container was started."""
    return [
        _difference(disclosed_change(change), report.left_name)
        for change in report.changes
        if change.counts and not change.explained_by and change.section != "process"
    ]


_OF_BOTH_SIDES = ("both sides", "or remove it on")
"""Parts of advice that leaves open which side is right; here it is the lock."""


def _advice(change: Change, lock: str) -> str:
    """Return what to do where no command does it."""
    if change.kind is ChangeKind.UNKNOWN or not any(part in change.next for part in _OF_BOTH_SIDES):
        return change.next
    match change.kind:
        case ChangeKind.REMOVED:
            return f"bring it here from {lock}"
        case ChangeKind.ADDED:
            return "remove it here if nothing needs it"
        case _:
            return f"make it here as it is in {lock}"


def _difference(change: Change, lock: str) -> Difference:
    # A file that only the machine has cannot be had from a package.
    is_surplus_file = change.kind is ChangeKind.ADDED and change.severity in _LIGHT
    is_surplus_file = is_surplus_file and change.section == "file"
    return Difference(
        id=change.id,
        section=change.section,
        key=change.key,
        field=change.field,
        state=_STATES[change.kind],
        wanted=change.left,
        present=change.right,
        severity=change.severity,
        why=change.why,
        fix=() if is_surplus_file else change.fix,
        next=_advice(change, lock),
        is_newer=change.relation is Relation.NEWER,
        roles=change.scope or (),
    )


def _narrowed(
    diagnosis: Diagnosis, arguments: argparse.Namespace, sections: frozenset[str]
) -> Diagnosis:
    """Keep what the options ask for."""
    gaps = only(diagnosis.gaps, sections)
    if arguments.root:
        gaps = tuple(
            gap
            for gap in gaps
            if arguments.root in gap.difference.roles or gap.difference.section == "machine"
        )
    return replace(diagnosis, gaps=gaps)


def _write_script(diagnosis: Diagnosis, path: Path, console: Console) -> None:
    try:
        write_output(path, render_fix_script(diagnosis).encode())
    except OSError as error:
        raise UsageError(f"cannot write the script: {error.strerror}", where=str(path)) from error
    console.say(Message.WROTE, path=path)
