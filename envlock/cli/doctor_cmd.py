"""``envlock doctor``: say what a machine lacks of a lock, in order, with the commands."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from envlock.apply.doctor import only
from envlock.apply.gap import Diagnosis
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.joining import hold_against, require_machine
from envlock.cli.messages import Message
from envlock.cli.operands import chosen_sections, open_store
from envlock.errors import ExitStatus, UsageError
from envlock.model.facts import section_names
from envlock.report.doctor import (
    render_doctor,
    render_doctor_json,
    render_fix_script,
    render_nagios,
)
from envlock.report.input import Canvas
from envlock.writing import write_output


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare the machine with the lock, and print what it lacks."""
    config = read_config(arguments, console)
    sections = chosen_sections(arguments.only, section_names())
    require_machine(arguments.target)
    with open_store(config) as store, console.progress("examining") as steps:
        diagnosis = hold_against(
            arguments.lock,
            arguments.target,
            config,
            store,
            steps,
            role=arguments.root or "",
            whole=arguments.whole,
        ).diagnosis
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
