"""The plan names the artifacts of a rebuild, and every row that cannot be rebuilt."""

from __future__ import annotations

import pytest

from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.plan import make_plan, missing_artifacts
from envlock.model.lock import Lock
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.store.objects import Store
from tests.unit.materialize.packages import digest

WHEEL = "a-1-py3-none-any.whl"
LOCK = Lock(
    sections={
        "deb": {"tool:amd64": {"version": "1"}},
        "python": {"app/a": {"version": "1", "artifact": WHEEL}},
    }
)
DEB = Deb("tool", "1", "amd64", "tool")


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def row(path, source, content=b"x", kind=EntryType.FILE):
    entry = Entry(path, kind, size=len(content), sha256=digest(content))
    return Row(entry, FileClass.PACKAGE, "", source)


def plan(store, *rows, derived=()):
    return make_plan(rows, LOCK, store, derived)


def test_rows_are_grouped_by_their_artifact(store):
    one, two = row("/bin/a", "deb tool:amd64 bin/a"), row("/bin/b", "deb tool:amd64 bin/b")
    module = row("/srv/a.py", "wheel app/a a.py")
    found = plan(store, one, module, two)
    assert found.artifacts == {DEB: [one, two], Wheel("a", "1", WHEEL, "3"): [module]}
    assert found.blockers == ()


def test_rows_without_content_need_nothing(store):
    rows = (
        row("/d", "", kind=EntryType.DIRECTORY),
        row("/l", "", kind=EntryType.SYMLINK),
        row("/empty", "blob " + digest(b""), content=b""),
        row("/etc/shadow", "derive shadow"),
    )
    assert plan(store, *rows, derived=["/etc/shadow"]) == ({}, ())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (f"blob {digest(b'x')}", f"its content (sha256:{digest(b'x')[:12]}) is not in this store"),
        ("observed", "the capture did not keep its content"),
        ("deb gone:amd64 x", "the lock does not describe its source 'deb gone:amd64 x'"),
        ("rpm tool x", "the lock does not describe its source 'rpm tool x'"),
        ("wheel app x\n", "the lock does not describe its source 'wheel app x\\\\x0a'"),
    ],
)
def test_a_row_without_a_source_is_a_blocker_unless_the_store_has_it(store, source, reason):
    assert plan(store, row("/srv/\n", source)).blockers == (f"/srv/\\x0a: {reason}",)
    store.put(b"x")
    assert plan(store, row("/srv/\n", source)) == ({}, ())


def test_a_row_without_a_digest_is_a_blocker(store):
    lost = row("/srv/x", "blob 00")
    lost = lost._replace(entry=lost.entry._replace(sha256=""))
    assert plan(store, lost).blockers == ("/srv/x: the capture did not keep its content",)


def test_a_missing_artifact_is_a_blocker_unless_the_store_has_its_files(store):
    rows = [row("/a", "deb tool:amd64 a", b"a"), row("/b", "deb tool:amd64 b", b"b")]
    found = plan(store, *rows)
    store.put(b"a")
    assert missing_artifacts(found, [DEB], store) == [DEB]
    assert missing_artifacts(found, [], store) == []
    store.put(b"b")
    assert missing_artifacts(found, [DEB], store) == []
