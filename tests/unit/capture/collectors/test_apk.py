"""The apk collector on a root with a database in the form that apk writes."""

import base64
import hashlib
import os
import shutil
import stat
from pathlib import Path

import pytest

from envlock.model.depth import Depth
from envlock.model.tree import FileClass


def checksum(path: Path, algorithm: str) -> str:
    content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    number = {"sha1": "Q1", "sha256": "Q2"}[algorithm]
    return number + base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def database(root: Path, algorithm: str) -> str:
    """Return the stanza of a package that owns everything in `root`."""
    lines = ["P:tool", "V:1.0-r0", "A:x86_64"]
    for folder, _, names in sorted(os.walk(root)):
        status = os.lstat(folder)
        lines.append(f"F:{os.path.relpath(folder, root) if folder != str(root) else ''}")
        lines.append(f"M:{status.st_uid}:{status.st_gid}:{stat.S_IMODE(status.st_mode):o}")
        links = [n for n in os.listdir(folder) if os.path.islink(f"{folder}/{n}")]
        for name in sorted({*names, *links}):
            path = Path(folder, name)
            status = os.lstat(path)
            lines += [
                f"R:{name}",
                f"a:{status.st_uid}:{status.st_gid}:{stat.S_IMODE(status.st_mode):o}",
                f"Z:{checksum(path, algorithm)}",
            ]
    return "\n".join(lines) + "\n\n"


@pytest.fixture(params=["sha1", "sha256"])
def root(tmp_path, request):
    root = tmp_path / "root"
    for folder in ("bin", "etc/init.d", "opt/data"):
        (root / folder).mkdir(parents=True)
    (root / "bin/tool").write_text("tool\n")
    (root / "bin/link").symlink_to("tool")
    (root / "bin/folder-link").symlink_to("../opt")
    (root / "etc/tool.conf").write_text("a=1\n")
    (root / "etc/init.d/tool").write_text("#!/bin/sh\n")
    (root / "opt/data/ä").write_text("x\n")
    text = database(root, request.param)
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "lib/apk/db/installed").write_text(text)
    return root


def test_an_unmodified_root_has_no_file_records(root, captured):
    found = captured(root)
    assert "file" not in found.lock.sections
    rows = {row.entry.path: row for row in found.tree.rows}
    assert rows["/etc/tool.conf"].file_class is FileClass.CONFFILE
    assert rows["/etc/init.d/tool"].file_class is FileClass.PACKAGE
    assert rows["/opt/data/ä"].owner == "apk tool"
    assert rows["/lib/apk/db/installed"].file_class is FileClass.GENERATED


def test_drift_is_recorded(root, captured):
    (root / "bin/tool").write_text("edited\n")
    (root / "bin/link").unlink()
    (root / "bin/link").symlink_to("/opt/evil")
    (root / "etc/tool.conf").write_text("a=2\n")
    (root / "etc/init.d/tool").chmod(0o4755)
    (root / "opt/data").chmod(0o777)
    shutil.rmtree(root / "opt/data/ä", ignore_errors=True)
    (root / "opt/data/ä").unlink()
    files = captured(root).lock.sections["file"]
    assert {path: facts["class"] for path, facts in files.items()} == {
        "/bin/tool": "package-modified",
        "/bin/link": "package-modified",
        "/etc/tool.conf": "conffile-modified",
        "/etc/init.d/tool": "package",
        "/opt/data": "package",
        "/opt/data/ä": "package-missing",
    }
    assert files["/etc/init.d/tool"]["packaged-mode"] == "0644"
    assert files["/opt/data"]["packaged-mode"] == "0755"


def test_a_merged_usr_is_followed(root, captured):
    (root / "usr").mkdir()
    shutil.move(root / "bin", root / "usr/bin")
    (root / "bin").symlink_to("usr/bin")
    files = captured(root).lock.sections["file"]
    assert {path: facts["class"] for path, facts in files.items()} == {"/bin": "package-modified"}
    assert files["/bin"]["packaged-type"] == "directory"


def test_the_stat_cache_holds_both_digests(root, tmp_path):
    """A second capture takes the digest of apk's algorithm from the cache as well."""
    from envlock.capture.engine import capture
    from envlock.capture.registry import collectors
    from envlock.capture.request import Request
    from envlock.store.objects import Store
    from envlock.store.statcache import StatCache
    from envlock.targets.local.filesystem import LocalTarget

    target = LocalTarget(root, "dir:root", is_host=False)
    found = []
    later = 10**19
    with Store.open(tmp_path / "cached") as store:
        for _ in range(2):
            with StatCache(store.stat_cache, "dir:root", lambda: later) as cache:
                run = capture(target, collectors(), Request(), store=store, cache=cache)
                found.append(run.lock)
    assert found[0] == found[1]
    assert "file" not in found[1].sections


def test_records_need_no_scan(root, captured):
    found = captured(root, depth=Depth.RECORDS).lock
    assert found.sections["apk"] == {"tool": {"version": "1.0-r0", "arch": "x86_64"}}
