"""The options of the verb that changes a machine."""

from __future__ import annotations

import argparse

from envlock.cli.options import add_json, add_role

_APPLY = """\
Make a machine like a lock: packages, accounts, files, services, virtual environments.

First the plan is shown: every step in order, risky ones marked. It is done after an answer on a
terminal, with --yes, or with --plan from a file, and exactly as shown; a plan that does not fit the
machine any more is refused. Without a terminal and without --yes, nothing is changed and the status
is 2. Nothing is removed without --remove. Before the first change everything that is replaced is
kept, so that --undo takes a run back and --resume finishes one that was cut off. Afterwards the
machine is captured again, and what is left is listed; the status is then 1.
"""


def apply(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock apply``."""
    parser.description = _APPLY
    parser.add_argument(
        "lock", nargs="?", default="", metavar="LOCK", help="a lockfile, a name, or a target"
    )
    parser.add_argument(
        "target", nargs="?", default="", metavar="TARGET", help="the machine: host, dir:PATH (host)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="only show the plan")
    what.add_argument("--yes", action="store_true", help="do the plan without asking")
    what.add_argument(
        "--undo", nargs="?", const="", metavar="ID", help="take back the last run, or run ID"
    )
    what.add_argument("--resume", action="store_true", help="finish a run that was cut off")
    parser.add_argument("--plan", metavar="FILE", help="do the plan in this file, as it is")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the plan to a file")
    add_role(parser, "only what this application of the lock needs")
    parser.add_argument(
        "--whole", action="store_true", help="everything, not the applications alone"
    )
    for name, text in (("--only", "only this section"), ("--skip", "not this section")):
        parser.add_argument(
            name,
            action="append",
            default=[],
            metavar="SECTION",
            help=f"{text}; may be repeated",
        )
    parser.add_argument(
        "--remove", action="store_true", help="also remove what only the machine has"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="KIND",
        help="permit what is never automatic, by the word that the plan says; may be repeated",
    )
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    parser.add_argument("--all", action="store_true", help="cut no list")
    add_json(parser)
