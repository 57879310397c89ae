"""``envlock check`` of environments with parts that cannot work together."""

from __future__ import annotations

from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Record

CUDA = Record("cuda", "cudart:app", {"version": "12.4.127"})


def write(envlock, name, *records):
    folder = envlock.folder / "locks"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.lock").write_bytes(render_lock(Lock.of(records)))


def driver(version, **facts):
    return Record("host.driver", "nvidia", {"version": version, **facts})


def test_a_driver_too_old_for_its_cuda_fails_the_check(envlock):
    write(envlock, "good", CUDA, driver("550.54.15"))
    write(envlock, "old", CUDA, driver("470.199.02"))
    ran = envlock("check", status=1)
    assert "locks/good.lock: ok" in ran.out.splitlines()
    assert (
        "locks/old.lock: critical: cuda cudart:app: CUDA 12.4.127 needs driver 525.60.13 or newer, "
        "470.199.02 is loaded (CUDA-DRIVER); next: upgrade the NVIDIA driver, or use an older CUDA"
    ) in ran.out.splitlines()
    assert envlock("check", "good").out == "good: ok\n"
    document = envlock("check", "old", "--json", status=1).json
    assert document["problems"] == {"old": []}
    (found,) = document["verdicts"]["old"]
    assert found["rule"] == "CUDA-DRIVER"
    assert (found["section"], found["key"]) == ("cuda", "cudart:app")
    assert found["severity"] == "critical"


def test_advice_does_not_fail_the_check(envlock):
    dkms = Record("host.dkms", "zfs", {"version": "2.1.11", "state": "not-built"})
    write(envlock, "stale", dkms)
    ran = envlock("check", "stale")
    assert ran.out.startswith("stale: medium: host.dkms zfs: 2.1.11 is not built for the running")


def test_a_rule_about_one_environment_can_be_explained(envlock):
    ran = envlock("explain", "FABRIC-MISMATCH")
    assert ran.out.startswith("severity critical: GPUs behind an NVSwitch")


def test_a_driver_is_judged_by_the_cuda_of_both_sides(envlock):
    write(envlock, "dev", CUDA, driver("550.54.15"))
    write(envlock, "prod", CUDA, driver("470.199.02"))
    ran = envlock("diff", "dev", "prod", "--format", "json", status=1)
    (change,) = [c for c in ran.json["changes"] if c["section"] == "host.driver"]
    assert change["rule"] == "CUDA-DRIVER"
    assert change["why"] == (
        "CUDA 12.4.127 in dev and prod needs driver 525.60.13 or newer; prod has 470.199.02"
    )
