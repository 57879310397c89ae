"""Content is looked up in published packages, the package of the owner first."""

from __future__ import annotations

import pytest

from envlock.materialize.artifacts.members import lookup
from tests.unit.materialize.packages import digest, integrity, tgz_bytes

OWN = tgz_bytes({"a.js": b"shared", "own.js": b"own"})
OTHER = tgz_bytes({"copy/of.js": b"shared", "bin/tool": b"tool", "bin/again": b"tool"})
STATED = [
    ("npm app/own", f"npm own 1.0.0 {integrity(OWN)}"),
    ("npm app/x/node_modules/other", f"npm other 2.0.0 {integrity(OTHER)}"),
]


@pytest.fixture
def find(tmp_path):
    """Return what finds the packages, written to a folder."""

    def find(wanted):
        found = {}
        for artifact, content in zip(wanted, (OWN, OTHER), strict=False):
            found[artifact] = tmp_path / artifact.filename
            found[artifact].write_bytes(content)
        return found

    return find


def test_the_own_package_is_preferred(find, tmp_path):
    source = lookup(STATED, find, tmp_path)
    assert source("npm app/own", digest(b"shared")) == "npm app/own a.js"
    other = "npm app/x/node_modules/other"
    assert source(other, digest(b"shared")) == f"{other} copy/of.js"
    assert source(other, digest(b"tool")) == f"{other} bin/tool"


def test_another_package_serves_what_a_script_copied(find, tmp_path):
    source = lookup(STATED, find, tmp_path)
    there = "npm app/x/node_modules/other bin/tool"
    assert source("npm app/own", digest(b"tool")) == there
    assert source("", digest(b"tool")) == there
    assert source("npm app/own", digest(b"made here")) == ""
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_package_that_is_not_found_or_damaged_serves_nothing(find, tmp_path):
    assert lookup(STATED, lambda _: {}, tmp_path)("npm app/own", digest(b"own")) == ""

    def damaged(wanted):
        found = find(wanted)
        for path in found.values():
            path.write_bytes(path.read_bytes()[:40])
        return found

    assert lookup(STATED, damaged, tmp_path)("npm app/own", digest(b"own")) == ""


def test_words_that_name_no_artifact_are_passed_over(find, tmp_path):
    stated = [
        ("npm app/own", "npm own"),
        ("npm app/own", f"npm own --pre {integrity(OWN)}"),
        ("npm my app/own", f"npm own 1.0.0 {integrity(OWN)}"),
        ("rpm bash", "rpm bash 1 2"),
        ("deb bash", "deb bash 1 2"),
    ]
    asked = []
    lookup(stated, lambda wanted: asked.extend(wanted) or {}, tmp_path)
    assert asked == []
