"""The running kernel: release, build, command line, taint, huge pages and security modules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.hardware.kernel import parse_choice
from envlock.model.record import Record
from envlock.secrets.arguments import redact_arguments
from envlock.targets.base import Capability

_KERNEL = "/proc/sys/kernel"
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
_LSM = "/sys/kernel/security/lsm"

_PER_BOOT = ("BOOT_IMAGE=", "initrd=", "root=", "resume=", "random.trust")
_IDENTITY = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?:[0-9a-fA-F]{2}[:-]){5,7}[0-9a-fA-F]{2}"
    r"|[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]"
)
"""What identifies one machine: UUIDs (of disks), network hardware and PCI addresses."""


def collect(context: Context) -> Iterator[Record]:
    """Yield the one record of section host.kernel."""
    facts = {
        "release": context.line(f"{_KERNEL}/osrelease"),
        "system": context.line(f"{_KERNEL}/ostype"),
        "build": context.line(f"{_KERNEL}/version"),
        "tainted": context.line(f"{_KERNEL}/tainted"),
        "cmdline": _cmdline(context),
        "transparent-hugepages": parse_choice(context.line(_HUGE_PAGES)),
        "lsm": context.line(_LSM),
    }
    if facts["release"]:
        yield Record("host.kernel", "", {name: value for name, value in facts.items() if value})


def _cmdline(context: Context) -> str:
    # Words after `--` are for the init process, not for the kernel.
    words = (context.text("/proc/cmdline") or "").partition(" -- ")[0].split()
    kept = redact_arguments([word for word in words if not word.startswith(_PER_BOOT)])
    return " ".join(_IDENTITY.sub("***", word) for word in kept)


COLLECTOR = Collector(
    name="host.kernel",
    sections=("host.kernel",),
    reads=("/proc/cmdline", f"{_KERNEL}/*", _HUGE_PAGES, _LSM),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=(
        "proc(5)",
        "Documentation/admin-guide/tainted-kernels.rst",
        "Documentation/admin-guide/mm/transhuge.rst",
    ),
)
