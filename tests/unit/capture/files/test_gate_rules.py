"""A mark in the cache that a file is clean lasts until any module changes that decided it."""

from __future__ import annotations

import ast
from pathlib import Path

import envlock
from envlock.capture.files.gate_rules import DECIDING, gate_rules_id
from envlock.secrets.rules_id import rules_id

ROOT = Path(envlock.__file__).parent


def imported(module: Path) -> set[str]:
    """Return the modules of envlock that a module imports, as paths below the package."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("envlock."):
            names = [f"{node.module}.{each.name}" for each in node.names] + [str(node.module)]
            paths = [name.removeprefix("envlock.").replace(".", "/") + ".py" for name in names]
            found |= {path for path in paths if (ROOT / path).is_file()}
    return found


def test_every_module_that_the_search_in_archives_needs_is_covered():
    todo, needed = ["capture/files/packed_secrets.py"], set()
    while todo:
        name = todo.pop()
        if name not in needed and not name.startswith(("model/", "secrets/", "errors")):
            needed.add(name)
            todo += imported(ROOT / name)
    assert len(needed) > 5
    assert needed | {"capture/files/content_gate.py"} == set(DECIDING)


def test_the_number_stands_for_more_than_the_rules_about_secrets():
    assert gate_rules_id() not in (0, rules_id())
