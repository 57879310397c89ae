"""Line numbers of records and facts."""

from __future__ import annotations

import pytest

from envlock.lockfile.lines import Lines

TEXT = b"""\
# head
lock-version = "1.0"

[deb."a:amd64"]
version = "1"
mark = "auto"

[os]
id = "debian"
"""


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (("deb", "a:amd64", "mark"), 6),
        (("deb", "a:amd64"), 4),
        (("deb", "a:amd64", "id"), 4),
        (("os", "", "id"), 9),
        (("deb", "b:amd64", "mark"), None),
    ],
)
def test_a_fact_is_found_else_its_record(asked, line):
    assert Lines.of(TEXT).find(*asked) == line


def test_a_section_begins_at_its_first_record():
    lines = Lines.of(TEXT)
    assert [lines.find_section(name) for name in ("deb", "os", "python")] == [4, 8, None]


def test_any_bytes_have_lines():
    assert Lines.of(b"\xff[\n[os]\r\n").find("os") == 2
