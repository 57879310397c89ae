"""What the tests of situations share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.conftest import Cli
from tests.pairs import Pair, Root


def give(root: Root, name: str, number: int) -> None:
    """Give a path, and all that is below it, to an account."""
    path = root.path / name
    for each in (path, *path.rglob("*")):
        os.chown(each, number, number)


def rules(pair: Pair) -> dict[str, str]:
    """Return key -> rule of each change that counts."""
    return {change["key"]: change["rule"] for change in pair.changes()}


def text(pair: Pair, envlock: Cli) -> str:
    """Return the report for people."""
    targets = (f"dir:{pair.good.path}", f"dir:{pair.bad.path}")
    return envlock("diff", *targets, status=None).out


def coverage(root: Root, section: str, envlock: Cli, folder: Path) -> dict[str, Any]:
    """Return the coverage of a section of a root."""
    lock = folder / "one.lock"
    envlock("capture", f"dir:{root.path}", "-o", str(lock), "-q", status=None)
    return envlock("show", str(lock), "--json").json["coverage"][section]
