"""Firmware: BIOS, embedded controller, microcode and drives.  Serial numbers are never read."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.hardware.cpuinfo import parse_cpuinfo
from envlock.model.record import Record
from envlock.targets.base import Capability

_DMI = "/sys/class/dmi/id"
_NVME = "/sys/class/nvme"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each firmware, keyed by its device."""
    bios = {
        "version": context.line(f"{_DMI}/bios_version"),
        "vendor": context.line(f"{_DMI}/bios_vendor"),
        "release": context.line(f"{_DMI}/bios_release"),
    }
    if bios["version"]:
        yield Record("host.firmware", "bios", {name: text for name, text in bios.items() if text})
    controller = context.line(f"{_DMI}/ec_firmware_release")
    if controller:
        yield Record("host.firmware", "embedded-controller", {"version": controller})
    microcode = parse_cpuinfo(context.text("/proc/cpuinfo") or "").microcode
    if microcode:
        yield Record("host.firmware", "microcode", {"version": microcode})
    for model, versions in sorted(_drives(context).items()):
        yield Record("host.firmware", f"nvme {model}", {"version": " ".join(sorted(versions))})


def _drives(context: Context) -> dict[str, set[str]]:
    drives: dict[str, set[str]] = {}
    for name in context.names(_NVME):
        model = context.line(f"{_NVME}/{name}/model")
        version = context.line(f"{_NVME}/{name}/firmware_rev")
        if model and version:
            drives.setdefault(model, set()).add(version)
    return drives


COLLECTOR = Collector(
    name="host.firmware",
    sections=("host.firmware",),
    reads=(
        *(
            f"{_DMI}/{name}"
            for name in ("bios_version", "bios_vendor", "bios_release", "ec_firmware_release")
        ),
        "/proc/cpuinfo",
        f"{_NVME}/*/model",
        f"{_NVME}/*/firmware_rev",
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("Documentation/ABI/testing/sysfs-class-dmi", "proc_cpuinfo(5)", "SMBIOS type 0"),
)
