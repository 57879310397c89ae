"""The paths of gaps in the coverage: few, never too little, and none if one is not a path."""

from envlock.capture.gap_paths import MOST, unread_paths, where_it_matters
from envlock.diff.locations import hides
from envlock.model.coverage import Gap
from envlock.targets.base import IGNORED


def gaps(*paths):
    return [Gap(path, "permission denied") for path in paths]


def test_what_is_below_another_gap_is_left_out():
    assert unread_paths(gaps("/root", "/root/.ssh", "/etc/shadow")) == "/etc/shadow /root"
    assert unread_paths(gaps("/rootless", "/root")) == "/root /rootless"
    assert unread_paths([]) == ""


def test_a_gap_without_a_path_makes_all_unknown():
    for odd in ("python", "file x", "/", "/a b", "/a\nb"):
        assert unread_paths(gaps("/root", odd)) == ""


def test_many_become_their_directories_and_still_hide_each_path():
    many = [f"/home/u{n}/.cache/x{m}" for n in range(3) for m in range(100)]
    paths = [*many, "/etc/shadow", "/root"]
    named = unread_paths(gaps(*paths)).split()
    assert len(named) <= MOST
    assert {"/etc/shadow", "/root", "/home/u0/.cache"} <= {*named}
    assert all(hides(named, path) for path in paths)
    assert not hides(named, "/etc/passwd")
    assert unread_paths(gaps(*(f"/d{n}" for n in range(MOST + 1)))) == ""


def test_what_is_compared_nowhere_leaves_no_gap():
    found = gaps("/tmp/x/proc/1", "/run/user/1000/doc", "/var/log/private", "/tmp", "/home/a/.gvfs")
    assert [gap.where for gap in where_it_matters(found)] == ["/tmp", "/home/a/.gvfs"]
    ignored = Gap("/tmp/x", IGNORED)
    assert where_it_matters([ignored]) == (ignored,)
