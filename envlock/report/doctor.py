"""What a machine lacks: as text for people, JSON, a script to review, and for health checks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from envlock.apply.commands import merged
from envlock.apply.gap import Auto, Command, Diagnosis, Gap, Phase, State
from envlock.model.severity import Severity
from envlock.report.input import Canvas
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.visible import shorten, visible

_SIGNS = {State.MISSING: "-", State.WRONG: "~", State.EXTRA: "+", State.UNKNOWN: "?"}
_STYLES = {"-": "red", "~": "yellow", "+": "green", "?": "magenta"}
_SHOWN = 8
_SEVERE = (Severity.CRITICAL, Severity.HIGH)
_NAME, _BEFORE_VALUES, _NARROWEST_VALUE = 34, 49, 20
_INDENT = " " * 13
_NARROWEST = 40
_FOR_SESSION = frozenset({"export", "unset"})
_UNATTENDED = {
    "apt-get": (
        "--yes",
        "-o",
        "Dpkg::Options::=--force-confdef",
        "-o",
        "Dpkg::Options::=--force-confold",
    )
}
"""Options with which a command of a script asks nothing and keeps edited configuration files."""


def counted(diagnosis: Diagnosis) -> str:
    """Return how many gaps there are of each kind, such as ``3 missing, 1 unknown``.

    >>> counted(Diagnosis(lock="a", machine="b", gaps=()))
    'nothing to do'
    """
    found = [f"{count:,} {state}" for state, count in diagnosis.counts.items() if count]
    return ", ".join(found) or "nothing to do"


def render_doctor(diagnosis: Diagnosis, canvas: Canvas, *, full: bool) -> str:
    """Return text about as wide as the canvas: each step with its gaps and its commands.

    With `full` no list is cut.
    """
    return paint(_page(diagnosis, canvas, full=full), color=canvas.color)


def _page(diagnosis: Diagnosis, canvas: Canvas, *, full: bool) -> Iterator[Line]:
    arrow = "->" if canvas.ascii else "→"
    style = "bold green" if diagnosis.is_clean else "bold yellow"
    verdict = Piece("READY" if diagnosis.is_clean else "NOT READY", style)
    yield line(verdict, f"  {visible(diagnosis.lock)} {arrow} {visible(diagnosis.machine)}")
    about = f" for {' and '.join(map(visible, diagnosis.roles))}" if diagnosis.roles else ""
    yield line(f"{counted(diagnosis)}{about}")
    for note in diagnosis.notes:
        yield line(visible(note))
    shown = [gap for gap in diagnosis.gaps if full or not gap.is_light]
    for phase, gaps in _steps(shown):
        yield line()
        yield from _step(phase, gaps, canvas, full=full)
    if light := len(diagnosis.gaps) - len(shown):
        yield line()
        yield line(f"{light:,} more that only this machine has, of little weight: --all shows them")
    yield from _end(diagnosis)


def _steps(gaps: Iterable[Gap]) -> Iterator[tuple[Phase, list[Gap]]]:
    for phase, group in groupby(gaps, key=lambda gap: gap.phase):
        yield phase, list(group)


def _step(phase: Phase, gaps: Sequence[Gap], canvas: Canvas, *, full: bool) -> Iterator[Line]:
    needs = dict.fromkeys(need for gap in gaps for need in gap.needs)
    needed = f"  needs {', '.join(needs)}" if needs else ""
    yield line(Piece(phase, "bold"), Piece(needed, "dim"))
    shown = gaps if full else gaps[:_SHOWN]
    told: set[str] = set()
    for gap in shown:
        yield from _gap(gap, canvas, told)
    if len(shown) < len(gaps):
        mark = "..." if canvas.ascii else "…"
        yield line(Piece(f"  {mark} {len(gaps) - len(shown):,} more, --all shows them", "dim"))
    for command in commands_of(gaps, Auto.YES):
        yield line(f"  run: {visible(shlex.join(command))}")
    for command in commands_of(gaps, Auto.ASK):
        yield line(f"  if you want it so: {visible(shlex.join(command))}")
    for gap in gaps:
        if gap.auto is Auto.NEVER and gap.difference.fix:
            does = visible(" && ".join(map(shlex.join, gap.difference.fix)))
            yield line(f"  by hand, since {gap.caution}: {does}")


def _gap(gap: Gap, canvas: Canvas, told: set[str]) -> Iterator[Line]:
    found, mark = gap.difference, "..." if canvas.ascii else "…"
    sign = _SIGNS[found.state]
    name = shorten(_subject(gap), _NAME, mark=mark)
    pieces = (Piece(sign, _STYLES[sign]), " ", Piece(f"{found.severity:<8}", "dim"), f" {name:<34}")
    room = max(canvas.width - _BEFORE_VALUES, _NARROWEST_VALUE)
    yield line("  ", *pieces, f"  {shorten(_values(gap, canvas), room, mark=mark)}")
    reasons = [visible(found.why)] if found.severity in _SEVERE or found.key not in told else []
    if not found.fix and found.next:
        reasons.append(visible(found.next))
    for reason in reasons:
        if reason not in told:
            told.add(reason)
            for part in wrap(reason, max(canvas.width - len(_INDENT), _NARROWEST)):
                yield line(Piece(f"{_INDENT}{part}", "dim"))


def _subject(gap: Gap) -> str:
    found = gap.difference
    return visible(" ".join(word for word in (found.key or found.section, found.field) if word))


def _values(gap: Gap, canvas: Canvas) -> str:
    found = gap.difference
    if found.wanted is not None and found.present is not None:
        arrow = "->" if canvas.ascii else "→"
        return f"{visible(found.present)} {arrow} {visible(found.wanted)}"
    return visible(found.wanted or found.present or "")


def _end(diagnosis: Diagnosis) -> Iterator[Line]:
    yield line()
    if diagnosis.is_clean:
        yield line("this machine has what the lock says")
    else:
        few = len(commands_of(diagnosis.gaps, Auto.YES))
        people = sum(gap.auto is Auto.NEVER and not gap.is_light for gap in diagnosis.gaps)
        yield line(
            f"{len(diagnosis.gaps):,} gaps: {few:,} commands mend what can be mended without a"
            f" question; {people:,} are left to a person"
        )
        yield line("next: --fix-script FILE writes the commands in this order, to be reviewed")
    if diagnosis.outside:
        yield line(f"outside of the application: {diagnosis.outside:,} differences (--whole)")


def commands_of(gaps: Iterable[Gap], auto: Auto) -> tuple[Command, ...]:
    """Return the commands that may be run in this way, joined where one call does it all."""
    return merged(command for gap in gaps if gap.auto is auto for command in gap.difference.fix)


def render_doctor_json(diagnosis: Diagnosis) -> str:
    """Return everything as a JSON document."""
    document = {
        "schema_version": 1,
        "lock": visible(diagnosis.lock),
        "machine": visible(diagnosis.machine),
        "roles": list(map(visible, diagnosis.roles)),
        "counts": {state.value: count for state, count in diagnosis.counts.items()},
        "outside": diagnosis.outside,
        "notes": list(map(visible, diagnosis.notes)),
        "gaps": [_document(gap) for gap in diagnosis.gaps],
    }
    return json.dumps(document, indent=2)


def _document(gap: Gap) -> dict[str, object]:
    found = gap.difference
    return {
        "id": found.id,
        "state": found.state.value,
        "severity": found.severity.value,
        "section": found.section,
        "key": visible(found.key),
        "field": visible(found.field),
        "wanted": None if found.wanted is None else visible(found.wanted),
        "present": None if found.present is None else visible(found.present),
        "why": visible(found.why),
        "step": gap.phase.value,
        "fix": [list(map(visible, command)) for command in found.fix],
        "next": visible(found.next),
        "needs": [need.value for need in gap.needs],
        "auto": gap.auto.value,
        "caution": gap.caution,
        "roles": list(map(visible, found.roles)),
    }


def render_fix_script(diagnosis: Diagnosis) -> str:
    """Return a shell script of all commands in order; what a person must decide is a comment."""
    return "\n".join(_script(diagnosis)) + "\n"


def _script(diagnosis: Diagnosis) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# What {visible(diagnosis.machine)} lacks of {visible(diagnosis.lock)}, in order."
    yield "# Read it before you run it: it was made from a lock, and changes this machine."
    yield "set -eu"
    yield "export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l LC_ALL=C"
    for phase, gaps in _steps(diagnosis.gaps):
        yield f"\n# {phase}"
        for command in commands_of(gaps, Auto.YES):
            text = visible(shlex.join(_unattended(command)))
            yield f"# in the environment of the program: {text}" if _is_kept(command) else text
        for command in commands_of(gaps, Auto.ASK):
            yield f"# if you want it so: {visible(shlex.join(_unattended(command)))}"
        for gap in gaps:
            if gap.auto is Auto.NEVER and not gap.is_light:
                yield from _comment(gap)


def _comment(gap: Gap) -> Iterator[str]:
    found = gap.difference
    does = " && ".join(map(shlex.join, found.fix)) or found.next or gap.caution
    yield f"# by hand: {found.section} {_subject(gap)}: {visible(does)}"


def _unattended(command: Command) -> Command:
    options = _UNATTENDED.get(command[0], ()) if command[1:2] in (("install",), ("remove",)) else ()
    return (*command[:2], *options, *command[2:])


def _is_kept(command: Command) -> bool:
    """True for a command that holds only in the shell that runs it."""
    return command[0] in _FOR_SESSION


def render_nagios(diagnosis: Diagnosis) -> tuple[int, str]:
    """Return status and line of a health check (Nagios plug-in API, development guidelines)."""
    severities = {
        gap.difference.severity
        for gap in diagnosis.gaps
        if gap.difference.state is not State.UNKNOWN
    }
    if severities & set(_SEVERE):
        status, word = 2, "CRITICAL"
    elif diagnosis.has_work:
        status, word = 1, "WARNING"
    elif diagnosis.gaps:
        status, word = 3, "UNKNOWN"
    else:
        status, word = 0, "OK"
    figures = " ".join(f"{state}={count}" for state, count in diagnosis.counts.items())
    text = f"ENVLOCK {word} - {visible(diagnosis.lock)}: {counted(diagnosis)} | {figures}"
    return status, text
