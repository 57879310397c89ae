"""Processors: model, instruction set level, and the CPU flags by which libraries select code."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.hardware.cpuinfo import parse_cpuinfo
from envlock.model.record import Record
from envlock.targets.base import Capability

_CPUINFO = "/proc/cpuinfo"
_SMT = "/sys/devices/system/cpu/smt/control"
_GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def collect(context: Context) -> Iterator[Record]:
    """Yield the one record of section host.cpu."""
    cpu = parse_cpuinfo(context.text(_CPUINFO) or "")
    facts = {
        "vendor": cpu.vendor,
        "model": cpu.model,
        "signature": cpu.signature,
        "level": cpu.level,
        "flags": cpu.flags,
        "count": str(cpu.total or ""),
        "smt": (context.text(_SMT) or "").strip(),
        "governor": (context.text(_GOVERNOR) or "").strip(),
    }
    if cpu.vendor or cpu.model or cpu.level:
        yield Record("host.cpu", "", {name: value for name, value in facts.items() if value})


COLLECTOR = Collector(
    name="host.cpu",
    sections=("host.cpu",),
    reads=(_CPUINFO, _SMT, _GOVERNOR),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=(
        "proc_cpuinfo(5)",
        "x86-64 psABI",
        "Documentation/ABI/testing/sysfs-devices-system-cpu",
    ),
)
