"""Files that a package owns without a digest: classified as packaged, and searched for secrets."""

import json

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.tree import FileClass
from envlock.store.objects import Store
from envlock.targets.local.filesystem import LocalTarget

TOKEN = "ghp_" + "0123456789abcdef" * 3


@pytest.fixture
def captured(tmp_path):
    folder = tmp_path / "root/srv/shop/node_modules/left-pad"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "left-pad", "version": "1.3.0"}))
    (folder / "index.js").write_text("module.exports = 1\n")
    (folder / "leaked.js").write_text(f"const token = '{TOKEN}'\n")
    (folder.parent / "loose.js").write_text("unowned\n")
    with Store.open(tmp_path / "store") as store:
        target = LocalTarget(tmp_path / "root", "dir:root", is_host=False)
        yield capture(target, collectors(), Request(), store=store), store


def test_a_file_in_the_directory_of_a_package_has_it_as_owner(captured):
    rows = {row.entry.path.rpartition("/")[2]: row for row in captured[0].tree.rows}
    assert rows["index.js"].owner == "npm shop/left-pad"
    assert rows["index.js"].file_class is FileClass.PACKAGE
    assert rows["index.js"].source.startswith("blob ")
    assert (rows["loose.js"].owner, rows["loose.js"].file_class) == ("", FileClass.UNOWNED)


def test_a_secret_in_such_a_file_is_found(captured):
    found, store = captured
    path = "/srv/shop/node_modules/left-pad/leaked.js"
    assert found.left_out == {}, "only the token is taken out"
    (row,) = (row for row in found.tree.rows if row.entry.path == path)
    assert row.source == f"redacted {row.entry.sha256}"
    store.commit()
    kept = [store.read(sha256) for sha256, _ in store.objects()]
    assert kept
    assert not any(TOKEN.encode() in content for content in kept)
