"""The NVIDIA driver: the loaded kernel module, the user library beside it, and the GPUs.

Read from files of the kernel, without NVML, because NVML fails when kernel module and library do
not match.  Where the optional NVML binding is installed, it adds what no file has (MIG,
persistence, compute capability); it runs in a separate process with a deadline.  Serial numbers and
UUIDs are never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.gpus.pci import accelerators
from envlock.formats.hardware.nvidia import (
    library_version,
    parse_cdi,
    parse_information,
    parse_nvrm,
    parse_params,
)
from envlock.formats.hardware.nvml import NO_ANSWER, NvmlAnswer, parse_nvml
from envlock.model.record import Facts, Record

_PROC = "/proc/driver/nvidia"
_MODULE = "/sys/module/nvidia"
_VENDOR = "10de"
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib64/nvidia",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
    "/usr/lib/wsl/lib",
)
_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
_CDI_FOLDERS = ("/etc/cdi", "/run/cdi", "/var/run/cdi")
_NVML = "nvml"


class _Group(NamedTuple):
    """GPUs of one model: their number, and all versions found among them."""

    total: int = 0
    vbios: frozenset[str] = frozenset()
    gsp: frozenset[str] = frozenset()
    mig: int = 0


def collect(context: Context) -> Iterator[Record]:
    """Yield the driver, the GPUs by model, and the CDI specifications for container engines.

    Facts of the driver: ``version`` (kernel module), ``flavor``, ``srcversion``, ``user-version``
    (library), ``mismatch = "true"`` when the two differ: a reload or reboot is pending and NVML
    fails.
    """
    answer = _nvml(context)
    driver = _driver(context, answer)
    if "version" in driver or "user-version" in driver:
        yield Record("host.driver", "nvidia", driver)
    models = _models(context)
    for model, group in sorted(models.items()):
        facts = {
            "count": str(group.total),
            "vbios": " ".join(sorted(group.vbios)),
            "gsp": " ".join(sorted(group.gsp)),
            "mig-instances": str(group.mig or ""),
            **answer.gpus.get(model, {}),
        }
        yield Record("host.gpu", model, {name: value for name, value in facts.items() if value})
    if not models:
        yield from _on_bus(context)
    yield from _cdi(context, driver.get("version", ""))


def _driver(context: Context, answer: NvmlAnswer) -> Facts:
    module = parse_nvrm(context.text(f"{_PROC}/version") or "")
    params = parse_params(context.text(f"{_PROC}/params") or "")
    loaded = (context.text(f"{_MODULE}/version") or "").strip()
    user = next(filter(None, (_library(context, name) for name in _LIBRARIES)), "")
    version = loaded or (module.version if module else "")
    facts = {
        "version": version,
        "flavor": module.flavor if module else "",
        "srcversion": (context.text(f"{_MODULE}/srcversion") or "").strip(),
        "user-version": user,
        "mismatch": "true" if version and user and version != user else "",
        "gpu-firmware": params.get("EnableGpuFirmware", ""),
        "registry": params.get("RegistryDwords", "").strip('"'),
        **answer.driver,
    }
    return {name: value for name, value in facts.items() if value}


def _nvml(context: Context) -> NvmlAnswer:
    """Return the answer of NVML, `NO_ANSWER` without a driver or the NVML binding."""
    if context.text(f"{_PROC}/version") is None:
        return NO_ANSWER
    try:
        raw = context.probe(_NVML)
        return parse_nvml(raw) if raw is not None else NO_ANSWER
    except ValueError as error:
        context.gap(_NVML, str(error))
        return NO_ANSWER


def _library(context: Context, name: str) -> str:
    for folder in _FOLDERS:
        link = context.stat(f"{folder}/{name}")
        if link is not None:
            return library_version(context.resolve(f"{folder}/{name}"))
    return ""


def _models(context: Context) -> dict[str, _Group]:
    models: dict[str, _Group] = {}
    for name in context.names(f"{_PROC}/gpus"):
        gpu = parse_information(context.text(f"{_PROC}/gpus/{name}/information") or "")
        if gpu is None:
            continue
        known = models.get(gpu.model, _Group())
        models[gpu.model] = known._replace(
            total=known.total + 1,
            vbios=known.vbios | set(filter(None, [gpu.vbios])),
            gsp=known.gsp | set(filter(None, [gpu.gsp])),
        )
    # Instances are listed by minor number, not by model: they can be assigned only to a single one.
    if len(models) == 1:
        (model,) = models
        models[model] = models[model]._replace(mig=_mig_instances(context))
    return models


def _mig_instances(context: Context) -> int:
    capabilities = f"{_PROC}/capabilities"
    return sum(
        instance.startswith("gi")
        for name in context.names(capabilities)
        if name.startswith("gpu")
        for instance in context.names(f"{capabilities}/{name}/mig")
    )


def _on_bus(context: Context) -> Iterator[Record]:
    """Yield the GPUs that no NVIDIA driver serves, so that they do not seem absent."""
    counts: dict[tuple[str, str], int] = {}
    for device in accelerators(context):
        if device.vendor == _VENDOR:
            kind = (device.id, device.driver or "none")
            counts[kind] = counts.get(kind, 0) + 1
    drivers: dict[str, list[str]] = {}
    totals: dict[str, int] = {}
    for (device_id, driver), count in sorted(counts.items()):
        drivers.setdefault(device_id, []).append(driver)
        totals[device_id] = totals.get(device_id, 0) + count
    for device_id, total in totals.items():
        facts = {"count": str(total), "driver": " ".join(drivers[device_id])}
        yield Record("host.gpu", f"pci {device_id}", facts)


def _cdi(context: Context, loaded: str) -> Iterator[Record]:
    """Yield a record for each kind of device in the CDI specifications.

    Facts: ``version`` of the driver whose libraries are injected, ``cdi`` of the format,
    ``libraries`` injected, ``stale = "true"`` when that driver is not the loaded one.
    """
    seen = set()
    for folder in _CDI_FOLDERS:
        for name in context.names(folder):
            path = f"{folder}/{name}"
            text = context.text(path) if _is_cdi(path) else None
            spec = parse_cdi(text or "")
            if spec is None and text is not None:
                context.gap(path, "not a CDI specification")
            if spec is None or not spec.kind.startswith("nvidia.com/") or spec.kind in seen:
                continue
            seen.add(spec.kind)
            stale = bool(loaded and spec.driver) and spec.driver != (loaded,)
            facts = {
                "version": " ".join(spec.driver),
                "cdi": spec.version,
                "libraries": str(spec.libraries or ""),
                "stale": "true" if stale else "",
            }
            yield Record(
                "host.driver",
                f"cdi {spec.kind}",
                {name: value for name, value in facts.items() if value},
            )


def _is_cdi(path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json"))


READS = (
    f"{_PROC}/version",
    f"{_PROC}/params",
    f"{_PROC}/gpus/*/information",
    f"{_MODULE}/version",
    f"{_MODULE}/srcversion",
    *(f"{folder}/*" for folder in _CDI_FOLDERS),
)
"""Paths that `collect` reads, in addition to those of the PCI bus."""
