"""Debian packages explain each other: a changed soname, dependencies of a requested package."""

from envlock.diff.debian import explain_packages
from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.engine import compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity


def lock(*records):
    return Lock.of(
        Record("deb", f"{name}:amd64", {"version": "1-1", **facts}) for name, facts in records
    )


def auto(name, needed_by=""):
    return name, {"mark": "auto", **({"needed-by": f"{needed_by}:amd64"} if needed_by else {})}


def manual(name, **facts):
    return name, {"mark": "manual", **facts}


def explained(left, right):
    return {
        change.key.partition(":")[0]: change.explained_by.removeprefix("deb ").partition(":")[0]
        for change in compare(left, right).changes
    }


def test_a_changed_soname_is_one_change():
    a, b = lock(auto("libicu67"), auto("libssl1.1")), lock(auto("libicu72"), auto("libssl3t64"))
    assert explained(a, b) == {
        "libicu67": "",
        "libicu72": "libicu67",
        "libssl1.1": "",
        "libssl3t64": "libssl1.1",
    }
    assert explained(b, a) == explained(a, b)
    change = compare(a, b).changes[0]
    assert (change.rule, change.severity) == ("DEB-LIBRARY-ABI", Severity.HIGH)
    assert "libicu67 on the left, libicu72 on the right" in change.why
    assert "libicu72 on the left, libicu67 on the right" in compare(b, a).changes[0].why


def test_ambiguous_successors_stay_separate_changes():
    assert set(explained(lock(auto("liba1")), lock(auto("libb2"))).values()) == {""}
    a, b = lock(auto("libicu67"), auto("libicu70")), lock(auto("libicu72"))
    assert set(explained(a, b).values()) == {""}
    other = Lock.of([Record("deb", "libicu72:i386", {"version": "1-1", "mark": "auto"})])
    assert set(explained(lock(auto("libicu67")), other).values()) == {""}


def test_dependencies_are_folded_under_the_requested_package():
    a = lock(manual("nginx"), auto("nginx-common", "nginx"), auto("libmod1", "nginx"))
    assert explained(a, lock()) == {"nginx": "", "nginx-common": "nginx", "libmod1": "nginx"}
    assert explained(lock(), a) == explained(a, lock())
    assert compare(a, lock()).summary["high"] == 1


def test_an_unchanged_requested_package_explains_nothing():
    a = lock(manual("nginx"), auto("nginx-common", "nginx"))
    assert explained(a, lock(manual("nginx"))) == {"nginx-common": ""}


def test_an_update_is_never_folded():
    a = lock(manual("nginx"), auto("libssl3", "nginx"))
    b = lock(manual("nginx", version="2-1"), ("libssl3", {"mark": "auto", "version": "2-1"}))
    assert explained(a, b) == {"nginx": "", "libssl3": ""}


def test_core_libraries_are_never_folded():
    a = lock(manual("nginx"), auto("libc6", "nginx"))
    assert explained(a, lock())["libc6"] == ""


def test_a_lock_cannot_make_packages_hide_each_other():
    a = lock(auto("a", "b"), auto("b", "a"), auto("c", "c"))
    assert set(explained(a, lock()).values()) == {""}


def test_needed_by_is_never_compared():
    assert explained(lock(auto("x", "a")), lock(auto("x", "b"))) == {}


def test_a_package_of_which_configuration_files_are_left_is_removed():
    left, right = lock(manual("thing")), lock(manual("thing", status="deinstall ok config-files"))
    (change,) = compare(left, right).changes
    assert (change.kind, change.field, change.left) == (ChangeKind.REMOVED, "", "1-1")
    assert change.rule == compare(left, lock(manual("x"))).changes[0].rule
    (change,) = compare(right, left).changes
    assert (change.kind, change.field, change.right) == (ChangeKind.ADDED, "", "1-1")
    assert compare(right, right).changes == ()
    other = lock(manual("thing", status="deinstall ok config-files", version="2-1"))
    assert {change.field for change in compare(right, other).changes} == {"version"}


def test_configuration_files_that_are_left_are_no_package_that_is_missing():
    none, right = lock(), lock(manual("thing", status="deinstall ok config-files"))
    for a, b in ((none, right), (right, none)):
        (change,) = compare(a, b).changes
        assert (change.rule, change.field) == ("DEB-LEFT-OVER", "status")
        assert change.severity is Severity.LOW


def test_a_diversion_follows_from_the_package_that_made_it():
    upgraded = Delta("deb", "dash:amd64", "version", ChangeKind.CHANGED, "1", "2", {})
    diversion = Delta(
        "diversion", "/bin/sh", "", ChangeKind.REMOVED, "x", None, {"package": "dash"}
    )
    own = Delta("diversion", "/bin/x", "", ChangeKind.ADDED, None, "x", {"package": "local"})
    gone = Delta("deb", "local:all", "", ChangeKind.REMOVED, "1", None, {})
    _, one, other = explain_packages([upgraded, diversion, own])
    assert (one.explained_by, other.explained_by) == ("deb dash:amd64", "")
    assert [d.explained_by for d in explain_packages([diversion])] == [""]
    assert explain_packages([gone, diversion])[1].explained_by == ""
