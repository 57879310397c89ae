"""A machine held against the lock that it shall become like: what doctor tells and apply plans."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from envlock.apply.doctor import diagnose
from envlock.apply.gap import Diagnosis, Difference, State
from envlock.cli.pair_operands import read_pair
from envlock.diff.drift import Change, ChangeKind, DriftReport, NoteKind
from envlock.diff.engine import Options
from envlock.errors import UsageError
from envlock.model.severity import Severity
from envlock.report.disclosure import disclosed_change
from envlock.targets.kinds import is_target, open_target
from envlock.versions.relation import Relation
from envlock.workflow import Environment, compare_environments, reader_of

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store
    from envlock.workflow import Progress

_LIGHT = (Severity.LOW, Severity.INFO)
_STATES = {
    ChangeKind.REMOVED: State.MISSING,
    ChangeKind.ADDED: State.EXTRA,
    ChangeKind.CHANGED: State.WRONG,
    ChangeKind.UNKNOWN: State.UNKNOWN,
}


class Joining(NamedTuple):
    """Both sides, all differences that count, and what doctor tells of them.

    `differences` also has those that follow from others.
    """

    lock: Environment
    machine: Environment
    differences: tuple[Difference, ...]
    diagnosis: Diagnosis


def require_machine(target: str) -> None:
    """Raise UsageError for an operand that names no target."""
    if not is_target(target):
        raise UsageError(
            f"{target} is no machine",
            where="TARGET",
            hint="name a target such as host, ssh:HOST or docker:NAME",
        )


def hold_against(
    lock: str,
    target: str,
    config: Config,
    store: Store,
    steps: Progress,
    *,
    role: str = "",
    whole: bool = False,
    deep: bool = False,
) -> Joining:
    """Capture a machine and compare it with a lock.

    With `deep` all files are read, of a host too.  Raise UsageError for a role that there is not.
    """
    known: ParsedTables = {}
    left, right = read_pair((lock, target), config, store, steps, known, whole=whole, deep=deep)
    report = compare_environments(
        left,
        right,
        Options(contents=reader_of(store), ignore=tuple(config.diff.ignore)),
        store,
        whole=whole,
        joining=True,
    )
    roles = report.scoping.roles if report.scoping else ()
    if role and role not in roles:
        raise UsageError(
            f"{lock} names no application {role}",
            where="--root",
            hint=f"it names {', '.join(roles)}" if roles else "leave --root out",
        )
    found = [
        (change, _difference(disclosed_change(change), report.left_name))
        for change in report.changes
        if change.counts and change.section != "process"
    ]
    with closing(open_target(target)) as opened:
        diagnosis = diagnose(
            [each for change, each in found if not change.explained_by],
            opened,
            lock=lock,
            roles=[role] if role else roles,
            outside=sum(report.outside.values()),
            notes=_notes(report),
        )
    return Joining(left, right, tuple(each for _, each in found), diagnosis)


def _notes(report: DriftReport) -> list[str]:
    return [note.text for note in report.notes if note.kind is NoteKind.NOT_COMPARED]


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
        follows=change.explained_by,
    )
