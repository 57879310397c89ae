"""The amdgpu driver, and the GPUs of every vendor except NVIDIA.

Serial numbers and unique ids, which amdgpu exposes in neighbouring files, are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.context import Context
from envlock.capture.discover.gpus.pci import DEVICES, PciDevice, accelerators
from envlock.model.record import Record

_MODULE = "/sys/module/amdgpu"
_NODES = "/sys/class/kfd/kfd/topology/nodes"
_NVIDIA, _AMD = "10de", "1002"
_FACTS = {
    "vbios": "vbios_version",
    "compute-partition": "current_compute_partition",
    "memory-partition": "current_memory_partition",
}
_PROPERTY = re.compile(r"^(gfx_target_version|device_id|vendor_id) (\d{1,10})$", re.MULTILINE)


def collect(context: Context) -> Iterator[Record]:
    """Yield the amdgpu driver, and by model the GPUs of all vendors except NVIDIA.

    The driver has a ``version`` only when it was built by DKMS; the in-tree driver has none of its
    own.  ``arch`` of a GPU is its LLVM target (``gfx942``).
    """
    facts = {name: context.line(f"{_MODULE}/{name}") for name in ("version", "srcversion")}
    facts["flavor"] = "dkms" if facts["version"] else "in-tree"
    if context.exists(_MODULE):
        yield Record("host.driver", "amdgpu", {name: text for name, text in facts.items() if text})
    targets = _targets(context)
    models: dict[str, dict[str, list[str]]] = {}
    for device in accelerators(context):
        if device.vendor != _NVIDIA:
            values = models.setdefault(_model(device, context), {})
            for name, value in _facts(device, targets, context).items():
                values.setdefault(name, []).append(value)
    for model, values in sorted(models.items()):
        counted = {name: " ".join(sorted(set(found))) for name, found in values.items()}
        yield Record("host.gpu", model, {"count": str(len(values["driver"])), **counted})


def _model(device: PciDevice, context: Context) -> str:
    name = context.line(f"{device.folder}/product_name") if device.vendor == _AMD else ""
    return name or f"pci {device.id}"


def _facts(device: PciDevice, targets: dict[int, str], context: Context) -> dict[str, str]:
    facts = {"driver": device.driver or "none"}
    if device.vendor == _AMD:
        facts["arch"] = targets.get(int(device.device, 16), "")
        for name, file in _FACTS.items():
            facts[name] = context.line(f"{device.folder}/{file}")
    return {name: value for name, value in facts.items() if value}


def _targets(context: Context) -> dict[int, str]:
    """Return device number -> LLVM target of the GPUs that support computing."""
    found = {}
    for name in context.names(_NODES):
        text = context.text(f"{_NODES}/{name}/properties") or ""
        numbers = {match[1]: int(match[2]) for match in _PROPERTY.finditer(text)}
        version = numbers.get("gfx_target_version", 0)
        if version:
            # 90402 is gfx942, 90010 is gfx90a: minor and stepping are hexadecimal digits.
            target = f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
            found[numbers.get("device_id", 0)] = target
    return found


READS = (
    f"{_MODULE}/version",
    f"{_MODULE}/srcversion",
    f"{_NODES}/*/properties",
    f"{DEVICES}/*/product_name",
    *(f"{DEVICES}/*/{file}" for file in _FACTS.values()),
)
"""Paths that `collect` reads, in addition to those of the PCI bus."""
