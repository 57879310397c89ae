"""Options and operands that several verbs share, each declared once."""

from __future__ import annotations

import argparse


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb."""
    group = parser.add_argument_group("everywhere")
    group.add_argument("-q", "--quiet", action="store_true", help="print only errors and warnings")
    group.add_argument(
        "-v", "--verbose", action="store_true", help="print details on standard error"
    )
    group.add_argument(
        "--color", choices=("auto", "always", "never"), help="when to color output (auto)"
    )
    group.add_argument(
        "--jobs", metavar="N", type=int, help="how many files to read at once (as many as CPUs)"
    )
    group.add_argument("--store", metavar="DIR", help="directory of the store")
    group.add_argument("--config", metavar="FILE", help="use this envlock.toml")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def add_lock(parser: argparse.ArgumentParser, name: str = "lock", text: str = "") -> None:
    """Add a LOCK operand."""
    text = text or "a lockfile, a name from envlock.toml, git:REV:PATH, or a target"
    parser.add_argument(name, metavar=name.upper(), help=text)
