"""The contract of every collector; its golden data are the folders beside this file.

``tests/collectors/<collector>/<case>/rootfs`` is what it sees, ``process.json`` the run
configuration where it reads one, ``expected.json`` what it must yield.  With ENVLOCK_REGOLD=1 the
last is written anew; read it as carefully as code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from envlock.capture.registry import collectors
from envlock.capture.view import View
from envlock.model.facts import SECTIONS, is_keyed
from envlock.model.process import ProcessConfig
from envlock.model.text import escape
from envlock.target.base import Capability, ScanPlan
from envlock.target.local import LocalTarget

NOISE = bytes(range(256)) * 3
DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "noise": lambda content: NOISE + content + NOISE,
    "binary": lambda _content: NOISE,
    "long": lambda content: content + b"x" * 100_000,
}

HERE = Path(__file__).parent
COLLECTORS = {collector.name: collector for collector in collectors()}
CASES = sorted(path.parent for path in HERE.glob("*/*/expected.json"))


class Fixture(LocalTarget):
    """A folder that has the capabilities its collector needs and no others."""

    def __init__(self, case: Path, needs: frozenset[Capability]) -> None:
        super().__init__(case / "rootfs", "dir:fixture", is_host=False)
        self.capabilities = needs | {Capability.FILES}
        self._process = case / "process.json"

    def process(self) -> ProcessConfig | None:
        if not self._process.exists():
            return None
        document = json.loads(self._process.read_text())
        return ProcessConfig(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        )


def collect(collector, target):
    index = {}
    if collector.needs_scan:
        index = {entry.path: entry for entry in target.scan(ScanPlan())}
    claims = {}
    for other in sorted(COLLECTORS.values(), key=lambda c: c.needs_scan):
        if collector.needs_owners and other.claims is not None:
            claims = {**other.claims(View(target, index, other.reads)), **claims}
    view = View(
        target,
        index,
        collector.reads,
        owner=lambda path: claims[path].owner if path in claims else "",
    )
    records = list(collector.collect(view))
    return view, records


def document(collector, target):
    view, records = collect(collector, target)
    return {
        "records": [[r.section, escape(r.key), dict(sorted(r.facts.items()))] for r in records],
        "gaps": [[escape(gap.where), gap.reason] for gap in view.gaps],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_golden(case):
    collector = COLLECTORS[case.parent.name]
    found = document(collector, Fixture(case, collector.needs))
    expected = case / "expected.json"
    if os.environ.get("ENVLOCK_REGOLD"):
        expected.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(expected.read_text())
    assert found == document(collector, Fixture(case, collector.needs)), "two runs differ"


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_collector_has_golden_data(name):
    assert [case for case in CASES if case.parent.name == name], (
        f"no case in tests/collectors/{name}"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_records_are_well_formed(case):
    collector = COLLECTORS[case.parent.name]
    _, records = collect(collector, Fixture(case, collector.needs))
    keys = [(record.section, record.key) for record in records]
    assert len(keys) == len(set(keys)), "a key stands twice"
    for record in records:
        assert record.section in collector.sections
        assert record.section in SECTIONS
        assert is_keyed(record.section) == bool(record.key)
        assert record.facts
        assert all(isinstance(value, str) and value for value in record.facts.values())


@pytest.mark.parametrize("name", COLLECTORS)
def test_an_empty_root_is_silent(name, tmp_path):
    (tmp_path / "rootfs").mkdir()
    collector = COLLECTORS[name]
    view, records = collect(collector, Fixture(tmp_path, collector.needs))
    assert (records, view.gaps) == ([], [])
    assert not view.found_something


@pytest.mark.parametrize("name", COLLECTORS)
def test_damaged_files_never_crash(name, tmp_path):
    """Whatever a golden file holds may be cut, doubled or noise: at worst there is a gap."""
    collector = COLLECTORS[name]
    for case in [case for case in CASES if case.parent.name == name]:
        files = [p for p in (case / "rootfs").rglob("*") if p.is_file() and not p.is_symlink()]
        for number, damaged in enumerate(files):
            for form, damage in DAMAGES.items():
                root = tmp_path / f"{case.name}-{number}-{form}/rootfs"
                for path in files:
                    copy = root / path.relative_to(case / "rootfs")
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    content = path.read_bytes()
                    copy.write_bytes(damage(content) if path == damaged else content)
                collect(collector, Fixture(root.parent, collector.needs))


@pytest.mark.parametrize("name", COLLECTORS)
def test_reading_an_undeclared_path_is_an_error(name, tmp_path):
    (tmp_path / "rootfs").mkdir()
    view = View(Fixture(tmp_path, frozenset()), {}, COLLECTORS[name].reads)
    with pytest.raises(LookupError, match="declare"):
        view.read("/nobody/declared/this")
