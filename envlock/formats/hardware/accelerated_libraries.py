"""Libraries of GPUs and linear algebra by the names of their files, and versions in their headers.

Sources: the naming of shared libraries in the Debian Policy (8.1) and ld.so(8); NVIDIA's
version.json, cuda.h, cudnn_version.h, nccl.h and NvInferVersion.h; the names that auditwheel
gives to bundled libraries (``libcudart-d0da41ae.so.11.0``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

_FILE = re.compile(r"lib([A-Za-z0-9_+]+?)(?:-[0-9a-f]{8})?\.so(?:\.(\d+(?:\.\d+)*))?\Z")
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

_PLAIN_BLAS = ("blas", "cblas", "lapack", "lapacke")
_BLAS = (
    ("openblas", re.compile(r"lib(?:scipy_)?openblas[\w.-]*\.so(?:\.\d+)*\Z")),
    ("mkl", re.compile(r"libmkl_rt(?:-[\w.]+)?\.so(?:\.|\Z)")),
    ("blis", re.compile(r"libblis(?:-mt)?(?:-[\w.]+)?\.so(?:\.|\Z)")),
    ("atlas", re.compile(r"lib(?:[st]?atlas|ptf77blas|f77blas)\.so(?:\.|\Z)")),
    ("nvpl", re.compile(r"libnvpl_blas\w*\.so(?:\.|\Z)")),
    ("armpl", re.compile(r"libarmpl\w*\.so(?:\.|\Z)")),
)
_OPENBLAS_VERSION = re.compile(r"-r(\d+(?:\.\d+)+)\.so\Z")
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Z_]+)[ \t]+(\d{1,9})\b", re.MULTILINE)
_CUDA_TEXT = re.compile(r"CUDA Version (\d+(?:\.\d+)+)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


class Library(NamedTuple):
    """A library file: its component, the part of it, and the version in its name, or nothing."""

    component: str
    part: str
    version: str


def parse_library(name: str) -> Library | None:
    """Return what library of the CUDA stack has this file name, or None.

    >>> parse_library("libcudnn_ops.so.9.1.0")
    Library(component='cudnn', part='cudnn_ops', version='9.1.0')
    """
    match = _FILE.match(name)
    if match is None:
        return None
    part, version = match[1], match[2] or ""
    if part.startswith("cudnn"):
        return Library("cudnn", part, version)
    component = _COMPONENTS.get(part)
    return Library(component, part, version) if component else None


def is_exact(version: str) -> bool:
    """True for the version of a file, false for the one or two numbers that a soname has."""
    return version.count(".") >= 2


class Blas(NamedTuple):
    """An implementation of BLAS: whose it is, and the version in its file name, or nothing."""

    vendor: str
    version: str


def parse_blas(path: str) -> Blas | None:
    """Return the implementation in a file of this path, or None for another library.

    >>> parse_blas("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3")
    Blas(vendor='openblas', version='')
    """
    folder, _, name = path.rpartition("/")
    for vendor, pattern in _BLAS:
        if pattern.match(name):
            match = _OPENBLAS_VERSION.search(name)
            return Blas(vendor, match[1] if match else "")
    plain = _FILE.match(name)
    if plain is None or plain[1] not in _PLAIN_BLAS:
        return None
    # Debian keeps each implementation in a folder called after it.
    kept = folder.rpartition("/")[2]
    vendor = next((vendor for vendor, _ in _BLAS if kept.startswith(vendor)), "reference")
    version = plain[2] or ""
    return Blas(vendor, version if is_exact(version) and vendor == "reference" else "")


def parse_defines(text: str) -> dict[str, int]:
    """Return the numbers that a C header defines, the first of each name."""
    found: dict[str, int] = {}
    for name, value in _DEFINE.findall(text):
        found.setdefault(name, int(value))
    return found


def header_version(name: str, text: str) -> str:
    """Return the version in the header called `name`, or nothing.

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
        document = json.loads(text)
    except (ValueError, RecursionError):
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
