"""An index of folders says what one of entries says, whatever is asked of it."""

from __future__ import annotations

import os
import re

import pytest

from envlock.capture.discover.candidates import may_be_software
from envlock.capture.scan.index import Index
from envlock.model.glob import GlobSet
from envlock.model.tree import EntryType
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import directory


@pytest.fixture
def root(tmp_path):
    for folder in ("etc/app/cache", "opt/app", "opt/app-2", "srv/empty", "a\nb"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/app/app.conf").write_text("x = 1\n")
    (tmp_path / "etc/app/cache/old").write_text("y")
    (tmp_path / "etc/app/link").symlink_to("app.conf")
    (tmp_path / "opt/app/run").write_text("#!/bin/sh\n")
    (tmp_path / "opt/app/run").chmod(0o755)
    os.link(tmp_path / "opt/app/run", tmp_path / "opt/app-2/run")
    (tmp_path / "opt/app/lib.so.1").write_bytes(b"")
    (tmp_path / "a\nb/odd\udcff").write_text("z" * 10)
    os.mkfifo(tmp_path / "srv/pipe")
    return tmp_path


PLANS = {
    "everything": {},
    "configuration": {"hashes": GlobSet(("/etc/**",), but_not=("**/cache/**",))},
    "names": {"digest": False},
    "one name": {"hashes": GlobSet(("/opt/app-2/run",))},
    "less": {"prune": re.compile(r"/etc/app/cache\Z|/opt/app/lib")},
}


@pytest.fixture(params=PLANS.values(), ids=PLANS)
def indices(root, request):
    """An index made of what a walk tells at once, and one of every entry."""
    target, whole = directory(root), Index()
    for found in target.walk(ScanPlan(**request.param)):
        whole.add(found)
    return whole, Index.of(target.scan(ScanPlan(**request.param)))


def test_every_path_has_the_same_entry(indices):
    whole, single = indices
    assert dict(whole) == dict(single)
    assert sorted(whole.entries()) == sorted(single.entries())
    assert len(whole) == len(single)
    assert whole.size() == single.size()
    for path in ("/gone", "/etc/gone", "/gone/x", "etc", "", "//", "/etc/"):
        assert path not in whole
        assert whole.link(path) is None


def test_what_is_wanted_is_found_in_both(indices):
    whole, single = indices
    for globs in (("/etc/**",), ("**/run",), ("/",), ("/opt/**", "**/*.conf"), ()):
        wanted = GlobSet(globs)
        expected = {path for path in single if wanted(path)}
        assert set(whole.paths(wanted)) == set(single.paths(wanted)) == expected
        assert {entry.path for entry in whole.entries(wanted)} == expected


def test_what_is_picked_and_where_links_lead_are_the_same(indices):
    whole, single = indices
    picked = set(whole.pick(may_be_software))
    assert picked == set(single.pick(may_be_software))
    assert {"/opt/app/run", "/opt/app-2/run"} <= picked
    links = {p: e.target for p, e in single.items() if e.type is EntryType.SYMLINK}
    assert {p: whole.link(p) for p in whole if whole.link(p) is not None} == links


def test_a_file_with_several_names_is_read_when_one_is_asked_for(root):
    plan = ScanPlan(hashes=GlobSet(("/opt/app/**",)))
    index = Index.of(directory(root).scan(plan))
    assert index["/opt/app-2/run"].sha256, "the first of its names, and no one asked for it"
    assert index["/opt/app/run"].target == "/opt/app-2/run"
