"""The contract of every collector; its golden data are the folders beside this file.

``tests/collectors/<collector>/<case>/rootfs`` is what it sees, ``process.json`` the run
configuration where it reads one, ``expected.json`` what it must yield.  With ENVLOCK_REGOLD=1 the
last is written anew; read it as carefully as code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest

from envlock.capture.context import Context
from envlock.capture.registry import collectors
from envlock.model.facts import SECTIONS, is_keyed
from envlock.model.process import ProcessConfig
from envlock.model.text import escape
from envlock.targets.base import Capability, ScanPlan
from envlock.targets.local.filesystem import LocalTarget

NOISE = bytes(range(256)) * 3
DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "noise": lambda content: NOISE + content + NOISE,
    "binary": lambda _content: NOISE,
    "long": lambda content: content + b"x" * 100_000,
}

NOBODY = 65534
GIGABYTE = 1 << 30
MEMORY = 200 * 1024 * 1024
NO_GAP = re.compile(
    r"(?:software|go|cargo|java|cuda|blas) .*/(?:bin|sbin|lib|lib64|private)/[^/]*\Z"
)
"""Programs and libraries, of which only the headers are looked at: one of zeros is no software."""

GROUPS = ("os", "language", "host", "system", "accelerator", "hpc")
"""The packages of envlock.capture.collectors."""

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


def collect(collector, target, plan=None, told=None):
    """Return the view and the records; `told` gets the gaps of who tells what belongs to whom."""
    index = {}
    if collector.needs_scan:
        index = {entry.path: entry for entry in target.scan(plan or ScanPlan())}
    claims = {}
    for other in sorted(COLLECTORS.values(), key=lambda c: c.needs_scan):
        if collector.needs_owners and other.claims is not None:
            claimant = Context(target, index, other.reads)
            claims = {**other.claims(claimant), **claims}
            if told is not None:
                told += claimant.gaps
    context = Context(
        target,
        index,
        collector.reads,
        owner=lambda path: claims[path].owner if path in claims else "",
    )
    records = list(collector.collect(context))
    return context, records


def document(collector, target):
    context, records = collect(collector, target)
    return {
        "records": [[r.section, escape(r.key), dict(sorted(r.facts.items()))] for r in records],
        "gaps": [[escape(gap.where), gap.reason] for gap in context.gaps],
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
def test_module_section_and_fixture_directory_have_one_name(name):
    """``host.cpu`` is collectors/host/cpu.py, ``apt-source`` is collectors/os/apt_source.py."""
    module = COLLECTORS[name].collect.__module__.removeprefix("envlock.capture.collectors.")
    group, _, stem = module.partition(".")
    assert group in GROUPS
    assert name == f"{'host.' if group == 'host' else ''}{stem.replace('_', '-')}"
    assert name in COLLECTORS[name].sections
    assert (HERE / name).is_dir()


def test_every_fixture_directory_belongs_to_a_collector():
    found = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == COLLECTORS.keys()


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
    context, records = collect(collector, Fixture(tmp_path, collector.needs))
    assert (records, context.gaps) == ([], [])
    assert not context.found_something


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


@pytest.fixture
def open_folder():
    """Yield a folder that every user may enter; the one of pytest belongs to whoever runs it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody():
    """Run as a user whom nothing belongs to, where this one may read everything."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def files_of(root):
    return sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink())


def keys(records):
    return {(record.section, record.key) for record in records}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
@pytest.mark.parametrize("closed", ["files", "folders"])
def test_what_may_not_be_read_is_a_gap(case, closed, open_folder):
    """Nothing that is there is lost in silence when permission is denied."""
    collector = COLLECTORS[case.parent.name]
    shutil.copytree(case, open_folder / "case", symlinks=True)
    target = Fixture(open_folder / "case", collector.needs)
    _, before = collect(collector, target)
    root = open_folder / "case/rootfs"
    files = files_of(root)
    barred = files if closed == "files" else sorted({f.parent for f in files} - {root})
    for path in reversed(barred):
        path.chmod(0)
    scan_gaps = []
    plan = ScanPlan(on_gap=lambda path, reason: scan_gaps.append((path, reason)))
    try:
        with as_nobody():
            context, records = collect(
                collector, Fixture(open_folder / "case", collector.needs), plan
            )
    finally:
        for path in barred:
            path.chmod(0o755)
    lost = keys(before) - keys(records)
    told = {reason for _, reason in (*context.gaps, *scan_gaps)}
    assert not lost or "permission denied" in told, lost


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_gigabyte_where_text_is_expected_is_a_gap(case, tmp_path):
    """A file of any size costs bounded memory, and what it hid is not lost in silence."""
    collector = COLLECTORS[case.parent.name]
    shutil.copytree(case, tmp_path / "case", symlinks=True)
    target = Fixture(tmp_path / "case", collector.needs)
    names_only = ScanPlan(digest=False)
    _, before = collect(collector, target, names_only)
    for path in files_of(tmp_path / "case/rootfs"):
        content, mode = path.read_bytes(), path.stat().st_mode
        os.truncate(path, 0)
        os.truncate(path, GIGABYTE)
        tracemalloc.start()
        told = []
        context, records = collect(collector, target, names_only, told)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        path.write_bytes(content)
        path.chmod(mode)
        assert peak < MEMORY, path
        lost = keys(before) - keys(records)
        gaps = [*context.gaps, *told]
        assert not lost or gaps or NO_GAP.match(f"{collector.name} {path}"), path


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_loop_of_links_is_no_trap(name, tmp_path):
    """Each file a collector reads may be a link that leads to itself."""
    collector = COLLECTORS[name]
    for case in [case for case in CASES if case.parent.name == name]:
        shutil.copytree(case, tmp_path / case.name, symlinks=True)
        for path in files_of(tmp_path / case.name / "rootfs"):
            path.unlink()
            path.symlink_to(path.name)
        collect(collector, Fixture(tmp_path / case.name, collector.needs))


@pytest.mark.parametrize("name", COLLECTORS)
def test_reading_an_undeclared_path_is_an_error(name, tmp_path):
    (tmp_path / "rootfs").mkdir()
    context = Context(Fixture(tmp_path, frozenset()), {}, COLLECTORS[name].reads)
    with pytest.raises(LookupError, match="declare"):
        context.read("/nobody/declared/this")
