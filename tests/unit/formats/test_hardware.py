"""Parsers of hardware data from the kernel and drivers, and of library names."""

import ctypes
import json
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.hardware import blas, cpuinfo, cuda, kernel, nvidia
from envlock.formats.system import limits, process_maps, sysctl


def test_a_mapped_library_and_its_removal_are_found(tmp_path):
    library = tmp_path / "libcudart.so.12.4.127"
    shutil.copy(Path(sys.modules["_ctypes"].__file__), library)
    ctypes.CDLL(str(library))
    found = process_maps.parse_maps(Path("/proc/self/maps").read_text())
    assert process_maps.Mapped(str(library)) in found
    assert any(mapped.path.endswith("/libc.so.6") for mapped in found)
    library.unlink()
    found = process_maps.parse_maps(Path("/proc/self/maps").read_text())
    assert process_maps.Mapped(str(library), is_deleted=True) in found
    assert cuda.parse_library(library.name).version == "12.4.127"


PARSERS = [
    kernel.parse_modules,
    kernel.parse_modules_dep,
    cpuinfo.parse_cpuinfo,
    kernel.parse_choice,
    sysctl.parse_sysctl,
    limits.parse_pam_limits,
    limits.parse_proc_limits,
    limits.parse_cgroup,
    process_maps.parse_maps,
    nvidia.parse_nvrm,
    nvidia.parse_information,
    nvidia.parse_params,
    nvidia.parse_cdi,
    cuda.parse_library,
    blas.parse_blas,
    cuda.parse_toolkit,
    cuda.parse_defines,
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(raw=st.binary(max_size=300))
def test_arbitrary_text_does_not_crash(parse, raw):
    text = raw.decode("utf-8", "surrogateescape")
    assert parse(text) == parse(text)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("libcudart.so.12.4.127", ("cudart", "cudart", "12.4.127")),
        ("libcudart.so.12", ("cudart", "cudart", "12")),
        ("libcudart-d0da41ae.so.11.0", ("cudart", "cudart", "11.0")),
        ("libcudnn_ops_infer.so.8.9.2", ("cudnn", "cudnn_ops_infer", "8.9.2")),
        ("libnccl.so.2.21.5", ("nccl", "nccl", "2.21.5")),
        ("libcuda.so.580.95.05", ("libcuda", "cuda", "580.95.05")),
        ("libcudart.so", ("cudart", "cudart", "")),
        ("libcudart_static.a", None),
        ("libcudadebugger.so.1", None),
        ("libcurl.so.4", None),
        ("cudart.so.12", None),
    ],
)
def test_libraries_by_name(name, found):
    assert cuda.parse_library(name) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/usr/lib/x86_64-linux-gnu/libopenblasp-r0.3.21.so", ("openblas", "0.3.21")),
        ("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", ("reference", "3.11.0")),
        ("/usr/lib/x86_64-linux-gnu/blis-openmp/libblas.so.4.0.0", ("blis", "")),
        ("/usr/lib/x86_64-linux-gnu/libmkl_rt.so", ("mkl", "")),
        ("/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so.2", ("mkl", "")),
        ("/x/numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so", ("openblas", "")),
        ("/x/numpy.libs/libscipy_openblas64_-ff651d7f.so", ("openblas", "")),
        ("/usr/lib/libopenblas.so.0", ("openblas", "")),
        ("/usr/lib/libblastrampoline.so", None),
        ("/usr/lib/libm.so.6", None),
    ],
)  # fmt: skip
def test_blas_implementations_by_name(path, found):
    assert blas.parse_blas(path) == found


@pytest.mark.parametrize(
    ("text", "toolkit"),
    [
        ("CUDA Version 10.2.89\nCUDA Patch Version 10.2.1\n", ("10.2.89", "", "")),
        (
            json.dumps({"cuda": {"version": "13.2.1"}, "nvidia_driver": {"version": "595.71.05"}}),
            ("13.2.1", "", "595.71.05"),
        ),
        (json.dumps({"cuda": {"version": 13}}), None),
        (json.dumps({"version": "1.2.3"}), None),
        ("[" * 100_000, None),
    ],
)
def test_toolkits_by_their_version_files(text, toolkit):
    assert cuda.parse_toolkit(text) == toolkit
