"""A capture asks whoever has packages once, and only for what they alone can tell."""

from __future__ import annotations

import pytest

from envlock.capture.files.ownership import Claim
from envlock.capture.published import Members, Published
from envlock.model.tree import Entry, EntryType, FileClass, Row

SHA = "ab" * 32
FOUND = "wheel app/a member"


def row(path, source=f"blob {SHA}"):
    return Row(Entry(path, EntryType.FILE, sha256=SHA), FileClass.PACKAGE, "python app/a", source)


class Shelf:
    """Has what is on it; remembers what it was asked for."""

    def __init__(self, found, *, knows_all):
        self.asked = []
        self.found = found
        self.published = Published(self.look, knows_all=knows_all)

    def look(self, stated, repositories):
        self.asked.append(list(stated))
        self.repositories = repositories
        return lambda owner, sha256: self.found.get((owner, sha256), "")


def members(claim, shelf):
    return Members(shelf.published, {"/x": claim})


NPM = Claim("npm app/a", artifact="npm a 1.0.0 sha1-x")
SURE = Claim("python app/a", digest=f"sha256:{SHA}", source=FOUND)
UNSURE = SURE._replace(artifact="wheel a 1 a-1-py3-none-any.whl 3")
MOVED = Claim("python app/a", digest=f"sha256:{SHA}", moved=FOUND)


def test_the_packages_of_all_claims_are_asked_for_once():
    shelf = Shelf({("npm app/a", SHA): "npm app/a index.js"}, knows_all=False)
    found = Members(shelf.published, {"/x": NPM, "/y": NPM, "/z": UNSURE, "/w": MOVED})
    for path in ("/x", "/y"):
        source = found.source(row(path)._replace(owner="npm app/a"), lambda: b"")
        assert source == "npm app/a index.js"
    assert shelf.asked == [[("npm app/a", "npm a 1.0.0 sha1-x")]]


@pytest.mark.parametrize("knows_all", [False, True])
def test_without_content_by_value_nobody_is_asked(knows_all):
    shelf = Shelf({}, knows_all=knows_all)
    assert members(SURE, shelf).held(row("/x", FOUND)) == row("/x", FOUND)
    assert shelf.asked == []


def test_a_package_that_may_not_exist_is_trusted_unless_all_are_known():
    by_reference, by_value = row("/x", FOUND), row("/x")
    assert members(UNSURE, Shelf({}, knows_all=False)).held(by_reference) == by_reference
    assert members(UNSURE, Shelf({}, knows_all=True)).held(by_reference) == by_value
    there = Shelf({("python app/a", SHA): FOUND}, knows_all=True)
    assert members(UNSURE, there).held(by_reference) == by_reference


@pytest.mark.parametrize("claim", [NPM, UNSURE])
def test_a_directory_of_a_package_is_never_read(claim):
    directory = Row(Entry("/x", EntryType.DIRECTORY), FileClass.PACKAGE, claim.owner, "")
    shelf = Shelf({}, knows_all=True)
    assert members(claim, shelf).held(directory) == directory
    assert shelf.asked == []


@pytest.mark.parametrize(
    ("claim", "beginning", "source"),
    [
        (MOVED, b"\x7fELF", FOUND),
        (MOVED, b"#!/srv/app/bin/python", ""),
        (MOVED._replace(digest=f"sha256:{'cd' * 32}"), b"\x7fELF", ""),
        (MOVED._replace(artifact=UNSURE.artifact), b"\x7fELF", ""),
    ],
)
def test_what_was_moved_out_of_a_wheel_is_a_reference_unless_it_is_a_script(
    claim, beginning, source
):
    assert members(claim, Shelf({}, knows_all=True)).source(row("/x"), lambda: beginning) == source
