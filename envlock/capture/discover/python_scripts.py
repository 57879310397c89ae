"""Programs of a virtual environment that name an interpreter elsewhere: it was moved or copied.

Source: PEP 405; packaging.python.org, Entry points; `pip._vendor.distlib.scripts` for the longer
form, which leads over a shell.
"""

from __future__ import annotations

import posixpath
import re

from envlock.capture.context import Context
from envlock.capture.discover.interpreters import parse_interpreter
from envlock.capture.discover.python_envs import PythonEnv
from envlock.model.text import from_bytes
from envlock.model.tree import Entry, EntryType

_HEAD, _LARGEST, _MOST = 512, 64 * 1024, 200
"""Bytes of a program that are read, the size of one that is looked at, and how many are."""
_OVER_SHELL = re.compile(rb"#!/bin/sh\n'''exec'[ ]([\"']?)(/[^\n\"']+)\1[ ]")


def script_faults(env: PythonEnv, context: Context) -> dict[str, str]:
    """Return the facts of a virtual environment whose programs run elsewhere, or not at all.

    ``scripts-need`` is an interpreter that does not exist, ``scripts-run`` that of another
    virtual environment, whose packages are then imported.
    """
    facts: dict[str, str] = {}
    if not env.settings:
        return facts
    folder = context.resolve(f"{env.prefix}/bin")
    looked_at = 0
    for entry in context.children(folder):
        is_script = entry.type in (EntryType.FILE, EntryType.HARDLINK) and entry.mode & 0o111
        if not is_script or entry.size > _LARGEST:
            continue
        looked_at += 1
        program = _interpreter(entry, context) if looked_at <= _MOST else ""
        if not program.startswith("/") or not posixpath.basename(program).startswith("py"):
            continue
        where = posixpath.dirname(program)
        if context.is_gone(program):
            facts.setdefault("scripts-need", program)
        elif context.resolve(where) != folder and _is_venv(where, context):
            facts.setdefault("scripts-run", program)
    return facts


def _is_venv(programs: str, context: Context) -> bool:
    return context.exists(f"{posixpath.dirname(programs)}/pyvenv.cfg")


def _interpreter(entry: Entry, context: Context) -> str:
    stream = context.open(entry)
    if stream is None:
        return ""
    with stream:
        head = stream.read(_HEAD)
    long = _OVER_SHELL.match(head)
    return from_bytes(long[2]) if long else parse_interpreter(head)
