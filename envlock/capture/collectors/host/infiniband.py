"""InfiniBand and RoCE adapters, their firmware, and the OFED drivers.

Node and port GUIDs and node descriptions (which contain host names) are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.model.record import Record
from envlock.targets.base import Capability

_ADAPTERS = "/sys/class/infiniband"
_OFED_INFO = "/usr/bin/ofed_info"
_OFED_LIMIT = 1024 * 1024
_OFED = re.compile(r"\b((?:MLNX_)?OFED(?:_LINUX|-internal)?)-(\d+(?:[.-]\d+)+)")
_MODULES = ("mlx5_core", "mlx4_core", "ib_core", "efa", "irdma", "bnxt_re", "hfi1")


def collect(context: Context) -> Iterator[Record]:
    """Yield the drivers that have their own version, and the adapters by model.

    ``version`` of an adapter is its firmware version.
    """
    text = context.text(_OFED_INFO, _OFED_LIMIT)
    info = _OFED.search(text or "")
    if text is not None and info is None:
        context.gap(_OFED_INFO, "states no version")
    if info:
        yield Record("host.infiniband", "driver ofed", {"version": info[2], "name": info[1]})
    for module in _MODULES:
        # Only out-of-tree modules have one.
        version = context.line(f"/sys/module/{module}/version")
        if version:
            yield Record("host.infiniband", f"driver {module}", {"version": version})
    models: dict[str, list[dict[str, str]]] = {}
    for name in context.names(_ADAPTERS):
        folder = f"{_ADAPTERS}/{name}"
        names = (context.line(f"{folder}/hca_type"), context.line(f"{folder}/board_id"))
        models.setdefault(" ".join(filter(None, names)) or name.rstrip("0123456789_"), []).append(
            {"version": context.line(f"{folder}/fw_ver"), **_port(context, folder)}
        )
    for model, adapters in sorted(models.items()):
        facts = {"count": str(len(adapters))}
        for fact in ("version", "rate", "link-layer"):
            facts[fact] = " ".join(sorted({adapter[fact] for adapter in adapters} - {""}))
        yield Record(
            "host.infiniband",
            f"adapter {model}",
            {name: text for name, text in facts.items() if text},
        )


def _port(context: Context, folder: str) -> dict[str, str]:
    rates, layers = set(), set()
    for port in context.names(f"{folder}/ports"):
        rates.add(context.line(f"{folder}/ports/{port}/rate"))
        layers.add(context.line(f"{folder}/ports/{port}/link_layer"))
    return {
        "rate": ", ".join(sorted(rates - {""})),
        "link-layer": " ".join(sorted(layers - {""})),
    }


COLLECTOR = Collector(
    name="host.infiniband",
    sections=("host.infiniband",),
    reads=(
        _OFED_INFO,
        *(f"/sys/module/{module}/version" for module in _MODULES),
        *(f"{_ADAPTERS}/*/{name}" for name in ("hca_type", "board_id", "fw_ver")),
        f"{_ADAPTERS}/*/ports/*/rate",
        f"{_ADAPTERS}/*/ports/*/link_layer",
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("Documentation/ABI/stable/sysfs-class-infiniband", "ofed_info(1)"),
)
