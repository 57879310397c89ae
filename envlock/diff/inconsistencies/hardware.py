"""Drivers, CUDA, kernels and processors that cannot work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
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
"""Distribution -> first release -> x86-64 level that its packages need (release notes)."""

_FABRIC = "nvidia-fabricmanager"
_DEBIAN_BUILD = re.compile(r"\bDebian (\d\S*)")
"""The version of the kernel's package in the build text of a Debian kernel."""


def _driver(lock: Lock) -> Iterator[Inconsistency]:
    driver = lock.get(*DRIVER)
    if driver.get("mismatch"):
        yield Inconsistency(
            "DRIVER-MISMATCH",
            *DRIVER,
            f"the loaded module is {driver.get('version')}, "
            f"the library {driver.get('user-version')}",
        )
    for key, facts in lock.sections.get(DRIVER[0], {}).items():
        if facts.get("stale"):
            injected = facts.get("version", "")
            message = f"it injects libraries of {injected}, {driver_of(lock)} is loaded"
            yield Inconsistency("CDI-STALE", "host.driver", key, message)


def _cuda(lock: Lock) -> Iterator[Inconsistency]:
    needed, driver = requirement(lock), driver_of(lock)
    if needed is None or not is_below(driver, needed.driver):
        return
    message = (
        f"CUDA {needed.runtime.version} needs driver {needed.driver} or newer, {driver} is loaded"
    )
    bridged = numbers(forward_driver(lock)) >= numbers(needed.driver)
    rule = "CUDA-DRIVER-FORWARD" if bridged else "CUDA-DRIVER"
    section, _, key = needed.runtime.record.partition(" ")
    yield Inconsistency(rule, section, key, message)


def _fabric(lock: Lock) -> Iterator[Inconsistency]:
    """Check the fabric manager: with another version than the driver's no GPU starts."""
    driver = driver_of(lock)
    for section in ("deb", "rpm"):
        for key, facts in lock.sections.get(section, {}).items():
            version = _upstream(facts)
            if key.startswith(_FABRIC) and driver and version and version != driver:
                message = f"the fabric manager is {version}, the driver {driver}"
                yield Inconsistency("FABRIC-MISMATCH", section, key, message)


def _upstream(facts: Facts) -> str:
    try:
        return deb.upstream(facts.get("version", ""))
    except ValueError:
        return ""


def _libraries(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("cuda", {}).items():
        if "mixed" in facts:
            message = f"its parts have the versions {facts['mixed']}"
            yield Inconsistency("CUDA-MIXED", "cuda", key, message)
        if key.startswith("libcuda:"):
            name = " ".join(filter(None, ("a driver library", facts.get("version", ""))))
            message = f"{name} is in the image"
            yield Inconsistency("DRIVER-IN-IMAGE", "cuda", key, message)


def _required(lock: Lock) -> Iterator[Inconsistency]:
    """Check the driver constraints of an image against its CUDA and the driver of the host."""
    driver, needed = driver_of(lock), requirement(lock)
    if lock.get("env", "NVIDIA_DISABLE_REQUIRE").get("value") in ("1", "true"):
        return
    for name, facts in lock.sections.get("env", {}).items():
        value = facts.get("value", "")
        if not name.startswith("NVIDIA_REQUIRE_") or not value:
            continue
        if driver and not meets(value, driver):
            message = f"{name} requires {value}, the driver is {driver}"
            yield Inconsistency("CUDA-REQUIRE", "env", name, message)
        elif needed and not driver and _admits_older(value, needed.driver):
            message = f"{value} is too low: CUDA {needed.runtime.version} needs {needed.constraint}"
            yield Inconsistency("CUDA-REQUIRE-LOW", "env", name, message)


def _admits_older(constraints: str, floor: str) -> bool:
    """True when the constraints allow the driver branch before that of `floor`."""
    return meets(constraints, f"{numbers(floor)[0] - 1}.999", {"brand": "", "arch": ""})


def _pending(lock: Lock) -> Iterator[Inconsistency]:
    kernel = lock.get("host.kernel")
    running = _DEBIAN_BUILD.search(kernel.get("build", ""))
    package = f"linux-image-{kernel.get('release', '')}"
    for key, facts in lock.sections.get("deb", {}).items():
        installed = facts.get("version", "")
        if running and key.partition(":")[0] == package and installed != running[1]:
            message = f"{installed} is installed, {running[1]} is running"
            yield Inconsistency("KERNEL-PENDING", "deb", key, message)
    for key, facts in lock.sections.get("host.module", {}).items():
        if facts.get("pending"):
            loaded = facts.get("version") or facts.get("srcversion", "")
            disk = facts.get("disk-version") or facts.get("disk-srcversion", "")
            message = f"{disk} is on disk, {loaded} is loaded"
            yield Inconsistency("MODULE-PENDING", "host.module", key, message)
    for key, facts in lock.sections.get("host.dkms", {}).items():
        if facts.get("state") == "not-built":
            message = f"{facts.get('version', '')} is not built for the running kernel"
            yield Inconsistency("DKMS-NOT-BUILT", "host.dkms", key, message)


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
        yield Inconsistency("CPU-BASELINE", "host.cpu", "", message)


HARDWARE: tuple[Family, ...] = (
    _driver,
    _cuda,
    _fabric,
    _libraries,
    _required,
    _pending,
    _level,
)
