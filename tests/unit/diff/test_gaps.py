"""A gap hides what is in it, and nothing elsewhere."""

import pytest

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.engine import Options, compare
from envlock.diff.many.matrix import compare_many
from envlock.diff.policy.policy import Policy
from envlock.model.lock import Lock
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

GAP = {"status": "partial", "gaps": "1", "reason": "/root: permission denied"}
APP = {"version": "3.11.2", "path": "/opt/app"}
OWN = {"version": "3.11.2", "path": "/root/venv"}


def lock(coverage, **sections):
    return Lock(sections=sections, coverage=coverage)


def kinds(left, right, **trees):
    report = compare(left, right, **trees)
    return {(change.section, change.key): change.kind.value for change in report.changes}


def of_all(unread):
    facts = {**GAP, **({"unread": unread} if unread else {})}
    return dict.fromkeys(("python", "file", "tree", "cron", "user"), facts)


@pytest.mark.parametrize(
    ("unread", "kind", "hidden"),
    [
        ("/root", "added", "unknown"),
        ("/root /opt/app/lib", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_a_record_with_a_place_is_unknown_only_in_a_gap(unread, kind, hidden):
    right = lock(of_all(unread), python={"app": APP, "app/flask": {"version": "1"}, "root": OWN})
    assert kinds(lock(of_all(unread), python={}), right) == {
        ("python", "app"): kind,
        ("python", "app/flask"): kind,
        ("python", "root"): hidden,
    }


@pytest.mark.parametrize(
    ("section", "gap", "hidden"),
    [
        ("npm", "/opt/app/node_modules/parse_url/package.json", {"parse_url", "x"}),
        ("npm", "/opt/app/node_modules/.pnpm/@a+b@1/node_modules/@a/b/package.json", {"@a/b"}),
        ("python", "/opt/app/lib/python3.11/site-packages/Parse_Url-1.0.dist-info", {"parse-url"}),
        ("python", "/opt/app/lib/python3.11/site-packages/x.pth", {"parse-url", "vue"}),
        ("gem", "/opt/app/specifications/parse-url-1.0.gemspec", {"parse-url"}),
        ("conda", "/opt/app/conda-meta/parse-url-1.0-h0.json", {"parse-url"}),
        ("r", "/opt/app/parse.url/DESCRIPTION", {"parse.url"}),
    ],
)
def test_a_file_that_describes_one_package_hides_no_other(section, gap, hidden):
    names = {*hidden, "vue"} - {"x"}
    rows = {"app": APP, **{f"app/{name}": {"version": "1"} for name in names}}
    facts = {section: {**GAP, "unread": gap}}
    found = kinds(lock({}, **{section: rows}), lock(facts, **{section: {"app": APP}}))
    unknown = {key.partition("/")[2] for (_, key), kind in found.items() if kind == "unknown"}
    assert unknown == hidden - {"x"}


def test_a_record_without_a_place_is_unknown_with_any_gap():
    right = lock(of_all("/root"), user={"app": {"uid": "1"}}, cron={"/etc/cron.d/x y": {"a": "b"}})
    assert kinds(lock(of_all("/root")), right) == {
        ("user", "app"): "unknown",
        ("cron", "/etc/cron.d/x y"): "added",
    }


def test_what_is_below_a_path_that_could_not_be_read_is_unknown_in_every_section():
    known = {"python": {"status": "ok"}, "file": {**GAP, "unread": "/root"}}
    right = lock(known, python={"app": APP, "root": OWN})
    found = kinds(lock(known, python={}), right)
    assert found == {("python", "app"): "added", ("python", "root"): "unknown"}


def test_a_path_in_an_empty_directory_is_known():
    def tree(*paths):
        entries = (Entry(path, EntryType.DIRECTORY, 0o755) for path in ("/", *paths))
        return Tree(tuple(Row(entry, FileClass.UNOWNED) for entry in entries))

    sides = lock(of_all("/root")), lock(of_all("/root"))
    left, right = tree("/opt", "/root"), tree("/opt", "/opt/app", "/root", "/root/x")
    found = kinds(*sides, left_tree=left, right_tree=right)
    assert found == {("file", "/opt/app"): "added", ("file", "/root/x"): "unknown"}
    assert kinds(*sides, left_tree=right, right_tree=left)["file", "/opt/app"] == "removed"


def test_an_expectation_is_judged_where_a_gap_hides_nothing():
    demand = Expectation(
        section="python", key="*", fact="", demand=Demand.ONLY_IN, reason="r", severity="high",
        names=frozenset({"right"}),
    )  # fmt: skip
    sides = [
        lock(of_all("/root"), python=rows) for rows in ({}, {"app": APP, "root": OWN, "x": {}})
    ]
    names = {"left_name": "left", "right_name": "right"}
    report = compare(*sides, options=Options(policy=Policy(expect=(demand,)), **names))
    told = {(change.section, change.key): change.kind.value for change in report.changes}
    assert ("python", "app") not in told
    assert told["python", "root"] == told["python", "x"] == "unknown"


def test_of_many_each_has_its_own_gaps():
    full = lock({"python": {"status": "ok"}}, python={"app": APP, "root": OWN})
    narrow, wide = (lock(of_all(unread), python={}) for unread in ("/root", "/opt /root"))
    locks = {"a": full, "b": full, "c": full, "narrow": narrow, "wide": wide}
    matrix = compare_many(locks, Options())
    kinds = {
        (finding.key, name): outlier.change.kind.value
        for finding in matrix.findings
        for outlier in finding.outliers
        for name in outlier.environments
    }
    assert kinds == {
        ("app", "narrow"): "removed",
        ("app", "wide"): "unknown",
        ("root", "narrow"): "unknown",
        ("root", "wide"): "unknown",
    }
