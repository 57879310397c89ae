"""The dynamic loader: its version, and the glibc-hwcaps directories it searches on this host."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.binary.loader_program import LOADER_LIMIT, parse_loader_program
from envlock.formats.hardware.cpuinfo import parse_cpuinfo
from envlock.model.record import Record
from envlock.targets.base import Capability

_LOADERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib64/ld64.so.2",
)


def collect(context: Context) -> Iterator[Record]:
    """Yield the loader: ``version``, and ``hwcaps``, the glibc-hwcaps directories it searches.

    These are the levels that the loader knows and the processor supports, best first, as listed by
    ``ld.so --help``.
    """
    path = next((path for path in _LOADERS if context.exists(path)), "")
    content = context.read(path, LOADER_LIMIT) if path else None
    if content is None:
        return
    loader = parse_loader_program(content)
    if not loader.version:
        context.gap(path, "states no version of the C library")
        return
    level = parse_cpuinfo(context.text("/proc/cpuinfo") or "").level
    searched = " ".join(name for name in loader.levels if name <= level)
    facts = {"version": loader.version, "hwcaps": searched}
    yield Record("host.libc", "", {name: value for name, value in facts.items() if value})


COLLECTOR = Collector(
    name="host.libc",
    sections=("host.libc",),
    reads=(*_LOADERS, "/proc/cpuinfo"),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("ld.so(8), glibc-hwcaps", "glibc 2.33 release notes"),
)
