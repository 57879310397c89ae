"""What the kernel says of itself below /proc and /sys.

Sources: proc(5), proc_cpuinfo(5), Documentation/ABI/stable/sysfs-module, the x86-64 psABI (levels),
and the forms of /proc/driver/nvidia/version seen from 375 to 615.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NVRM = re.compile(
    r"^NVRM version:\s*NVIDIA UNIX (?P<open>Open )?(?:.*?)Kernel Module(?: for \S+)?\s\s*"
    r"(?P<version>\d+(?:\.\d+)+)\b",
    re.MULTILINE,
)
_LIBRARY = re.compile(r"\.so\.(\d+(?:\.\d+)+)\Z")

_LEVELS = (
    ("v2", frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])),
    ("v3", frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"])),
    ("v4", frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])),
)
"""Flags of /proc/cpuinfo that each level adds; a level needs all below it."""


class NvidiaModule(NamedTuple):
    """The kernel driver: its version and whether it is the ``open`` or ``proprietary`` one."""

    version: str
    flavor: str


def parse_nvrm(text: str) -> NvidiaModule | None:
    """Return the driver of /proc/driver/nvidia/version, or None when it names none."""
    match = _NVRM.search(text)
    if match is None:
        return None
    return NvidiaModule(match["version"], "open" if match["open"] else "proprietary")


def library_version(path: str) -> str:
    """Return the version in a library's real file name, such as ``libcuda.so.580.95.05``."""
    match = _LIBRARY.search(path)
    return match[1] if match else ""


def parse_modules(text: str) -> list[str]:
    """Return the names of the loaded modules of /proc/modules, sorted."""
    return sorted({line.split(" ", 1)[0] for line in text.split("\n") if line.strip()})


class Cpu(NamedTuple):
    """The first processor: vendor, model, x86-64 level (or nothing) and microcode revision."""

    vendor: str
    model: str
    level: str
    microcode: str


def parse_cpuinfo(text: str) -> Cpu:
    """Return the first processor of /proc/cpuinfo; what it does not say is empty."""
    fields = {}
    for line in text.partition("\n\n")[0].split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    vendor = fields.get("vendor_id") or fields.get("CPU implementer", "")
    model = fields.get("model name") or fields.get("CPU part", "")
    return Cpu(vendor, model, _level(fields.get("flags", "")), fields.get("microcode", ""))


def _level(flags: str) -> str:
    present = frozenset(flags.split())
    if "lm" not in present:
        return ""
    level = "x86-64-v1"
    for name, needed in _LEVELS:
        if not needed <= present:
            break
        level = f"x86-64-{name}"
    return level
