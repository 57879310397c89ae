"""GPUs and their drivers: NVIDIA, AMD, and every other display or compute device on the PCI bus.

Read from files of the kernel; for NVIDIA, NVML adds further facts where its optional binding is
installed.  Serial numbers, UUIDs and bus addresses are never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.gpus import amd, nvidia, pci
from envlock.model.record import Record
from envlock.targets.base import Capability


def collect(context: Context) -> Iterator[Record]:
    """Yield the drivers, and the GPUs by model."""
    yield from nvidia.collect(context)
    yield from amd.collect(context)


COLLECTOR = Collector(
    name="host.driver",
    sections=("host.driver", "host.gpu"),
    reads=(*nvidia.READS, *amd.READS, *pci.READS),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=(
        "NVIDIA driver README, The /proc interface",
        "NVIDIA Management Library (NVML) reference",
        "Container Device Interface specification",
        "Documentation/gpu/amdgpu/driver-misc.rst",
        "Documentation/ABI/stable/sysfs-module",
        "Documentation/ABI/testing/sysfs-bus-pci",
    ),
)
