"""The contract of every collector; its golden data are the directories beside this file.

``tests/collectors/<collector>/<case>/rootfs`` is the input, ``process.json`` the run configuration
of collectors that need one, and ``expected.json`` the expected output.  ENVLOCK_REGOLD=1 rewrites
the latter; review it as carefully as code.
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
NOBODY = 65534
GIGABYTE = 1 << 30
MEMORY = 200 * 1024 * 1024
NO_GAP = re.compile(
    r"(?:software|go|cargo|java|cuda|blas) .*/(?:bin|sbin|lib|lib64|private)/[^/]*\Z"
)
"""Programs and libraries, of which only headers are read: a file of zeros is not software."""

GROUPS = ("os", "language", "host", "system", "accelerator", "hpc")
"""The packages of envlock.capture.collectors."""

HERE = Path(__file__).parent
COLLECTORS = {collector.name: collector for collector in collectors()}
CASES = sorted(path.parent for path in HERE.glob("*/*/rootfs"))


class Fixture(LocalTarget):
    """A directory with exactly the capabilities that its collector needs."""

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


def collect(collector, target, plan=None, claim_gaps=None):
    """Return the context and the records; gaps of `claims` functions are added to `claim_gaps`."""
    index = {}
    if collector.needs_scan:
        index = {entry.path: entry for entry in target.scan(plan or ScanPlan())}
    claims = {}
    for other in sorted(COLLECTORS.values(), key=lambda c: c.needs_scan):
        if collector.needs_owners and other.claims is not None:
            claimant = Context(target, index, other.reads)
            claims = {**other.claims(claimant), **claims}
            if claim_gaps is not None:
                claim_gaps += claimant.gaps
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
    assert len(keys) == len(set(keys)), "a key is listed twice"
    for record in records:
        assert record.section in collector.sections
        assert record.section in SECTIONS
        assert is_keyed(record.section) == bool(record.key)
        assert record.facts
        assert all(isinstance(value, str) and value for value in record.facts.values())


@pytest.mark.parametrize("name", COLLECTORS)
def test_an_empty_root_gives_no_records_and_no_gaps(name, tmp_path):
    (tmp_path / "rootfs").mkdir()
    collector = COLLECTORS[name]
    context, records = collect(collector, Fixture(tmp_path, collector.needs))
    assert (records, context.gaps) == ([], [])
    assert not context.found_something


@pytest.fixture
def open_folder():
    """Yield a directory that every user may enter; tmp_path belongs to the user who runs pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody():
    """Run as a user who owns no files, if the current user is root."""
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
def test_denied_permission_is_a_gap(case, closed, open_folder):
    """Records that are lost because permission is denied leave a gap."""
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
    reasons = {reason for _, reason in (*context.gaps, *scan_gaps)}
    assert not lost or "permission denied" in reasons, lost


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_gigabyte_where_text_is_expected_is_a_gap(case, tmp_path):
    """A file of any size takes bounded memory, and lost records leave a gap."""
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
        claim_gaps = []
        context, records = collect(collector, target, names_only, claim_gaps)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        path.write_bytes(content)
        path.chmod(mode)
        assert peak < MEMORY, path
        lost = keys(before) - keys(records)
        gaps = [*context.gaps, *claim_gaps]
        assert not lost or gaps or NO_GAP.match(f"{collector.name} {path}"), path


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_loop_of_links_does_not_hang_or_crash(name, tmp_path):
    """Any file that a collector reads may be a symbolic link to itself."""
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
