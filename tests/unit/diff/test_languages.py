"""A package explains what it contains, across sections."""

from envlock.diff.engine import compare
from envlock.model.digest import digests
from envlock.model.lock import Lock
from envlock.model.record import Record


def lock(*records):
    return Lock.of([Record(*record) for record in records], None)


def conda(version, **facts):
    return "conda", "ml/numpy", {"version": version, "build": f"py_{version}", **facts}


def python(version):
    return "python", "ml-3.11/numpy", {"version": version, "packaged-by": "conda ml/numpy"}


def go(name, version, **facts):
    return "go", name, {"version": version, **facts}


def judged(report):
    return {(c.section, c.key, c.field): (c.rule, c.explained_by) for c in report.changes}


def test_a_conda_package_explains_its_python_distribution_and_its_build():
    left = lock(conda("1.26.4", sha256="a"), python("1.26.4"))
    right = lock(conda("2.0.0", sha256="b"), python("2.0.0"))
    assert judged(compare(left, right)) == {
        ("conda", "ml/numpy", "version"): ("LANGUAGE-MAJOR", ""),
        ("conda", "ml/numpy", "build"): ("EXPLAINED", "conda ml/numpy"),
        ("conda", "ml/numpy", "sha256"): ("EXPLAINED", "conda ml/numpy"),
        ("python", "ml-3.11/numpy", "version"): ("EXPLAINED", "conda ml/numpy"),
    }


def test_a_changed_build_explains_what_it_contains():
    edited = ("python", "ml-3.11/numpy", {**python("1.0")[2], "edited": "sha256:1"})
    left = lock(conda("1.0", sha256="a"), python("1.0"))
    right = lock(("conda", "ml/numpy", {"version": "1.0", "build": "x", "sha256": "b"}), edited)
    assert judged(compare(left, right)) == {
        ("conda", "ml/numpy", "build"): ("LANGUAGE-BUILD", ""),
        ("conda", "ml/numpy", "sha256"): ("EXPLAINED", "conda ml/numpy"),
        ("python", "ml-3.11/numpy", "edited"): ("EXPLAINED", "conda ml/numpy"),
    }


def test_a_go_program_explains_its_modules():
    packed = {"packaged-by": "go tool"}
    left = lock(go("tool", "v1.0.0", revision="a"), go("tool/x.org/y", "v1.0.0", **packed))
    right = lock(go("tool", "v1.1.0", revision="b"), go("tool/x.org/y", "v0.9.0", **packed))
    assert judged(compare(left, right)) == {
        ("go", "tool", "version"): ("LANGUAGE-UPDATE", ""),
        ("go", "tool", "revision"): ("EXPLAINED", "go tool"),
        ("go", "tool/x.org/y", "version"): ("EXPLAINED", "go tool"),
    }
    same = lock(go("tool", "v1.0.0", revision="a"), go("tool/x.org/y", "v0.9.0", **packed))
    report = compare(left, same)
    assert judged(report) == {("go", "tool/x.org/y", "version"): ("LANGUAGE-DOWNGRADE", "")}
    assert report.changes[0].fix == ()


def test_the_path_of_a_program_is_not_compared():
    left = lock(go("tool", "v1.0.0", path="/usr/local/bin/tool"))
    right = lock(go("tool", "v1.0.0", path="/opt/bin/tool"))
    assert compare(left, right).changes == ()
    assert digests(left) == digests(right)


def test_loaded_modules_are_compared_and_in_no_digest():
    left = lock(("module", "GCC", {"version": "12.3.0"}))
    right = lock(("module", "GCC", {"version": "13.2.0"}))
    (change,) = compare(left, right).changes
    assert (change.rule, change.fix) == ("MODULE-LOADED", (("module", "load", "GCC/12.3.0"),))
    assert digests(left) == digests(right)
