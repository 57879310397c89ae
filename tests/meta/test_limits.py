"""The page of limits states the numbers of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/limits.md"
ROWS = re.findall(r"^\| (.+?) \| ([0-9,]+)[^|]* \| `([\w.]+)` \|$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("what", "number", "name"), ROWS)
def test_a_number_is_that_of_the_code(what: str, number: str, name: str) -> None:
    parts = name.split(".")
    at = next(at for at, part in enumerate(parts) if part.upper() == part)
    found = importlib.import_module(".".join(["envlock", *parts[:at]]))
    for part in parts[at:]:
        found = getattr(found, part)
    assert found == int(number.replace(",", "")), what


def test_every_row_is_compared() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len([row for row in rows if not row.startswith("| what |")])
    assert len(ROWS) > 30
