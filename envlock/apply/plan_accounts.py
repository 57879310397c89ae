"""The steps of a plan that make users and groups, before the packages that would number them.

Sources: useradd(8), groupadd(8), login.defs(5), Debian Policy 9.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envlock.apply.gap import Command, Difference, Phase, State
from envlock.apply.plan import Step, StepKind
from envlock.apply.situation import Draft, Situation
from envlock.model.record import Facts

ACCOUNT_FILES = (
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/subgid",
    "/etc/subuid",
)
_LARGEST = 1 << 32
_NO_SHELL = "/usr/sbin/nologin"


def plan_accounts(situation: Situation, draft: Draft) -> None:
    """Add a step for each group and user that the machine lacks."""
    for section in ("group", "user"):
        for each in situation.found:
            if each.section == section and each.state is State.MISSING and not each.field:
                _plan_one(each, situation, draft)


def _plan_one(found: Difference, situation: Situation, draft: Draft) -> None:
    facts = situation.wanted.get(found.section, found.key)
    number = "uid" if found.section == "user" else "gid"
    if not _is_number(facts.get(number, "")) or not _is_name(found.key):
        draft.leave([found], "the lock has no number for it")
        return
    if holder := _holder(facts[number], number, situation.present.sections.get(found.section, {})):
        draft.leave([found], f"its number {facts[number]} is that of {holder} on this machine")
        return
    make = _useradd if found.section == "user" else _groupadd
    draft.steps.append(
        Step(
            id=f"{found.section}-{found.key}",
            kind=StepKind.COMMAND,
            phase=Phase.ACCOUNTS,
            summary=f"{found.section} {found.key} with number {facts[number]}",
            gaps=(found.id,),
            commands=tuple(make(found.key, facts)),
            touches=ACCOUNT_FILES,
        )
    )


def _groupadd(name: str, facts: Facts) -> Iterator[Command]:
    yield ("groupadd", "--gid", facts["gid"], name)


def _useradd(name: str, facts: Facts) -> Iterator[Command]:
    """Yield how to make a user, locked and without a home directory of its own."""
    home = facts.get("home") or (f"/home/{name}" if "kind" in facts else "/nonexistent")
    yield (
        "useradd",
        "--uid",
        facts["uid"],
        "--gid",
        facts.get("gid", facts["uid"]),
        "--home-dir",
        home,
        "--no-create-home",
        "--no-user-group",
        "--shell",
        facts.get("shell", _NO_SHELL),
        name,
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < _LARGEST


def _is_name(text: str) -> bool:
    return text.isprintable() and not text.startswith("-") and " " not in text


def _holder(number: str, fact: str, accounts: Mapping[str, Facts]) -> str:
    """Return the account that has a number, empty for none."""
    return next((name for name, facts in accounts.items() if facts.get(fact) == number), "")
