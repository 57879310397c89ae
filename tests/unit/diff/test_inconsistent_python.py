"""Python environments whose parts do not fit, in one lock."""

import pytest

from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.inconsistencies.wheels import (
    System,
    Tags,
    fits_interpreter,
    fits_machine,
    needed_glibc,
)
from envlock.diff.rules.inconsistent.python import INCONSISTENT_PYTHON
from envlock.model.lock import Lock
from envlock.model.record import Record

DEBIAN = ("os", "", {"id": "debian", "arch": "amd64", "libc": "glibc 2.36"})
APP = ("python", "app", {"version": "3.11.2", "system-site-packages": "false"})
CONDA = ("python", "conda-3.11", {"version": "3.11.9"})
USER = ("python", "app-user-3.11", {"version": "3.11"})


def found(*records):
    lock = Lock.of(Record(*record) for record in records)
    return [(one.rule, one.key) for one in find_inconsistencies(lock)]


def app(key="x", **facts):
    return (
        "python",
        f"app/{key}",
        {"version": "1.0", **{k.replace("_", "-"): v for k, v in facts.items()}},
    )


def wheel(tags):
    return app(artifact=f"x-1.0-{tags}.whl")


def hidden(theirs, ours):
    return [
        CONDA,
        USER,
        ("python", "conda-3.11/attrs", {"version": theirs}),
        ("python", "app-user-3.11/attrs", {"version": ours}),
    ]


CASES = [
    ("PYTHON-INTERPRETER-GONE", [("python", "app", {"version": "3.9", "interpreter": "missing"})]),
    ("PYTHON-INTERPRETER-OTHER", [("python", "app", {"version": "3.9", "interpreter": "3.11"})]),
    ("PYTHON-SCRIPTS", [("python", "app", {"version": "3.9", "scripts-need": "/a/bin/python"})]),
    ("PYTHON-SCRIPTS", [("python", "app", {"version": "3.9", "scripts-run": "/a/bin/python"})]),
    ("PYTHON-PATH-GONE", [("python", "app", {"version": "3.9", "lost-paths": "x.pth"})]),
    ("PYTHON-LEFTOVERS", [("python", "app", {"version": "3.9", "leftovers": "~dna"})]),
    ("PYTHON-SOURCE-GONE", [APP, app(editable="true", source="missing")]),
    ("PYTHON-DOUBLED", [APP, app(other_versions="0.9")]),
    ("PYTHON-OVERLAP", [APP, app(overlaps="y")]),
    ("PYTHON-LIBRARY", [APP, app(missing="libpq.so.5")]),
    ("PYTHON-SYMBOL", [APP, app(lacking="GLIBC_2.38")]),
    ("PYTHON-REQUIREMENT", [APP, app(unmet="idna")]),
    ("PYTHON-REQUIREMENT-NEWER", [APP, app(beyond="idna<3 (3.7)")]),
    ("PYTHON-ABI", [DEBIAN, APP, wheel("cp310-cp310-manylinux_2_17_x86_64")]),
    ("PYTHON-PLATFORM", [DEBIAN, APP, wheel("cp311-cp311-manylinux_2_17_aarch64")]),
    ("PYTHON-LIBC", [DEBIAN, APP, wheel("cp311-cp311-manylinux_2_39_x86_64")]),
    ("PYTHON-LIBC", [DEBIAN, APP, wheel("cp311-cp311-musllinux_1_2_x86_64")]),
    ("PYTHON-HIDDEN", hidden("23.2.0", "21.4.0")),
    ("PYTHON-HIDDEN", hidden("1.26.4", "2.0.0")),
    ("PYTHON-HIDDEN-NEWER", hidden("2.31.0", "2.32.1")),
]

QUIET = [
    [DEBIAN, APP, wheel("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")],
    [DEBIAN, APP, wheel("py3-none-any")],
    [DEBIAN, ("python", "app", {"version": "3.11", "implementation": "pypy"}), wheel("cp3-x-any")],
    [("python", "app", {"version": "3.11"}), app()],
    hidden("23.2.0", "23.2.0"),
    [*hidden("23.2.0", "21.4.0"), ("env", "PYTHONNOUSERSITE", {"value": "1"})],
    [
        APP,
        USER,
        ("python", "app/attrs", {"version": "23.2.0"}),
        ("python", "app-user-3.11/attrs", {"version": "21.4.0"}),
    ],
    [
        CONDA,
        ("python", "user-3.12", {"version": "3.12"}),
        ("python", "conda-3.11/attrs", {"version": "23.2.0"}),
        ("python", "user-3.12/attrs", {"version": "21.4.0"}),
    ],
]


@pytest.mark.parametrize(("rule", "records"), CASES)
def test_each_inconsistency_is_found(rule, records):
    assert [each for each, _ in found(*records)] == [rule]


@pytest.mark.parametrize("records", QUIET)
def test_what_fits_has_no_findings(records):
    assert found(*records) == []


def test_every_rule_of_python_has_a_case():
    assert {rule for rule, _ in CASES} == {rule.id for rule in INCONSISTENT_PYTHON}


DEBIAN_311 = System((3, 11), False, "amd64", "glibc 2.36")
ALPINE_311 = System((3, 11), False, "amd64", "musl")


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("py310-none-any", True),
        ("py312-none-any", False),
        ("cp37-abi3-manylinux2014_x86_64", True),
        ("cp312-abi3-manylinux2014_x86_64", False),
        ("cp311-cp311-linux_x86_64", True),
        ("cp310-cp310-linux_x86_64", False),
        ("cp311-none-manylinux2014_x86_64", True),
        ("cp313-cp313t-manylinux2014_x86_64", False),
        ("pp310-pypy310_pp73-manylinux2014_x86_64", False),
        ("cp36.cp37.cp311-abi3-any", True),
        ("graalpy311-graalpy240_311_native-linux_x86_64", True),
    ],
)
def test_tags_of_interpreters(tags, fits):
    assert fits_interpreter(Tags.of(f"x-1-{tags}.whl"), DEBIAN_311) is fits


@pytest.mark.parametrize(
    ("tags", "system", "fits", "needs"),
    [
        ("py3-none-any", DEBIAN_311, True, ""),
        ("cp311-cp311-linux_x86_64", DEBIAN_311, True, ""),
        ("cp311-cp311-linux_aarch64", DEBIAN_311, False, ""),
        ("py3-none-manylinux1_x86_64", DEBIAN_311, True, ""),
        ("py3-none-manylinux_2_36_x86_64", DEBIAN_311, True, ""),
        ("py3-none-manylinux_2_38_x86_64", DEBIAN_311, True, "glibc 2.38"),
        ("py3-none-manylinux_2_38_x86_64.manylinux_2_17_x86_64", DEBIAN_311, True, ""),
        ("py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64", DEBIAN_311, True, ""),
        ("py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64", ALPINE_311, True, ""),
        ("py3-none-musllinux_1_1_x86_64", DEBIAN_311, True, "musl"),
        ("py3-none-manylinux2014_x86_64", ALPINE_311, True, "glibc"),
        ("py3-none-macosx_11_0_arm64", DEBIAN_311, False, ""),
        ("py3-none-win_amd64", DEBIAN_311, False, ""),
        ("py3-none-win_amd64", System((3, 11), False, "", ""), True, ""),
        ("py3-none-manylinux_2_99_x86_64", System((3, 11), False, "amd64", ""), True, ""),
    ],
)
def test_tags_of_platforms(tags, system, fits, needs):
    parsed = Tags.of(f"x-1-{tags}.whl")
    assert (fits_machine(parsed, system), needed_glibc(parsed, system)) == (fits, needs)


@pytest.mark.parametrize("name", ["", "x.whl", "x-1.tar.gz", "x-1-py3-none-any"])
def test_what_is_no_wheel_has_no_tags(name):
    assert Tags.of(name) is None
