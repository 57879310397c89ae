"""The CUDA stack on disk: libraries by file name, versions in headers and toolkit version files.

Sources: NVIDIA's version.json, cuda.h, cudnn_version.h, nccl.h and NvInferVersion.h.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from envlock.formats.binary.library_name import parse_library_name
from envlock.model.document import parse_json

_COMPONENTS = {
    "cuda": "libcuda",
    "cudart": "cudart",
    "cublas": "cublas",
    "cufft": "cufft",
    "cusolver": "cusolver",
    "cusparse": "cusparse",
    "nvrtc": "nvrtc",
    "nccl": "nccl",
    "nvshmem_host": "nvshmem",
    "cutensor": "cutensor",
    "nvinfer": "tensorrt",
    "nvJitLink": "nvjitlink",
}
"""Main library, without ``lib`` -> name of the component."""

_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Z_]+)[ \t]+(\d{1,9})\b", re.MULTILINE)
_CUDA_TEXT = re.compile(r"CUDA Version (\d+(?:\.\d+)+)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


class Library(NamedTuple):
    """A library file: its component, its part of that, and the version in its name, if any."""

    component: str
    part: str
    version: str


def parse_library(name: str) -> Library | None:
    """Return the library of the CUDA stack that has this file name, or None.

    >>> parse_library("libcudnn_ops.so.9.1.0")
    Library(component='cudnn', part='cudnn_ops', version='9.1.0')
    """
    named = parse_library_name(name)
    if named is None:
        return None
    part, version = named
    if part.startswith("cudnn"):
        return Library("cudnn", part, version)
    component = _COMPONENTS.get(part)
    return Library(component, part, version) if component else None


def parse_defines(text: str) -> dict[str, int]:
    """Return name -> number of the constants in a C header, the first of each name."""
    found: dict[str, int] = {}
    for name, value in _DEFINE.findall(text):
        found.setdefault(name, int(value))
    return found


def header_version(name: str, text: str) -> str:
    """Return the version in the header called `name`, or empty.

    >>> header_version("cuda.h", "#define CUDA_VERSION 12040")
    '12.4'
    """
    defines = parse_defines(text)
    if name == "cuda.h":
        number = defines.get("CUDA_VERSION", 0)
        return f"{number // 1000}.{number % 1000 // 10}" if number >= 1000 else ""
    parts = [defines.get(part) for part in _HEADERS.get(name, ())]
    if not parts or None in parts:
        return ""
    return ".".join(map(str, parts))


_HEADERS: Mapping[str, tuple[str, ...]] = {
    "cudnn_version.h": ("CUDNN_MAJOR", "CUDNN_MINOR", "CUDNN_PATCHLEVEL"),
    "nccl.h": ("NCCL_MAJOR", "NCCL_MINOR", "NCCL_PATCH"),
    "NvInferVersion.h": ("NV_TENSORRT_MAJOR", "NV_TENSORRT_MINOR", "NV_TENSORRT_PATCH"),
}
HEADERS: Mapping[str, str] = {
    "cudnn": "cudnn_version.h",
    "nccl": "nccl.h",
    "tensorrt": "NvInferVersion.h",
}
"""Component -> the header that states its version."""


class Toolkit(NamedTuple):
    """A CUDA toolkit: its version, that of its compiler, and the driver packaged with it."""

    version: str
    nvcc: str = ""
    driver: str = ""


def parse_toolkit(text: str) -> Toolkit | None:
    """Return the toolkit of a version.json (since 11.1) or version.txt, or None."""
    plain = _CUDA_TEXT.search(text)
    if plain:
        return Toolkit(plain[1])
    try:
        document = parse_json(text)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    version = _version(document.get("cuda"))
    if not version:
        return None
    return Toolkit(
        version, _version(document.get("cuda_nvcc")), _version(document.get("nvidia_driver"))
    )


def _version(value: object) -> str:
    version = value.get("version") if isinstance(value, dict) else None
    return version if isinstance(version, str) and _NUMBERS.fullmatch(version) else ""


def version_key(version: str) -> tuple[int, ...]:
    """Sort key of a dotted version."""
    return tuple(int(number) for number in _NUMBERS.findall(version.replace(".", " ")))
