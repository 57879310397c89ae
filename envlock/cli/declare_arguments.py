"""Options of ``envlock lock``."""

from __future__ import annotations

import argparse

from envlock.cli.options import add_json

_LOCK = """\
Install the environment that [declare.NAME] in envlock.toml describes, and write its lock.

Its packages are chosen and installed once, in a sandbox, by mmdebstrap, apt, pip and npm, from the
sources of this machine or the mirrors that are declared; nothing else uses the network. The result
is captured into locks/NAME.lock. What moved against the lock that is there is shown first. From
then on every rebuild uses the lock.
"""


def lock(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock lock``."""
    parser.description = _LOCK
    parser.add_argument("name", metavar="NAME", help="a declaration of envlock.toml")
    parser.add_argument(
        "--frozen",
        action="store_true",
        help="install nothing; end with 1 if the lock was not made from this declaration",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would move, and keep the lock"
    )
    parser.add_argument(
        "--upgrade",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="move only this package and what it needs; may be repeated",
    )
    add_json(parser)
