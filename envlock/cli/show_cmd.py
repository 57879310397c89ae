"""``envlock show``: print a lock, as a summary or in full."""

from __future__ import annotations

import argparse
import json

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.operands import lock_and_bytes
from envlock.errors import ExitStatus, UsageError
from envlock.report.lock import lock_document, render_lock_summary, render_sections


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print a summary, some sections in full, or the lock as JSON."""
    lock, raw = lock_and_bytes(arguments.lock, read_config(arguments, console), console)
    for name in arguments.sections:
        if name not in lock.sections and name != "coverage":
            present = ", ".join(lock.sections)
            raise UsageError(f"the lock has no section {name}", hint=f"its sections are {present}")
    if arguments.json:
        document = lock_document(lock, tuple(arguments.sections), raw=raw)
        console.out(json.dumps(document, indent=2, ensure_ascii=True))
    elif arguments.sections:
        console.out(render_sections(lock, tuple(arguments.sections)))
    else:
        console.out(render_lock_summary(lock, color=console.color))
    return ExitStatus.OK
