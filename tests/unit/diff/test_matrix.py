"""Many environments are compared with their majority."""

import pytest

from envlock.diff.drift import ChangeKind, Result
from envlock.diff.engine import Options
from envlock.diff.many.matrix import compare_many, label, natural_sort_key
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity
from envlock.versions.relation import Relation


def lock(*records, **coverage):
    rows = {section: {"status": status} for section, status in coverage.items()}
    return Lock.of([Record(s, k, f) for s, k, f in records], rows)


def deb(version, name="openssl:amd64", **facts):
    return ("deb", name, {"version": version, **facts})


def only(matrix):
    [finding] = matrix.findings
    return finding


def test_an_outlier_has_relation_and_severity():
    fleet = {f"web-{n}": lock(deb("3.0.15-1")) for n in range(1, 18)}
    matrix = compare_many({**fleet, "db": lock(deb("3.0.11-1"))}, Options())
    finding = only(matrix)
    assert (finding.majority, finding.agreeing, finding.missing) == ("3.0.15-1", 17, ())
    [outlier] = finding.outliers
    assert outlier.environments == ("db",)
    assert (outlier.change.right, outlier.change.relation) == ("3.0.11-1", Relation.OLDER)
    assert outlier.change.severity is not Severity.INFO
    assert [group.name for group in matrix.groups] == ["db", "web-1..web-17 (17)"]
    assert matrix.report.result is Result.DRIFT


def test_absent_and_unknown_are_distinguished():
    whole = {"a": lock(deb("1"), deb="ok"), "b": lock(deb("1"), deb="ok")}
    odd = {"c": lock(deb="ok"), "d": lock(deb="unreadable"), "e": lock(deb="skipped")}
    finding = only(compare_many({**whole, **odd}, Options()))
    kinds = {name: o.change.kind for o in finding.outliers for name in o.environments}
    assert kinds == {"c": ChangeKind.REMOVED, "d": ChangeKind.UNKNOWN, "e": ChangeKind.UNKNOWN}
    assert finding.agreeing == 2


def test_unknown_absence_has_no_vote():
    blind = {f"x{n}": lock(deb="skipped") for n in range(9)}
    matrix = compare_many({**blind, "a": lock(deb("1"), deb="ok")}, Options())
    assert (only(matrix).majority, matrix.report.result) == ("1", Result.INCONCLUSIVE)


def test_a_record_that_most_lack_is_an_outlier():
    matrix = compare_many({"a": lock(), "b": lock(), "c": lock(deb("1"))}, Options())
    [outlier] = only(matrix).outliers
    assert (only(matrix).majority, outlier.change.kind) == (None, ChangeKind.ADDED)
    assert (outlier.environments, outlier.change.right) == (("c",), "1")


def test_an_environment_without_the_record_does_not_agree_about_its_facts():
    locks = {"a": lock(deb("1")), "b": lock(deb("1")), "c": lock(deb("2")), "d": lock()}
    presence, version = compare_many(locks, Options()).findings
    assert (presence.field, presence.agreeing) == ("", 3)
    assert (version.field, version.agreeing, version.missing) == ("version", 2, ("d",))


def test_the_newest_of_equally_frequent_values_is_the_majority():
    finding = only(compare_many({"a": lock(deb("1.9-1")), "b": lock(deb("1.10-1"))}, Options()))
    assert finding.majority == "1.10-1"
    other = compare_many({"a": lock(("env", "X", {"value": "b"})),
                          "b": lock(("env", "X", {"value": "a"}))}, Options())  # fmt: skip
    assert only(other).majority == "a"


def test_a_shared_difference_has_the_highest_severity():
    auto, manual = lock(deb("2", mark="auto")), lock(deb("2", mark="manual"))
    locks = {n: lock(deb("1", mark="auto")) for n in "abcd"}
    quiet = compare_many({**locks, "x": auto}, Options()).findings
    loud = compare_many({**locks, "x": auto, "y": manual}, Options()).findings
    assert loud[0].outliers[0].environments == ("x", "y")
    assert loud[0].lead.severity.rank <= quiet[0].lead.severity.rank


def test_the_content_of_a_package_is_folded_under_it():
    file = "/usr/share/x"
    old = lock(deb("1"), ("python", "app/x", {"version": "1", "packaged-by": "deb openssl:amd64"}))
    new = lock(deb("2"), ("python", "app/x", {"version": "2", "packaged-by": "deb openssl:amd64"}))
    findings = compare_many({"a": old, "b": old, "c": new, file: old}, Options()).findings
    assert [f.lead.explained_by for f in findings] == ["", "deb openssl:amd64"]


def test_ignored_differences_are_counted_once_each():
    locks = {"a": lock(deb("1")), "b": lock(deb("1")), "c": lock(deb("2")), "d": lock(deb("2"))}
    report = compare_many({**locks, "e": lock(deb("1"))}, Options(ignore=("deb:openssl:*",)))
    assert (report.findings, dict(report.report.hidden)) == ((), {"ignored": 1})
    assert report.report.result is Result.EQUAL


def test_a_required_section_makes_it_inconclusive():
    locks = {"a": lock(deb("1"), deb="ok"), "b": lock(deb("1"), deb="partial"), "c": lock(deb("1"))}
    matrix = compare_many(locks, Options(require=frozenset({"deb"})))
    assert matrix.report.result is Result.INCONCLUSIVE
    assert only(matrix).field == "coverage"
    assert only(matrix).outliers[0].environments == ("b",)


def test_each_setting_of_a_file_names_its_outliers():
    contents = {"1": b'{"port": 1}', "2": b'{"port": 2}', "3": b'{"port": 1, "x": 0}'}
    locks = {
        name: lock(("file", "/etc/a.json", {"sha256": digest, "mode": "0644"}))
        for name, digest in {"a": "1", "b": "1", "c": "2", "d": "3"}.items()
    }
    options = Options(contents=contents.get, redact=lambda _name, value: value)
    found = {f.field: f for f in compare_many(locks, options).findings}
    assert found["content:port"].outliers[0].environments == ("c",)
    assert (found["content:port"].majority, found["content:port"].agreeing) == ("1", 3)
    assert found["content:x"].outliers[0].environments == ("d",)


def test_equal_environments_are_one_group_without_findings():
    matrix = compare_many({f"n{n}": lock(deb("1")) for n in range(3)}, Options())
    assert (matrix.findings, matrix.report.parity) == ((), 100.0)
    assert [group.name for group in matrix.groups] == ["n0..n2 (3)"]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("a",), "a"),
        (("a", "b"), "a, b (2)"),
        (("web-1", "web-2", "web-3"), "web-1..web-3 (3)"),
        (("web-1", "web-2"), "web-1, web-2 (2)"),
        (("r1-n9", "r1-n10", "r1-n11", "r2-n1"), "r1-n9..r1-n11, r2-n1 (4)"),
        (("a", "b", "c", "d"), "a, b, c, ... (4)"),
        (("x²", "x³"), "x², x³ (2)"),
        (("9" * 40, "9" * 39), f"{'9' * 40}, {'9' * 39} (2)"),
    ],
)
def test_label(names, text):
    assert label(names) == text


def test_names_sort_by_their_numbers():
    assert sorted(["n10", "n9", "n", "m2"], key=natural_sort_key) == ["m2", "n", "n9", "n10"]
