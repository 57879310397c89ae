"""Content is found in real packages, and verified when it is read."""

from __future__ import annotations

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.plan import Plan
from envlock.materialize.artifacts.unpacked import Member, read_member
from envlock.materialize.tree.rebuild import Rebuild
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.store.objects import Store
from tests.unit.materialize.packages import deb_bytes, digest, write_wheel

DEB = Deb("tool", "1", "all", "tool")
WHEEL = Wheel("a", "1", "a-1-py3-none-any.whl", "3")
TOOL, MODULE = b"#!/bin/sh\n", b"x = 1\n"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def paths(tmp_path):
    deb = tmp_path / DEB.filename
    deb.write_bytes(deb_bytes({"./bin/tool": TOOL}))
    return {DEB: deb, WHEEL: write_wheel(tmp_path / WHEEL.filename, {"a.py": MODULE})}


def row(path, source, content):
    entry = Entry(path, EntryType.FILE, size=len(content), sha256=digest(content))
    return Row(entry, FileClass.PACKAGE, "", source)


TOOL_ROW = row("/bin/tool", "deb tool:all bin/tool", TOOL)
MODULE_ROW = row("/srv/a.py", "wheel app/a a.py", MODULE)


@pytest.fixture
def rebuild(store):
    opened = Rebuild(store, {"/etc/shadow": b"root:*::\n"})
    yield opened
    opened.close()


def read(rebuild, row):
    return b"".join(rebuild.chunks(row))


def test_content_comes_from_packages_the_store_and_the_normaliser(rebuild, store, paths):
    plan = Plan({DEB: [TOOL_ROW], WHEEL: [MODULE_ROW]}, ())
    assert rebuild.prepare(plan, paths) == {}
    blob = row("/srv/value", f"blob {store.put(b'value')}", b"value")
    derived = row("/etc/shadow", "derive shadow", b"root:*::\n")
    assert [read(rebuild, r) for r in (TOOL_ROW, MODULE_ROW, blob, derived)] == [
        TOOL,
        MODULE,
        b"value",
        b"root:*::\n",
    ]
    assert read(rebuild, row("/empty", "", b"")) == b""


def test_a_kept_layer_that_was_deleted_meanwhile_is_done_without(store, paths):
    def gone(_sha256):
        return read_member(store.cache / "gone", Member(0, 1, ""))

    rebuild = Rebuild(store, {}, find=gone)
    try:
        rebuild.prepare(Plan({DEB: [TOOL_ROW]}, ()), paths)
        assert read(rebuild, TOOL_ROW) == TOOL
    finally:
        rebuild.close()


def test_content_that_a_package_lacks_is_a_blocker(rebuild, paths):
    edited = row("/bin/tool", "deb tool:all bin/tool", b"edited")
    absent = row("/srv/\n", "wheel app/a b.py", b"b")
    plan = Plan({DEB: [edited], WHEEL: [absent, MODULE_ROW]}, ())
    assert rebuild.prepare(plan, paths) == {
        DEB: ["/bin/tool: deb tool:all 1 does not contain it"],
        WHEEL: ["/srv/\\x0a: wheel a-1-py3-none-any.whl does not contain it"],
    }


def test_the_store_replaces_what_a_package_lacks(rebuild, store, paths):
    edited = row("/bin/tool", "deb tool:all bin/tool", b"edited")
    store.put(b"edited")
    assert rebuild.prepare(Plan({DEB: [edited]}, ()), paths) == {}
    assert read(rebuild, edited) == b"edited"


def test_the_store_replaces_a_package_that_was_not_fetched(rebuild, store):
    store.put(TOOL)
    assert rebuild.prepare(Plan({DEB: [TOOL_ROW]}, ()), {}) == {}
    assert read(rebuild, TOOL_ROW) == TOOL


def test_every_damaged_package_is_a_blocker(rebuild, paths):
    for path in paths.values():
        path.write_bytes(path.read_bytes()[:50])
    plan = Plan({DEB: [TOOL_ROW], WHEEL: [MODULE_ROW]}, ())
    faults = rebuild.prepare(plan, paths)
    assert [*faults] == [DEB, WHEEL]
    assert faults[DEB][0].startswith("deb tool:all 1: not a complete Debian package: ")
    assert faults[WHEEL][0].startswith("wheel a-1-py3-none-any.whl: not a complete wheel: ")


def test_a_package_that_changes_later_is_an_error(rebuild, store, paths):
    rebuild.prepare(Plan({DEB: [TOOL_ROW]}, ()), paths)
    (unpacked,) = store.cache.glob(".envlock-*/*.tar")
    raw = unpacked.read_bytes()
    unpacked.write_bytes(raw.replace(TOOL, b"#!/bin/no\n"))
    with pytest.raises(MaterializeError, match="not the content locked") as caught:
        read(rebuild, TOOL_ROW)
    assert caught.value.where == "/bin/tool"
    unpacked.write_bytes(raw[: raw.index(TOOL) + 3])
    with pytest.raises(MaterializeError, match="became shorter"):
        read(rebuild, TOOL_ROW)
    unpacked.unlink()
    with pytest.raises(MaterializeError, match="No such file"):
        read(rebuild, TOOL_ROW)


def test_a_package_whose_members_are_known_is_decompressed_when_it_is_read(store, paths):
    plan = Plan({DEB: [TOOL_ROW]}, ())
    for is_first in (True, False):
        again = Rebuild(store, {})
        assert again.prepare(plan, paths) == {}
        assert bool([*store.cache.glob(".envlock-*/*.tar")]) is is_first
        assert read(again, TOOL_ROW) == TOOL
        again.close()
        assert [path.name for path in store.cache.iterdir()] == ["members"]


def test_what_an_earlier_image_has_is_not_decompressed_again(store, paths):
    plan = Plan({DEB: [TOOL_ROW]}, ())
    first = Rebuild(store, {})
    first.prepare(plan, paths)
    first.close()
    again = Rebuild(store, {}, find={digest(TOOL): lambda: [TOOL]}.get)
    again.prepare(plan, paths)
    assert read(again, TOOL_ROW) == TOOL
    assert list(store.cache.glob(".envlock-*/*.tar")) == []
    again.close()


def test_a_package_that_was_damaged_since_its_members_are_known_is_an_error(store, paths):
    plan = Plan({DEB: [TOOL_ROW]}, ())
    Rebuild(store, {}).prepare(plan, paths)
    again = Rebuild(store, {})
    assert again.prepare(plan, paths) == {}
    paths[DEB].write_bytes(bytes(paths[DEB].stat().st_size))
    with pytest.raises(MaterializeError, match="no ar archive"):
        read(again, TOOL_ROW)
    again.close()


def test_content_that_is_nowhere_is_an_error(rebuild):
    with pytest.raises(MaterializeError, match="the store lacks an object"):
        read(rebuild, row("/srv/x", f"blob {digest(b'x')}", b"x"))


def test_content_of_another_length_is_an_error(rebuild, store):
    store.put(b"value")
    short = row("/srv/x", "blob", b"value")
    short = short._replace(entry=short.entry._replace(size=4))
    with pytest.raises(MaterializeError, match="not the content locked"):
        read(rebuild, short)
