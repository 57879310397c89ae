"""The NVIDIA driver: its files below /proc, the names of its libraries, and CDI specifications.

Sources: the NVIDIA driver README (The /proc interface), nv-procfs.c of the open kernel modules, the
forms of /proc/driver/nvidia/version in versions 375 to 615, and the Container Device Interface
specification.
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
_CDI_VERSION = re.compile(r"[\"']?cdiVersion[\"']?\s*:\s*[\"']?(\d+(?:\.\d+)+)")
_CDI_KIND = re.compile(r"^[ \t{,]*[\"']?kind[\"']?\s*:\s*[\"']?([\w.-]+/[\w.-]+)", re.MULTILINE)
_CDI_PATH = re.compile(r"[\"']?hostPath[\"']?\s*:\s*[\"']?(/[^\s\"',}]+)")
_UNKNOWN = re.compile(r"N/A|[?.]+")


class NvidiaModule(NamedTuple):
    """The kernel driver: its version and whether it is the ``open`` or ``proprietary`` one."""

    version: str
    flavor: str


def parse_nvrm(text: str) -> NvidiaModule | None:
    """Return the driver in /proc/driver/nvidia/version, or None without one."""
    match = _NVRM.search(text)
    if match is None:
        return None
    return NvidiaModule(match["version"], "open" if match["open"] else "proprietary")


def library_version(path: str) -> str:
    """Return the version in a library's real file name, such as ``libcuda.so.580.95.05``."""
    match = _LIBRARY.search(path)
    return match[1] if match else ""


class Gpu(NamedTuple):
    """One GPU: model, and the versions of its video BIOS and its GSP firmware."""

    model: str
    vbios: str
    gsp: str


def parse_information(text: str) -> Gpu | None:
    """Return the GPU of /proc/driver/nvidia/gpus/ADDRESS/information, or None without a model.

    Its UUID and bus address are ignored; an unknown version (``??.??``, ``N/A``) is empty.
    """
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        label, colon, value = line.partition(":")
        if colon:
            fields.setdefault(label.strip(), value.strip())
    model = fields.get("Model", "")
    if not model:
        return None
    return Gpu(model, _known(fields.get("Video BIOS", "")), _known(fields.get("GPU Firmware", "")))


def _known(version: str) -> str:
    return "" if _UNKNOWN.fullmatch(version) else version


def parse_params(text: str) -> dict[str, str]:
    """Return the parameters of /proc/driver/nvidia/params by name.

    >>> parse_params("EnableGpuFirmware: 18")
    {'EnableGpuFirmware': '18'}
    """
    pairs = (line.partition(":") for line in text.split("\n"))
    return {name.strip(): value.strip() for name, colon, value in pairs if colon and value.strip()}


class CdiSpec(NamedTuple):
    """A Container Device Interface specification; `libraries` is the number of injected libraries.

    `driver` are the versions in the names of these libraries, sorted.  Several versions, or another
    than that of the loaded driver, mean that the specification is stale.
    """

    kind: str
    version: str
    libraries: int
    driver: tuple[str, ...]


def parse_cdi(text: str) -> CdiSpec | None:
    """Return the specification in a CDI file, YAML or JSON, or None when the text is not one.

    Only three fields are searched for, line by line; device names are not read, since they contain
    UUIDs.
    """
    version, kind = _CDI_VERSION.search(text), _CDI_KIND.search(text)
    if version is None or kind is None:
        return None
    libraries = {path for path in _CDI_PATH.findall(text) if ".so" in path}
    versions = {library_version(path) for path in libraries if _is_driver_library(path)}
    return CdiSpec(kind[1], version[1], len(libraries), tuple(sorted(versions - {""})))


def _is_driver_library(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(("libcuda.so.", "libnvidia-ml.so.", "libnvidia-ptxjitcompiler.so."))
