"""Make a plan from the differences of a machine: the steps in order, and what no step removes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from envlock.apply.gap import Difference
from envlock.apply.place import Place
from envlock.apply.plan import Left, Plan, Step, StepKind
from envlock.apply.plan_accounts import plan_accounts
from envlock.apply.plan_commands import plan_commands, plan_refresh
from envlock.apply.plan_files import plan_files, plan_folders
from envlock.apply.plan_packages import plan_packages
from envlock.apply.situation import Draft, Situation
from envlock.model.digest import digests
from envlock.model.tree import EntryType

_UNREADABLE = re.compile(r"[^A-Za-z0-9._]+")
_MACHINE_ID = "/etc/machine-id"
_ID_LENGTH = 48


def make_plan(
    differences: Sequence[Difference],
    situation: Situation,
    *,
    lock: str,
    target: str,
    roles: Sequence[str] = (),
    told: Collection[str] = (),
) -> Plan:
    """Return the plan for the `found` differences of a situation.

    `differences` are all of them; `told` are the ids of those that doctor tells, which the plan
    must either remove or leave with a reason.
    """
    draft = Draft()
    allowed = {each.id for each in situation.found}
    for each in differences:
        if each.id not in allowed:
            draft.leave([each], situation.choice.obstacle(each) or "it is not planned")
    folders = plan_folders(situation, draft)
    plan_accounts(situation, draft)
    plan_packages(situation, draft)
    plan_files(situation, draft, folders)
    plan_refresh(situation, draft)
    plan_commands(situation, draft)
    left = [
        Left(each.id, each.section, each.key, each.field, _why_left(each, draft))
        for each in differences
        if each.id in told and (each.id in draft.left or each.id not in draft.covered)
    ]
    return Plan(
        lock=lock,
        lock_digest=digests(situation.wanted).environment,
        target=target,
        machine=machine_identity(situation.place),
        steps=tuple(_numbered(draft.steps)),
        left=tuple(left),
        roles=tuple(roles),
    )


def _why_left(found: Difference, draft: Draft) -> str:
    return draft.left.get(found.id) or found.next or "no step does it"


def _numbered(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps in the order of phases, each with its number."""
    ordered = sorted(steps, key=lambda step: (step.phase.position, step.kind is StepKind.REFRESH))
    width = max(2, len(str(len(ordered))))
    for number, step in enumerate(ordered, 1):
        name = _UNREADABLE.sub("-", step.id).strip("-")[:_ID_LENGTH] or "step"
        yield replace(step, id=f"{number:0{width}d}-{name}")


def machine_identity(place: Place) -> str:
    """Return what identifies a machine in plans: a digest keyed with its machine-id(5), in hex."""
    found = place.find(_MACHINE_ID)
    if found is None or found.type is not EntryType.FILE:
        return ""
    text = b"".join(place.content(_MACHINE_ID)).strip()
    return hmac.new(text, b"envlock apply plan", hashlib.sha256).hexdigest() if text else ""
