"""The options of the verbs for upkeep, and of those that git and shells call.

A function here is named for its verb, as in `envlock.cli.arguments`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.cli.options import add_json

SHELLS = ("bash", "fish", "zsh")


_SCAN = """\
Search locks, stores, images, recordings, reports or any files and directories for secrets. Archives
and compressed files are looked into. Each hit is told by file, place and rule, never by its value.

Ends with 6 if there is a hit, and with 3 if there is none but something could not be searched.
"""


def scan(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock scan``."""
    parser.description = _SCAN
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", type=Path, help="a file or directory to search"
    )
    add_json(parser)


_GRACE_SECONDS = 3600


def store(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock store``."""
    parser.add_argument(
        "action",
        choices=("check", "gc", "stats"),
        help="check: find damaged objects; gc: remove unused objects; stats: print sizes",
    )
    parser.add_argument(
        "--read-data", action="store_true", help="check: also read and hash every object"
    )
    parser.add_argument(
        "--grace",
        type=_count,
        default=_GRACE_SECONDS,
        metavar="SECONDS",
        help="gc: keep objects younger than this (3600)",
    )
    parser.add_argument(
        "--unused",
        type=_count,
        metavar="DAYS",
        help="gc: also remove environments not captured, compared or rebuilt for this long",
    )
    parser.add_argument(
        "--repository",
        action="store_true",
        help="gc: remove only files in objects/ beside the locks that no lock needs",
    )
    parser.add_argument(
        "--force", action="store_true", help="gc: remove objects even if no environment is kept"
    )
    add_json(parser)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number of 0 or more: {text!r}")
    return int(text)


_OPERANDS = {
    "base": "the common ancestor",
    "ours": "the current version, which is overwritten with the result",
    "theirs": "the version to merge",
}

_MERGE_DRIVER = """\
Called by git, which passes the three versions of a lock; the result replaces OURS. Set it up with

  git config merge.envlock.driver "envlock merge-driver %O %A %B"

Records that only one side changed are merged. A record that both sides changed differently is put
between conflict markers, and git reports a conflict. A file that is not a lock is merged as text.
"""


def merge_driver(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock merge-driver``."""
    parser.description = _MERGE_DRIVER
    for name, text in _OPERANDS.items():
        parser.add_argument(name, type=Path, metavar=name.upper(), help=text)


_GIT_TEXTCONV = """\
Called by git, which passes a file and compares the output: one fact a line, each with the record it
belongs to. A file that is not a lock is printed unchanged. Set it up with

  git config diff.envlock.textconv "envlock git-textconv"
"""


def git_textconv(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock git-textconv``."""
    parser.description = _GIT_TEXTCONV
    parser.add_argument("file", type=Path, metavar="FILE", help="the lock, which git passes")


_KEY = """\
Make a key by which variables whose values are not recorded can be compared.

The key is a file in the configuration directory of the user, which only the user can read. With its
name in capture.key, a capture records a keyed fingerprint of each long, random value, so that a
comparison of locks says whether it differs. Nothing can be learned from a fingerprint without the
key. Copy the file to each machine that captures, and never into the repository.
"""


def key(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock key``."""
    parser.description = _KEY
    parser.add_argument("name", nargs="?", default="default", metavar="NAME", help="(default)")


def completion(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock completion``."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to complete in")
