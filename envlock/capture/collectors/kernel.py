"""The running kernel, its loaded modules, and the processor: what an image cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.parse.kernel import parse_cpuinfo, parse_modules
from envlock.capture.redact import redact_text
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record
from envlock.target.base import Capability

_KERNEL = "/proc/sys/kernel"
_SYSCTLS = (
    "kernel/pid_max",
    "kernel/randomize_va_space",
    "kernel/shmmax",
    "kernel/threads-max",
    "fs/file-max",
    "fs/inotify/max_user_watches",
    "net/core/somaxconn",
    "vm/max_map_count",
    "vm/overcommit_memory",
    "vm/swappiness",
)
"""Settings that applications are known to depend on."""

_PER_BOOT = ("BOOT_IMAGE=", "initrd=", "root=", "resume=", "random.trust")


def collect(view: View) -> Iterator[Record]:
    """Yield the kernel, each loaded module with version and srcversion, the CPU, sysctls."""
    facts = {
        "release": _line(view, f"{_KERNEL}/osrelease"),
        "system": _line(view, f"{_KERNEL}/ostype"),
        "tainted": _line(view, f"{_KERNEL}/tainted"),
        "cmdline": _cmdline(view),
    }
    if facts["release"]:
        yield Record("host.kernel", "", {name: value for name, value in facts.items() if value})
    for name in parse_modules(view.text("/proc/modules") or ""):
        found = {fact: _line(view, f"/sys/module/{name}/{fact}") for fact in _MODULE_FACTS}
        yield Record(
            "host.module", name, {f: v for f, v in found.items() if v} | {"state": "loaded"}
        )
    yield from _cpu(view)
    for name in _SYSCTLS:
        value = _line(view, f"/proc/sys/{name}")
        if value:
            yield Record("host.sysctl", name.replace("/", "."), {"value": value})


_MODULE_FACTS = ("version", "srcversion")


def _cpu(view: View) -> Iterator[Record]:
    cpu = parse_cpuinfo(view.text("/proc/cpuinfo") or "")
    facts = {"vendor": cpu.vendor, "model": cpu.model, "level": cpu.level}
    if any(facts.values()):
        yield Record("host.cpu", "", {name: value for name, value in facts.items() if value})
    if cpu.microcode:
        yield Record("host.firmware", "microcode", {"version": cpu.microcode})
    bios = _line(view, "/sys/class/dmi/id/bios_version")
    if bios:
        yield Record("host.firmware", "bios", {"version": bios})


def _cmdline(view: View) -> str:
    # What stands behind `--` is for the init process, not for the kernel.
    words = (view.text("/proc/cmdline") or "").partition(" -- ")[0].split()
    return " ".join(redact_text(word) for word in words if not word.startswith(_PER_BOOT))


def _line(view: View, path: str) -> str:
    return " ".join((view.text(path) or "").split())


COLLECTOR = Collector(
    name="host.kernel",
    sections=("host.kernel", "host.module", "host.cpu", "host.firmware", "host.sysctl"),
    reads=(
        "/proc/modules",
        "/proc/cmdline",
        "/proc/cpuinfo",
        f"{_KERNEL}/*",
        *(f"/proc/sys/{name}" for name in _SYSCTLS),
        "/sys/module/*/version",
        "/sys/module/*/srcversion",
        "/sys/class/dmi/id/bios_version",
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("proc(5)", "Documentation/ABI/stable/sysfs-module", "x86-64 psABI"),
)
