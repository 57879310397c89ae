"""The steps of a plan that run a command, each with what it changes or the command that undoes it.

A command of which neither is known is left to a person.  Sources: update-alternatives(1) and its
files, dpkg-statoverride(1), dpkg-divert(1), systemctl(1), sysctl(8), ldconfig(8),
update-ca-certificates(8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.apply.gap import Command, Difference
from envlock.apply.plan import Step, StepKind
from envlock.apply.plan_accounts import ACCOUNT_FILES
from envlock.apply.rules import phase_of
from envlock.apply.situation import Draft, Situation
from envlock.model.text import from_bytes
from envlock.model.tree import EntryType

_ALTERNATIVES = "/var/lib/dpkg/alternatives"
_BY_HAND = "no step does it; `envlock doctor` prints the command"
_PLANNED_ELSEWHERE = frozenset({"deb", "file", "python", "machine", "os"})


class _Effect(NamedTuple):
    """What a command changes: paths that are kept, or the commands that take it back."""

    touches: tuple[str, ...] = ()
    undo: tuple[Command, ...] = ()


class Known(NamedTuple):
    """A row of `PROGRAMS`: what its command changes, None where that is not known here."""

    effect: Callable[[Command, Difference, Situation], _Effect | None]


def _accounts(_command: Command, _found: Difference, _around: Situation) -> _Effect:
    return _Effect(ACCOUNT_FILES)


def _alternative(command: Command, _found: Difference, around: Situation) -> _Effect | None:
    name = command[2]
    path = f"{_ALTERNATIVES}/{name}"
    if "/" in name or around.place.find(path) is None:
        return None
    lines = from_bytes(b"".join(around.place.content(path))).split("\n")
    links = [f"/etc/alternatives/{name}", *lines[1:2]]
    for slave, link in zip(lines[2::2], lines[3::2], strict=False):
        if not slave:
            break
        links += [f"/etc/alternatives/{slave}", link]
    return _Effect((path, *(link for link in links if link.startswith("/"))))


def _override(command: Command, found: Difference, _around: Situation) -> _Effect | None:
    return _Effect(("/var/lib/dpkg/statoverride", found.key)) if command[-1] == found.key else None


def _diversion(command: Command, found: Difference, _around: Situation) -> _Effect | None:
    path = command[-1]
    owner, _, to = (found.present or "").partition(" to ")
    if command[1] != "--remove" or path != found.key or not to.startswith("/"):
        return None
    return _Effect(("/var/lib/dpkg/diversions", path, to)) if owner else None


def _unit(command: Command, _found: Difference, around: Situation) -> _Effect | None:
    """A unit is switched back by the opposite."""
    opposite = {"enable": "disable", "disable": "enable", "mask": "unmask", "unmask": "mask"}
    verbs = [word for word in command[1:] if word in opposite]
    if len(verbs) != 1 or not around.machine.has("systemctl"):
        return None
    back = tuple(opposite[word] if word == verbs[0] else word for word in command)
    return _Effect(undo=(back,))


def _sysctl(command: Command, found: Difference, around: Situation) -> _Effect | None:
    if not around.machine.is_own or found.present is None:
        return None
    return _Effect(undo=(("sysctl", "-w", f"{found.key}={found.present}"),)) if command else None


def _link(command: Command, _found: Difference, _around: Situation) -> _Effect | None:
    return _Effect((command[-1],)) if command[1] == "-snf" else None


PROGRAMS: Mapping[str, Known] = {
    "gpasswd": Known(_accounts),
    "usermod": Known(_accounts),
    "passwd": Known(_accounts),
    "update-alternatives": Known(_alternative),
    "dpkg-statoverride": Known(_override),
    "dpkg-divert": Known(_diversion),
    "systemctl": Known(_unit),
    "sysctl": Known(_sysctl),
    "ln": Known(_link),
}
"""The programs that a plan may run, by name."""


def plan_commands(situation: Situation, draft: Draft) -> None:
    """Add a step for each difference that a known command removes."""
    steps: dict[tuple[Command, ...], list[Difference]] = {}
    for each in situation.found:
        is_open = each.id not in draft.covered and each.section not in _PLANNED_ELSEWHERE
        if is_open and each.fix:
            steps.setdefault(each.fix, []).append(each)
    for commands, found in steps.items():
        _plan_one(commands, found, situation, draft)


def _plan_one(
    commands: tuple[Command, ...], found: list[Difference], situation: Situation, draft: Draft
) -> None:
    first = found[0]
    effects = []
    for command in commands:
        known = PROGRAMS.get(command[0])
        effect = known.effect(command, first, situation) if known else None
        if effect is None or not situation.machine.has(command[0]):
            draft.leave(found, _BY_HAND)
            return
        effects.append(effect)
    draft.steps.append(
        Step(
            id=f"{first.section}-{first.key}",
            kind=StepKind.COMMAND,
            phase=phase_of(first),
            summary="; ".join(" ".join(command) for command in commands),
            gaps=tuple(each.id for each in found),
            commands=commands,
            undo=tuple(back for effect in reversed(effects) for back in effect.undo),
            touches=tuple(dict.fromkeys(path for effect in effects for path in effect.touches)),
        )
    )


class _Made(NamedTuple):
    """A row of `_REFRESHES`: a command, the files it reads, the sections of what it makes."""

    command: Command
    reads: tuple[str, ...]
    sections: frozenset[str]


_REFRESHES = (
    _Made(
        ("update-ca-certificates",),
        ("/usr/local/share/ca-certificates/", "/etc/ca-certificates.conf"),
        frozenset({"certificate"}),
    ),
    _Made(("ldconfig",), ("/etc/ld.so.conf",), frozenset()),
    _Made(("sysctl", "--system"), ("/etc/sysctl.",), frozenset({"host.sysctl"})),
    _Made(("systemctl", "daemon-reload"), ("/etc/systemd/system/",), frozenset()),
)
REFRESHED = frozenset(made.command[0] for made in _REFRESHES)
"""The programs of refresh steps."""


def plan_refresh(situation: Situation, draft: Draft) -> None:
    """Add the commands that make files from those which other steps change."""
    changed = [path for step in draft.steps for path in _paths(step)]
    for made in _REFRESHES:
        if any(path.startswith(made.reads) for path in changed) and _runs(made, situation):
            open_ones = [d for d in situation.found if d.id not in draft.covered]
            found = [d for d in open_ones if d.section in made.sections]
            phase = next(s.phase for s in draft.steps if _reads_one(made, _paths(s)))
            draft.steps.append(
                Step(
                    id=made.command[0],
                    kind=StepKind.REFRESH,
                    phase=phase,
                    summary=" ".join(made.command),
                    gaps=tuple(each.id for each in found),
                    commands=(made.command,),
                )
            )


def _runs(made: _Made, situation: Situation) -> bool:
    if made.command[0] == "systemctl" and not situation.machine.has_systemd:
        return False
    if made.command[0] == "sysctl" and not situation.machine.is_own:
        return False
    return situation.machine.has(made.command[0])


def _reads_one(made: _Made, paths: Iterable[str]) -> bool:
    return any(path.startswith(made.reads) for path in paths)


def _paths(step: Step) -> Iterator[str]:
    if step.kind is StepKind.FILE and (step.after or step.before):
        entry = step.after or step.before
        if entry is not None and entry.type is not EntryType.DIRECTORY:
            yield entry.path
