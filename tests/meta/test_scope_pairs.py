"""scripts/scope-pairs plants what it says, and judges reports and closures by it."""

from __future__ import annotations

import hashlib
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from envlock.model.scope import Member, MemberClass, Role, Root

ROOT = Path(__file__).resolve().parents[2]

STATUS = """\
Package: libz9
Status: install ok installed
Version: 1.0-1
Depends: libc6

Package: tool
Status: install ok installed
Version: 2.0
Depends: libz9 (= 1.0-1), libz9 (>= 1.0-1), otherlibz9 (= 1.0-1)
"""


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


def change(
    section: str,
    key: str,
    *roles: str,
    severity: str = "high",
    kind: str = "added",
    right: str = "",
) -> dict[str, object]:
    return {
        "section": section, "key": key, "field": "", "severity": severity, "scope": list(roles),
        "kind": kind, "left": None, "right": right,
    }  # fmt: skip


@pytest.fixture
def root(tmp_path):
    files = {
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/libz9:amd64.md5sums": "00  lib/libz9.so.9.1\n11  usr/share/doc/libz9\n",
        "usr/lib/libz9.so.9.1": "code of 1.0",
        "etc/tool.conf": "[tool]\nsize = 5\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "usr/lib/libz9.so.9").symlink_to("libz9.so.9.1")
    return tmp_path


def test_a_report_is_judged_by_what_its_first_screen_shows():
    judge = module("scope_judge")
    plants = [judge.Sign("upgraded", r"\blibz9\b"), judge.Sign("locale", r"\bLANG\b")]
    changes = [
        change("deb", "libz9:amd64", "app"),
        change("deb", "acl:amd64", "app"),
        change("deb", "vim:amd64"),
        change("env", "LANG", "app", severity="info"),
        change("host.kernel", "", "app", severity="info", kind="unknown"),
        change("scope", "app", "app", right="deb:libz9:amd64"),
    ]
    lines = ["~ high libz9:amd64", *["more"] * (judge.SCREEN - 1), "~ high LANG"]
    found = judge.judge({"changes": changes}, "\n".join(lines), plants)
    assert (found.findings, found.information, found.caused, found.unknown) == (4, 1, 3, 1)
    assert found.stray == ("deb acl:amd64",)
    assert found.missed == ("locale",)
    assert found.unfound == ()
    assert found.lines == judge.SCREEN + 1
    assert found.precision == pytest.approx(3 / 4)


def test_a_finding_outside_of_scope_finds_no_plant():
    judge = module("scope_judge")
    found = judge.judge(
        {"changes": [change("deb", "libz9:amd64")]}, "", [judge.Sign("upgraded", "libz9")]
    )
    assert found.unfound == found.missed == ("upgraded",)
    assert found.precision == 1


def test_recall_counts_what_is_mapped_and_in_no_closure():
    judge = module("scope_judge")
    names = (
        ("deb", "libz9:amd64"), ("python", "app/numpy"), ("file", "/opt/own.so"),
        ("npm", "/opt/app/node_modules/@img/sharp-linux-x64"),
    )  # fmt: skip
    members = tuple(Member(section, key, MemberClass.LINKED) for section, key in names)
    owners = {
        "/usr/lib/libz9.so": "deb:libz9",
        "/opt/app/numpy.so": "python:numpy",
        "/opt/own.so": "",
        "/opt/stray.so": "",
        "/opt/app/node_modules/@img/sharp-linux-x64/a.node": "npm:@img/sharp-linux-x64",
        "/usr/lib/libq.so": "deb:libq",
    }
    found = judge.recall(owners, [Role("app", Root.parse("process"), members)])
    assert found.missing == ("/opt/stray.so (no owner)", "/usr/lib/libq.so (deb:libq)")
    assert found.missing_packages == ("deb:libq",)
    assert (found.libraries, found.packages) == (6, 4)
    assert found.share == pytest.approx(4 / 6)


def test_an_upgraded_package_states_its_version_and_its_new_file_and_others_follow(root):
    module("scope_plants").upgrade(root, "libz9", "3.0-1", "usr/lib/libz9.so.9", b"1.0")
    status = (root / "var/lib/dpkg/status").read_text()
    assert status == STATUS.replace("Version: 1.0-1", "Version: 3.0-1").replace(
        " libz9 (= 1.0-1)", " libz9 (= 3.0-1)"
    )
    file = root / "usr/lib/libz9.so.9.1"
    assert file.read_text() == "code of 3.0"
    listing = (root / "var/lib/dpkg/info/libz9:amd64.md5sums").read_text()
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    assert listing == f"{digest}  lib/libz9.so.9.1\n11  usr/share/doc/libz9\n"


def test_a_plant_that_changes_nothing_is_an_error(root):
    plants = module("scope_plants")
    with pytest.raises(ValueError, match="absent"):
        plants.upgrade(root, "absent", "1")
    with pytest.raises(ValueError, match="no usr/lib/other"):
        plants.rebuild(root, "usr/lib/other.so")
    with pytest.raises(ValueError, match="does not contain"):
        plants.rebuild(root, "usr/lib/libz9.so.9", b"2.0", b"3.0")
    with pytest.raises(ValueError, match=re.escape("etc/tool.conf has no ^colour")):
        plants.replace_text(root, "etc/tool.conf", "^colour", "x")


def test_another_build_of_a_distribution_agrees_with_its_record(tmp_path):
    site = tmp_path / "opt/app/.venv/lib/python3.11/site-packages"
    info = site / "fast-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "fast.so").write_bytes(b"code")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp311-cp311-manylinux2014_x86_64\n")
    (info / "RECORD").write_text(
        "fast.so,sha256=x,4\nfast-1.0.dist-info/WHEEL,sha256=y,5\nfast-1.0.dist-info/RECORD,,\n"
    )
    plants = module("scope_plants")
    plants.other_build(tmp_path, "fast")
    assert (site / "fast.so").read_bytes() != b"code"
    assert "Build: 1local" in (info / "WHEEL").read_text()
    assert (info / "RECORD").read_text().splitlines() == [
        plants.record_row("fast.so", site / "fast.so"),
        plants.record_row("fast-1.0.dist-info/WHEEL", info / "WHEEL"),
        "fast-1.0.dist-info/RECORD,,",
    ]


def test_each_service_has_twelve_plants_of_different_kinds():
    breakers = module("scope_breakers").BREAKERS
    assert set(breakers) == {service.name for service in module("scope_services").SERVICES}
    for plants in breakers.values():
        assert len({plant.kind for plant in plants}) == len(plants) == 12
        for plant in plants:
            re.compile(plant.sign)
