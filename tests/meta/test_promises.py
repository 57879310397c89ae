"""Every promise of the security page names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/explanation/security.md"
_NAMED = re.compile(r"`(test_\w+)`")


def test_each_promise_names_a_test_that_exists() -> None:
    promises = PAGE.read_text(encoding="utf-8").partition("## Promises")[2].partition("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 8
    modules = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    defined = set(re.findall(r"def (test_\w+)\(", "\n".join(modules)))
    for row in rows:
        named = _NAMED.findall(row)
        assert named, f"no test is named: {row}"
        assert set(named) <= defined, row


def test_the_page_for_reports_points_to_the_promises() -> None:
    assert "docs/explanation/security.md#promises" in (ROOT / "SECURITY.md").read_text()
