"""Inconsistencies of one environment, and the comparison of drivers and CUDA."""

import pytest

from envlock.diff.engine import Options, compare
from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.rules.inconsistent.hardware import INCONSISTENT_HARDWARE
from envlock.diff.severity import explain
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity

CUDA_12 = ("cuda", "cudart:app", {"version": "12.4.127"})
COMPAT = ("cuda", "compat:/usr/local/cuda-12.4", {"version": "550.54.15"})
H100 = ("host.gpu", "NVIDIA H100 80GB HBM3", {"count": "8"})
GEFORCE = ("host.gpu", "NVIDIA GeForce RTX 4090", {"count": "1"})


def lock(*records):
    return Lock.of(Record(*record) for record in records)


def driver(version, **facts):
    return ("host.driver", "nvidia", {"version": version, **facts})


def mark(**facts):
    return {name.replace("_", "-"): value for name, value in facts.items()}


CASES = [
    ("DRIVER-MISMATCH", [driver("550.54.14", **mark(user_version="550.90.07", mismatch="true"))]),
    ("CUDA-DRIVER", [CUDA_12, driver("470.199.02")]),
    ("CUDA-DRIVER", [CUDA_12, driver("470.199.02"), COMPAT, GEFORCE]),
    ("CUDA-DRIVER-FORWARD", [CUDA_12, driver("470.199.02"), COMPAT, H100]),
    (
        "FABRIC-MISMATCH",
        [
            driver("550.54.15"),
            ("deb", "nvidia-fabricmanager-550:amd64", {"version": "550.90.07-1"}),
        ],
    ),
    ("CUDA-MIXED", [("cuda", "cudnn:app", {"version": "9.1.0", "mixed": "9.5.1 9.1.0"})]),
    ("DRIVER-IN-IMAGE", [("cuda", "libcuda:/usr/lib/x86_64-linux-gnu", {"version": "550.54.15"})]),
    (
        "CDI-STALE",
        [
            driver("550.90.07"),
            ("host.driver", "cdi nvidia.com/gpu", {"version": "550.54.15", "stale": "true"}),
        ],
    ),
    (
        "CUDA-REQUIRE",
        [driver("535.54.03"), ("env", "NVIDIA_REQUIRE_CUDA", {"value": "cuda>=12.4"})],
    ),
    ("CUDA-REQUIRE-LOW", [CUDA_12, ("env", "NVIDIA_REQUIRE_CUDA", {"value": "driver>=470"})]),
    (
        "KERNEL-PENDING",
        [
            (
                "host.kernel",
                "",
                {"release": "6.1.0-18-amd64", "build": "#1 SMP Debian 6.1.76-1 (2024-02-01)"},
            ),
            ("deb", "linux-image-6.1.0-18-amd64:amd64", {"version": "6.1.82-1"}),
            ("deb", "linux-image-6.1.0-20-amd64:amd64", {"version": "6.1.85-1"}),
        ],
    ),
    (
        "MODULE-PENDING",
        [("host.module", "zfs", mark(version="2.1.11", disk_version="2.1.14", pending="true"))],
    ),
    ("DKMS-NOT-BUILT", [("host.dkms", "zfs", {"version": "2.1.11", "state": "not-built"})]),
    (
        "CPU-BASELINE",
        [("os", "", {"id": "rhel", "version": "10.0"}), ("host.cpu", "", {"level": "x86-64-v2"})],
    ),
]


@pytest.mark.parametrize(("rule", "records"), CASES)
def test_each_inconsistency_is_found(rule, records):
    found = find_inconsistencies(lock(*records))
    assert [problem.rule for problem in found] == [rule]
    assert found[0].severity is explain(rule).severity
    assert found[0].message and found[0].next


def test_every_rule_of_hardware_has_a_case():
    assert {rule for rule, _ in CASES} == {rule.id for rule in INCONSISTENT_HARDWARE}


@pytest.mark.parametrize(
    "records",
    [
        [CUDA_12, driver("525.60.13")],
        [CUDA_12, driver("580.95.05")],
        [CUDA_12],
        [driver("470.199.02"), ("cuda", "cudnn:app", {"version": "9.1.0"})],
        [
            driver("550.54.15"),
            ("deb", "nvidia-fabricmanager-550:amd64", {"version": "550.54.15-1"}),
        ],
        [("os", "", {"id": "rhel", "version": "9.4"}), ("host.cpu", "", {"level": "x86-64-v2"})],
        [("os", "", {"id": "debian", "version": "12"}), ("host.cpu", "", {"level": "x86-64-v1"})],
        [CUDA_12, ("env", "NVIDIA_REQUIRE_CUDA", {"value": "cuda>=12.4"})],
        [
            driver("470.199.02"),
            ("env", "NVIDIA_REQUIRE_CUDA", {"value": "cuda>=12.4"}),
            ("env", "NVIDIA_DISABLE_REQUIRE", {"value": "1"}),
        ],
        [("host.dkms", "zfs", {"version": "2.1.11", "state": "built"})],
        [
            ("host.kernel", "", {"release": "6.1.0-18-amd64", "build": "#1 Debian 6.1.76-1"}),
            ("deb", "linux-image-6.1.0-18-amd64:amd64", {"version": "6.1.76-1"}),
        ],
        [
            ("host.kernel", "", {"release": "6.8.0-41-generic", "build": "#41-Ubuntu SMP"}),
            ("deb", "linux-image-6.8.0-41-generic:amd64", {"version": "6.8.0-41.41"}),
        ],
    ],
)
def test_consistent_environments_have_no_findings(records):
    assert find_inconsistencies(lock(*records)) == []


def test_the_most_severe_comes_first():
    found = find_inconsistencies(
        lock(
            ("host.dkms", "zfs", {"version": "2.1.11", "state": "not-built"}),
            driver("470.199.02"),
            CUDA_12,
        )
    )
    assert [problem.severity for problem in found] == [Severity.CRITICAL, Severity.MEDIUM]


def changes(left, right):
    options = Options(left_name="dev", right_name="prod")
    report = compare(lock(*left), lock(*right), options=options)
    return {(c.section, c.key, c.field): (c.rule, c.why) for c in report.changes}


def test_an_older_driver_is_judged_by_the_cuda_that_it_must_run():
    found = changes([CUDA_12, driver("550.54.15")], [CUDA_12, driver("470.199.02")])
    assert found == {
        ("host.driver", "nvidia", "version"): (
            "CUDA-DRIVER",
            "CUDA 12.4.127 in dev and prod needs driver 525.60.13 or newer; prod has 470.199.02",
        )
    }
    assert changes([driver("550.54.15")], [driver("470.199.02")]) == {
        ("host.driver", "nvidia", "version"): (
            "DRIVER-OLDER",
            "user-space libraries need at least the driver they were built for",
        )
    }


def test_the_cuda_of_one_side_is_checked_against_the_driver_of_the_other():
    found = changes([CUDA_12, driver("550.54.15")], [driver("470.199.02")])
    assert found["host.driver", "nvidia", "version"][0] == "CUDA-DRIVER"
    assert found["cuda", "cudart:app", ""][0] == "CUDA-MISSING"


def test_a_newer_cuda_is_judged_by_the_driver_below_it():
    old = ("cuda", "cudart:app", {"version": "11.8.89"})
    found = changes([old, driver("470.199.02")], [CUDA_12, driver("470.199.02")])
    assert found["cuda", "cudart:app", "version"] == (
        "CUDA-DRIVER",
        (
            "CUDA 12.4.127 in prod needs driver 525.60.13 or newer; "
            "dev has 470.199.02 and prod has 470.199.02"
        ),
    )
    within = ("cuda", "cudart:app", {"version": "11.2.152"})
    found = changes([old, driver("470.199.02")], [within, driver("470.199.02")])
    assert found["cuda", "cudart:app", "version"][0] == "CUDA"


def test_a_package_that_explains_a_new_cuda_does_not_hide_the_driver():
    def wheel(version):
        return (
            ("python", "app", {"version": "3.11.2"}),
            ("python", "app/nvidia-cuda-runtime-cu12", {"version": version}),
            (
                "cuda",
                "cudart:app",
                {"version": version, "packaged-by": "python app/nvidia-cuda-runtime-cu12"},
            ),
        )

    found = changes(wheel("12.1.105"), [*wheel("12.4.127"), driver("470.199.02")])
    assert found["cuda", "cudart:app", "version"][0] == "CUDA-DRIVER"
    found = changes(wheel("12.1.105"), [*wheel("12.4.127"), driver("550.54.15")])
    assert found["cuda", "cudart:app", "version"][0] == "EXPLAINED"


def test_a_forward_compatibility_package_lowers_the_severity():
    found = changes([CUDA_12, driver("550.54.15")], [CUDA_12, COMPAT, H100, driver("470.199.02")])
    rule, why = found["host.driver", "nvidia", "version"]
    assert rule == "CUDA-DRIVER-FORWARD"
    assert why.endswith("and a forward compatibility package for data-center GPUs")


def test_a_side_without_a_driver_is_not_too_old():
    assert changes([CUDA_12, driver("550.54.15")], [CUDA_12]) == {
        ("host.driver", "nvidia", ""): (
            "DRIVER-MISSING",
            "programs that need the device do not run",
        )
    }
