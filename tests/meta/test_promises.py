"""Every promise of the security page, and every situation, names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SECURITY = ROOT / "docs/explanation/security.md"
SITUATIONS = ROOT / "docs/explanation/situations.md"
_NAMED = re.compile(r"`(test_\w+)`")


@pytest.mark.parametrize(
    ("page", "start", "end"), [(SECURITY, "## Promises", "\n## "), (SITUATIONS, "\n## ", "\0")]
)
def test_each_promise_names_a_test_that_exists(page: Path, start: str, end: str) -> None:
    promises = page.read_text(encoding="utf-8").partition(start)[2].partition(end)[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.endswith(("| test |", "| kept by |"))]
    assert len(rows) > 5
    modules = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    defined = set(re.findall(r"def (test_\w+)\(", "\n".join(modules)))
    for row in rows:
        named = _NAMED.findall(row)
        assert named, f"no test is named: {row}"
        assert set(named) <= defined, row


def test_the_page_for_reports_points_to_the_promises() -> None:
    assert "docs/explanation/security.md#promises" in (ROOT / "SECURITY.md").read_text()
