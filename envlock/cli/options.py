"""Options and operands that several verbs share, each declared once."""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.report.formats import FORMATS


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "-q", "--quiet", action="store_true", help="print only errors and warnings, no summaries"
    )
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


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add ``--root``."""
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="ROLE=ROOT",
        help="where an application begins, such as app=python:.venv or web=service:nginx; "
        "may be repeated",
    )


def add_role(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--root`` of verbs that take a role of a lock."""
    parser.add_argument("--root", metavar="ROLE", default="", help=text)


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Add ``--trace``."""
    parser.add_argument(
        "--trace",
        action="append",
        default=[],
        metavar="ROLE=FILE",
        help="a file of envlock trace: what it names belongs to that application; may be repeated",
    )


def add_today(parser: argparse.ArgumentParser) -> None:
    """Add ``--today``."""
    parser.add_argument(
        "--today",
        metavar="DATE",
        help="date used to decide whether a waiver has expired "
        "(SOURCE_DATE_EPOCH, else the clock, in UTC)",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add ``--policy``, ``--baseline`` and ``--today``."""
    parser.add_argument(
        "--policy",
        metavar="FILE",
        help="take the whole policy from this envlock.toml, or from git:REV:PATH",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="file of accepted differences (diff.baseline)"
    )
    add_today(parser)


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--format``, ``--json`` and ``--output``, which may be repeated in pairs."""
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        action="append",
        dest="reports",
        help="format of the report (text); repeat it together with --output to write several",
    )
    parser.add_argument(
        "--json", action="append_const", const="json", dest="reports", help="same as --format json"
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        action="append",
        dest="reports",
        help="write the report of the preceding --format to this file",
    )
