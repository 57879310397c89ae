"""The dynamic loader: its version, and the glibc-hwcaps directories it searches on this host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.hardware.cpuinfo import parse_cpuinfo
from envlock.model.record import Record
from envlock.targets.base import Capability

_LOADERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib64/ld64.so.2",
)
_LIMIT = 16 * 1024 * 1024
_VERSION = re.compile(rb"ld\.so \([^)]{1,80}\) [a-z ]*release version (\d+(?:\.\d+)+)")
_HWCAPS = re.compile(rb"\0((?:x86-64-v\d:?)+)\0")


def collect(context: Context) -> Iterator[Record]:
    """Yield the loader: ``version``, and ``hwcaps``, the glibc-hwcaps directories it searches.

    These are the levels that the loader knows and the processor supports, best first, as listed by
    ``ld.so --help``.
    """
    path = next((path for path in _LOADERS if context.exists(path)), "")
    content = context.read(path, _LIMIT) if path else None
    version = _VERSION.search(content or b"")
    if content is None or version is None:
        if content is not None:
            context.gap(path, "states no version of the C library")
        return
    facts = {"version": version[1].decode(), "hwcaps": _searched(context, content)}
    yield Record("host.libc", "", {name: value for name, value in facts.items() if value})


def _searched(context: Context, loader: bytes) -> str:
    known = _HWCAPS.search(loader)
    level = parse_cpuinfo(context.text("/proc/cpuinfo") or "").level
    if known is None or not level:
        return ""
    return " ".join(name for name in known[1].decode().split(":") if name and name <= level)


COLLECTOR = Collector(
    name="host.libc",
    sections=("host.libc",),
    reads=(*_LOADERS, "/proc/cpuinfo"),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("ld.so(8), glibc-hwcaps", "glibc 2.33 release notes"),
)
