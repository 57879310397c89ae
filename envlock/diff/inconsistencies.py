"""What is wrong with one environment by itself: parts that cannot work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.diff.drift import Severity
from envlock.diff.rules.inconsistencies import INCONSISTENCY_RULES
from envlock.model.cuda import (
    DRIVER,
    driver_of,
    forward_driver,
    is_below,
    meets,
    numbers,
    requirement,
)
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.versions import deb

_BASELINES: Mapping[str, Mapping[int, str]] = {
    "rhel": {9: "v2", 10: "v3"},
    "centos": {9: "v2", 10: "v3"},
    "rocky": {9: "v2", 10: "v3"},
    "ol": {9: "v2", 10: "v3"},
}
"""Distribution -> release from which its packages need that x86-64 level (release notes)."""

_FABRIC = "nvidia-fabricmanager"
_DEBIAN_BUILD = re.compile(r"\bDebian (\d\S*)")
"""The version of the package that a kernel was built as, in what Debian's kernels say of it."""


class Inconsistency(NamedTuple):
    """One thing that is wrong: the rule, the record it is about, and a sentence with its values."""

    rule: str
    record: str
    message: str

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return INCONSISTENCY_RULES[self.rule].severity

    @property
    def fix(self) -> str:
        """What to do."""
        return INCONSISTENCY_RULES[self.rule].fix


def find_inconsistencies(lock: Lock) -> list[Inconsistency]:
    """Return everything that is wrong with an environment by itself, the most severe first."""
    found = [
        *_driver(lock),
        *_cuda(lock),
        *_fabric(lock),
        *_libraries(lock),
        *_required(lock),
        *_pending(lock),
        *_level(lock),
    ]
    return sorted(found, key=lambda problem: problem.severity.rank)


def _driver(lock: Lock) -> Iterator[Inconsistency]:
    driver = lock.get(*DRIVER)
    if driver.get("mismatch"):
        yield Inconsistency(
            "DRIVER-MISMATCH",
            " ".join(DRIVER),
            f"the loaded module is {driver.get('version')}, "
            f"the library {driver.get('user-version')}",
        )
    for key, facts in lock.sections.get(DRIVER[0], {}).items():
        if facts.get("stale"):
            injected = facts.get("version", "")
            message = f"it injects libraries of {injected}, {driver_of(lock)} is loaded"
            yield Inconsistency("CDI-STALE", f"host.driver {key}", message)


def _cuda(lock: Lock) -> Iterator[Inconsistency]:
    need, driver = requirement(lock), driver_of(lock)
    if need is None or not is_below(driver, need.driver):
        return
    message = f"CUDA {need.runtime.version} needs driver {need.driver} or newer, {driver} is loaded"
    bridged = numbers(forward_driver(lock)) >= numbers(need.driver)
    yield Inconsistency(
        "CUDA-DRIVER-FORWARD" if bridged else "CUDA-DRIVER", need.runtime.record, message
    )


def _fabric(lock: Lock) -> Iterator[Inconsistency]:
    """NVSwitch systems start no GPU when the fabric manager is not of the driver's version."""
    driver = driver_of(lock)
    for section in ("deb", "rpm"):
        for key, facts in lock.sections.get(section, {}).items():
            version = _upstream(facts)
            if key.startswith(_FABRIC) and driver and version and version != driver:
                message = f"the fabric manager is {version}, the driver {driver}"
                yield Inconsistency("FABRIC-MISMATCH", f"{section} {key}", message)


def _upstream(facts: Facts) -> str:
    try:
        return deb.upstream(facts.get("version", ""))
    except ValueError:
        return ""


def _libraries(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("cuda", {}).items():
        if "mixed" in facts:
            message = f"its parts are of versions {facts['mixed']}"
            yield Inconsistency("CUDA-MIXED", f"cuda {key}", message)
        if key.startswith("libcuda:"):
            message = f"a driver library {facts.get('version', '')} lies in the image".replace(
                "  ", " "
            )
            yield Inconsistency("DRIVER-IN-IMAGE", f"cuda {key}", message)


def _required(lock: Lock) -> Iterator[Inconsistency]:
    """What the image itself asks of its host, against what its CUDA needs and the host has."""
    driver, need = driver_of(lock), requirement(lock)
    if lock.get("env", "NVIDIA_DISABLE_REQUIRE").get("value") in ("1", "true"):
        return
    for name, facts in lock.sections.get("env", {}).items():
        value = facts.get("value", "")
        if not name.startswith("NVIDIA_REQUIRE_") or not value:
            continue
        if driver and not meets(value, driver):
            message = f"{name} asks for {value}, the driver is {driver}"
            yield Inconsistency("CUDA-REQUIRE", f"env {name}", message)
        elif need and not driver and _admits_older(value, need.driver):
            message = f"{value} is too little: CUDA {need.runtime.version} needs {need.constraint}"
            yield Inconsistency("CUDA-REQUIRE-LOW", f"env {name}", message)


def _admits_older(constraints: str, floor: str) -> bool:
    """True when a driver just below `floor` would pass: its branch's number less one."""
    return meets(constraints, f"{numbers(floor)[0] - 1}.999", {"brand": "", "arch": ""})


def _pending(lock: Lock) -> Iterator[Inconsistency]:
    kernel = lock.get("host.kernel")
    running = _DEBIAN_BUILD.search(kernel.get("build", ""))
    package = f"linux-image-{kernel.get('release', '')}"
    for key, facts in lock.sections.get("deb", {}).items():
        installed = facts.get("version", "")
        if running and key.partition(":")[0] == package and installed != running[1]:
            message = f"{installed} is installed, {running[1]} is running"
            yield Inconsistency("KERNEL-PENDING", f"deb {key}", message)
    for key, facts in lock.sections.get("host.module", {}).items():
        if facts.get("pending"):
            loaded = facts.get("version") or facts.get("srcversion", "")
            disk = facts.get("disk-version") or facts.get("disk-srcversion", "")
            message = f"{disk} is on disk, {loaded} is loaded"
            yield Inconsistency("MODULE-PENDING", f"host.module {key}", message)
    for key, facts in lock.sections.get("host.dkms", {}).items():
        if facts.get("state") == "not-built":
            message = f"{facts.get('version', '')} is not built for the running kernel"
            yield Inconsistency("DKMS-NOT-BUILT", f"host.dkms {key}", message)


def _level(lock: Lock) -> Iterator[Inconsistency]:
    system, level = lock.get("os"), lock.get("host.cpu").get("level", "").rpartition("-")[2]
    release = numbers(system.get("version", ""))
    wanted = [
        needed
        for start, needed in _BASELINES.get(system.get("id", ""), {}).items()
        if release and release[0] >= start
    ]
    if wanted and level and level < max(wanted):
        message = (
            f"{system.get('id')} {system.get('version')} is built for x86-64-{max(wanted)}, "
            f"the processor has x86-64-{level}"
        )
        yield Inconsistency("CPU-BASELINE", "host.cpu ", message)
