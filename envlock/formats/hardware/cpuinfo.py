"""Processors in /proc/cpuinfo: model, instruction set level, flags that libraries choose code by.

Sources: proc_cpuinfo(5), the x86-64 psABI (levels).
"""

from __future__ import annotations

import re
from typing import NamedTuple

LEVELS = (
    ("v2", frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])),
    ("v3", frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"])),
    ("v4", frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])),
)
"""CPU flags that each level adds; a level requires those of all lower ones."""

_DISPATCHED = re.compile(
    r"aes|sha_ni|gfni|vaes|vpclmulqdq|avx_vnni|avx_ifma|avx512_?\w+|amx_\w+|fma4|asimd\w*|sve\w*"
    r"|i8mm|bf16|sme(?!p)\w*"
)
"""Flags beyond the levels by which numerical and cryptographic libraries select code."""


class Cpu(NamedTuple):
    """The facts of the first processor, and the number of processors; unknown ones are empty.

    `signature` is family, model and stepping in decimal (``6-207-2``); `flags` are those beyond
    `level` by which libraries select code.
    """

    vendor: str
    model: str
    signature: str
    level: str
    flags: str
    microcode: str
    total: int


def parse_cpuinfo(text: str) -> Cpu:
    """Return the processors of /proc/cpuinfo."""
    blocks = [block for block in text.split("\n\n") if re.search(r"(?m)^processor\s*:", block)]
    fields = {}
    for line in (blocks or [text])[0].split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    flags = fields.get("flags") or fields.get("Features", "")
    numbers = [fields.get(name, "") for name in ("cpu family", "model", "stepping")]
    return Cpu(
        fields.get("vendor_id") or fields.get("CPU implementer", ""),
        fields.get("model name") or fields.get("CPU part", ""),
        "-".join(numbers) if all(numbers) else "",
        _level(flags),
        " ".join(sorted(flag for flag in flags.split() if _is_dispatched(flag))),
        fields.get("microcode", ""),
        len(blocks),
    )


def _is_dispatched(flag: str) -> bool:
    in_level = any(flag in flags for _, flags in LEVELS)
    return not in_level and _DISPATCHED.fullmatch(flag) is not None


def _level(flags: str) -> str:
    present = frozenset(flags.split())
    if "lm" not in present:
        return ""
    level = "x86-64-v1"
    for name, needed in LEVELS:
        if not needed <= present:
            break
        level = f"x86-64-{name}"
    return level
