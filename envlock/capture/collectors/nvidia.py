"""The NVIDIA driver: the loaded kernel module, the user library beside it, and the GPUs.

Found in the kernel's files, without NVML, so that the driver is told even when the two do not
match and NVML fails.  Serial numbers and UUIDs are never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from envlock.capture.parse.kernel import library_version, parse_nvrm
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record
from envlock.target.base import Capability

_PROC = "/proc/driver/nvidia"
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
    "/usr/lib/wsl/lib",
)
_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")


def collect(view: View) -> Iterator[Record]:
    """Yield the driver (version, flavor, user-version, mismatch) and the GPUs by model."""
    module = parse_nvrm(view.text(f"{_PROC}/version") or "")
    loaded = (view.text("/sys/module/nvidia/version") or "").strip()
    user = next(filter(None, (_library(view, name) for name in _LIBRARIES)), "")
    version = loaded or (module.version if module else "")
    facts = {
        "version": version,
        "flavor": module.flavor if module else "",
        "srcversion": (view.text("/sys/module/nvidia/srcversion") or "").strip(),
        "user-version": user,
        "mismatch": "true" if version and user and version != user else "",
    }
    if version or user:
        yield Record(
            "host.driver", "nvidia", {name: value for name, value in facts.items() if value}
        )
    for model, count in sorted(_models(view).items()):
        yield Record("host.gpu", model, {"count": str(count)})


def _library(view: View, name: str) -> str:
    for folder in _FOLDERS:
        link = view.stat(f"{folder}/{name}")
        if link is not None:
            return library_version(view.resolve(f"{folder}/{name}"))
    return ""


def _models(view: View) -> Counter[str]:
    models: Counter[str] = Counter()
    for name in view.names(f"{_PROC}/gpus"):
        for line in (view.text(f"{_PROC}/gpus/{name}/information") or "").split("\n"):
            label, colon, value = line.partition(":")
            if colon and label.strip() == "Model":
                models[value.strip()] += 1
    return models


COLLECTOR = Collector(
    name="host.driver",
    sections=("host.driver", "host.gpu"),
    reads=(
        f"{_PROC}/version",
        f"{_PROC}/gpus/*/information",
        "/sys/module/nvidia/version",
        "/sys/module/nvidia/srcversion",
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("NVIDIA driver README, The /proc interface", "Documentation/ABI/stable/sysfs-module"),
)
