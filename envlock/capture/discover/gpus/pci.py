"""The display and compute devices on the PCI bus, by model and never by bus address.

Sources: Documentation/ABI/testing/sysfs-bus-pci; the PCI Code and ID Assignment Specification.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.capture.context import Context

DEVICES = "/sys/bus/pci/devices"
READS = tuple(f"{DEVICES}/*/{name}" for name in ("class", "vendor", "device"))
"""Paths that `accelerators` reads; a collector that calls it declares them."""

_CLASSES = ("0x03", "0x12")
"""Display controllers, processing accelerators."""
_NUMBER = re.compile(r"0x([0-9a-fA-F]{4})\Z")


class PciDevice(NamedTuple):
    """A device: vendor and device number (four hex digits), driver, and directory in sysfs."""

    vendor: str
    device: str
    driver: str
    folder: str

    @property
    def id(self) -> str:
        """``VENDOR:DEVICE``, as lspci(8) shows it."""
        return f"{self.vendor}:{self.device}"


def accelerators(context: Context) -> list[PciDevice]:
    """Return the display controllers and processing accelerators."""
    found = []
    for name in context.names(DEVICES):
        folder = f"{DEVICES}/{name}"
        if not (context.text(f"{folder}/class") or "").startswith(_CLASSES):
            continue
        vendor, device = (
            _NUMBER.match((context.text(f"{folder}/{what}") or "").strip())
            for what in ("vendor", "device")
        )
        if vendor is None or device is None:
            continue
        # The entry may be a symbolic link into /sys/devices; the driver is a link below its target.
        link = context.stat(f"{context.resolve(folder)}/driver")
        driver = link.target.rpartition("/")[2] if link else ""
        found.append(PciDevice(vendor[1].lower(), device[1].lower(), driver, folder))
    return found
