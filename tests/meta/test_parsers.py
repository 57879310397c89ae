"""JSON and TOML of others are parsed in one place, within limits."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "envlock"
ALLOWED = {
    "model/document.py": "is that place",
    "model/cuda.py": "reads a table of envlock itself",
    "lockfile/schema/__init__.py": "reads the schema of envlock itself",
    "config/toml_position.py": "reads the beginning of a document that was parsed before",
    "targets/remote/ssh_remote.py": "runs without envlock, and reads what envlock sends",
    "materialize/sinks/archive.py": "reads what envlock wrote just before",
    "diff/file_settings.py": "reads one string of a document that was parsed before",
}
PARSERS = {"json.loads", "json.load", "tomllib.loads", "tomllib.load", "ElementTree.parse"}


def test_documents_are_parsed_within_limits() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PARSERS
    }
    assert found == set(ALLOWED)
