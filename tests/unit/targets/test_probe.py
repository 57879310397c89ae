"""The NVML probe, with a library that behaves like the real one."""

import json
import textwrap

import pytest

from envlock.capture.collectors.host.driver import COLLECTOR
from envlock.capture.context import Context
from envlock.formats.hardware.nvml import parse_nvml
from envlock.targets.base import Capability
from envlock.targets.local.filesystem import LocalTarget
from envlock.targets.local.probe import PROBES, Probe, SupportsProbe, run_probe

LIBRARY = """
class NVMLError(Exception):
    pass
def nvmlInit():
    pass
def nvmlShutdown():
    pass
def nvmlSystemGetCudaDriverVersion_v2():
    return 12040
def nvmlSystemGetNVMLVersion():
    return b"12.550.54.15"
def nvmlDeviceGetCount():
    return 2
def nvmlDeviceGetHandleByIndex(index):
    return index
def nvmlDeviceGetName(device):
    return "NVIDIA H100 80GB HBM3"
def nvmlDeviceGetCudaComputeCapability(device):
    return (9, 0)
def nvmlDeviceGetMigMode(device):
    return [device, 0]
def nvmlDeviceGetPersistenceMode(device):
    return 1
def nvmlDeviceGetEccMode(device):
    raise NVMLError("Not Supported")
def nvmlDeviceGetSerial(device):
    return "1650923004567"
def nvmlDeviceGetUUID(device):
    return "GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b"
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a function that installs an NVML library for child processes."""

    def install(text, name="pynvml"):
        site = tmp_path / "site"
        site.mkdir(exist_ok=True)
        (site / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.setenv("PYTHONPATH", str(site))
        monkeypatch.syspath_prepend(str(site))

    return install


def test_the_result_identifies_no_device(library):
    library(LIBRARY)
    raw = run_probe(PROBES["nvml"])
    answer = parse_nvml(raw)
    assert answer.driver == {"cuda": "12.4", "nvml": "12.550.54.15"}
    assert answer.gpus == {
        "NVIDIA H100 80GB HBM3": {
            "compute-capability": "9.0",
            "mig": "off on",
            "persistence": "on",
        }
    }
    assert b"1650923004567" not in raw
    assert b"9221d5d1" not in raw


def test_an_error_of_the_library_is_the_reason(library):
    library(LIBRARY.replace("def nvmlInit():\n    pass", """
def nvmlInit():
    raise NVMLError("Driver/library version mismatch")
"""))  # fmt: skip
    with pytest.raises(ValueError, match="Driver/library version mismatch"):
        parse_nvml(run_probe(PROBES["nvml"]))


def test_a_library_that_hangs_or_crashes_raises(library):
    library("import time\ntime.sleep(600)")
    with pytest.raises(ValueError, match=r"no answer within 0\.5 seconds"):
        run_probe(PROBES["nvml"]._replace(seconds=0.5))
    library("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(ValueError, match="ended by signal 11"):
        run_probe(PROBES["nvml"])
    library("raise RuntimeError")
    with pytest.raises(ValueError, match="the probe failed"):
        run_probe(PROBES["nvml"])


def test_without_the_library_no_probe_runs():
    assert run_probe(Probe("no.such.module", "no_such_library", 1.0)) is None


def test_no_probe_runs_for_a_directory(tmp_path):
    target = LocalTarget(tmp_path, "dir:x", is_host=False)
    assert isinstance(target, SupportsProbe)
    assert target.probe("nvml") is None


class Probed(LocalTarget):
    """A directory with a kernel, whose probe returns or raises a prepared answer."""

    def __init__(self, root, answer):
        super().__init__(root, "dir:x", is_host=False)
        self.capabilities = frozenset({Capability.FILES, Capability.KERNEL})
        self.answer = answer

    def probe(self, name):
        assert name == "nvml"
        if isinstance(self.answer, bytes):
            return self.answer
        raise ValueError(self.answer)


def collected(root, answer):
    context = Context(Probed(root, answer), {}, COLLECTOR.reads)
    records = {(r.section, r.key): r.facts for r in COLLECTOR.collect(context)}
    return records, [tuple(gap) for gap in context.gaps]


@pytest.fixture
def machine(tmp_path):
    proc = tmp_path / "proc/driver/nvidia"
    (proc / "gpus/0000:01:00.0").mkdir(parents=True)
    (proc / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"
    )
    (proc / "gpus/0000:01:00.0/information").write_text("Model: \t\t NVIDIA A100\n")
    return tmp_path


def test_the_result_is_added_to_the_facts_from_files(machine):
    answer = {"driver": {"cuda": "12.4"}, "gpus": [{"model": "NVIDIA A100", "mig": "on"}]}
    records, gaps = collected(machine, json.dumps(answer).encode())
    assert records["host.driver", "nvidia"]["cuda"] == "12.4"
    assert records["host.driver", "nvidia"]["version"] == "550.54.15"
    assert records["host.gpu", "NVIDIA A100"] == {"count": "1", "mig": "on"}
    assert gaps == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("no answer within 10 seconds", "no answer within 10 seconds"),
        (b'{"error": "Driver/library version mismatch"}', "Driver/library version mismatch"),
        (b"", "the probe gave no answer"),
        (b"[]", "the probe gave no answer"),
        (b'{"error": 1}', "the probe gave no answer"),
        (b"[" * 100_000, "the probe gave no answer"),
    ],
)
def test_without_a_result_there_is_a_gap_and_the_facts_from_files(machine, answer, reason):
    records, gaps = collected(machine, answer)
    assert records["host.driver", "nvidia"] == {"version": "550.54.15", "flavor": "proprietary"}
    assert gaps == [("nvml", reason)]


def test_without_a_driver_no_probe_runs(tmp_path):
    assert collected(tmp_path, "must not run") == ({}, [])
