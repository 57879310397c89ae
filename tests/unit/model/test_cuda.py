"""NVIDIA's compatibility rules, on the cases in its documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.model.cuda import (
    Runtime,
    cuda_of_driver,
    driver_floor,
    forward_driver,
    is_below,
    meets,
    numbers,
    packaged_driver,
    requirement,
    runtimes,
    table,
)
from envlock.model.lock import Lock
from envlock.model.record import Record

OFFICIAL = (
    "cuda>=12.4 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=470,driver<471 "
    "brand=tesla,driver>=535,driver<536"
)


def lock(*records):
    return Lock.of(Record(*record) for record in records)


@pytest.mark.parametrize(
    ("cuda", "floor"),
    [
        ("13.1", "580.65.06"),
        ("13", "580.65.06"),
        ("12.9.79", "525.60.13"),
        ("12.0", "525.60.13"),
        ("11.8.89", "450.80.02"),
        ("10.2.89", "440.33"),
        ("9.2.148", "396.26"),
        ("10", ""),
        ("99.1", ""),
        ("", ""),
        ("nightly", ""),
    ],
)
def test_the_oldest_driver_of_each_major_version(cuda, floor):
    assert driver_floor(cuda) == floor


def test_the_packaged_driver_is_that_of_the_first_update():
    assert packaged_driver("12.4.1") == "550.54.14"
    assert packaged_driver("12.4") == "550.54.14"
    assert packaged_driver("12.7") == ""


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [
        ("550.54.14", "12.4"),
        ("550.54.13", "12.3"),
        ("570.124.06", "12.8"),
        ("575.57.08", "12.9"),
        ("580.65.06", "13.0"),
        ("999", "13.3"),
        ("300.1", ""),
        ("", ""),
    ],
)
def test_the_newest_cuda_that_a_driver_supports(driver, cuda):
    assert cuda_of_driver(driver) == cuda


def test_no_packaged_driver_is_older_than_the_oldest_supported_one():
    for version, driver in table().packaged.items():
        if numbers(version)[:2] != (11, 0):  # the floor is newer than its first drivers
            assert not is_below(driver, driver_floor(version)), version


def test_versions_are_compared_as_numbers():
    assert is_below("525.60.13", "525.105.17")
    assert is_below("99.1", "525")
    assert not is_below("565.77", "565.77")
    assert not is_below("", "525")
    assert not is_below("nouveau", "525")


def test_every_cuda_of_a_lock_counts_however_it_was_installed():
    found = lock(
        ("cuda", "cudart:/usr/local/cuda-12.4", {"version": "12.4.127"}),
        ("cuda", "cudart:app/torch", {"soname": "11.0"}),
        ("cuda", "cudnn:app", {"version": "9.1.0"}),
        ("python", "app/nvidia-cuda-runtime-cu12", {"version": "12.1.105"}),
        ("python", "app/nvidia-cuda-runtime", {"version": "13.0.48"}),
        ("python", "app/torch", {"version": "2.0.1+cu118"}),
        ("python", "app/numpy", {"version": "2.0"}),
    )
    assert {(runtime.version, runtime.record) for runtime in runtimes(found)} == {
        ("12.4.127", "cuda cudart:/usr/local/cuda-12.4"),
        ("11.0", "cuda cudart:app/torch"),
        ("12.1.105", "python app/nvidia-cuda-runtime-cu12"),
        ("13.0.48", "python app/nvidia-cuda-runtime"),
        ("11.8", "python app/torch"),
    }
    needed = requirement(found)
    assert needed.runtime == Runtime("13.0.48", "python app/nvidia-cuda-runtime")
    assert needed.constraint == "driver>=580.65.06"


def test_a_lock_without_cuda_requires_nothing():
    assert requirement(lock(("cuda", "cudnn:app", {"version": "9.1.0"}))) is None
    assert requirement(lock(("cuda", "cudart:app", {"version": "99.0"}))) is None


def test_forward_compatibility_is_not_for_every_gpu():
    compat = ("cuda", "compat:/usr/local/cuda-12.4", {"version": "550.54.15"})
    assert forward_driver(lock(compat)) == "550.54.15"
    assert forward_driver(lock(compat, ("host.gpu", "NVIDIA H100", {"count": "1"}))) == "550.54.15"
    geforce = ("host.gpu", "NVIDIA GeForce RTX 4090", {"count": "1"})
    assert forward_driver(lock(compat, geforce)) == ""


@pytest.mark.parametrize(
    ("constraints", "driver", "properties", "fits"),
    [
        ("cuda>=12.4", "550.54.15", {}, True),
        ("cuda>=12.4", "535.54.03", {}, False),
        (OFFICIAL, "535.183.01", {"brand": "tesla"}, True),
        (OFFICIAL, "535.183.01", {"brand": "geforce"}, False),
        (OFFICIAL, "525.60.13", {"brand": "tesla"}, False),
        (OFFICIAL, "470.199.02", {}, True),
        ("driver>=525.60.13", "525.60.13", {}, True),
        ("driver>525.60.13", "525.60.13", {}, False),
        ("driver<=525", "525.0", {}, True),
        ("driver!=525", "525.0.0", {}, False),
        ("driver=525", "525", {}, True),
        ("brand!=tesla", "525", {"brand": "tesla"}, False),
        ("arch=8.0", "525", {}, True),
        ("", "525", {}, True),
        ("what is this", "525", {}, True),
    ],
)
def test_constraints_of_images(constraints, driver, properties, fits):
    assert meets(constraints, driver, properties) is fits


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_constraint_and_no_version_is_an_error(constraints, driver):
    assert meets(constraints, driver) in (True, False)
    assert isinstance(cuda_of_driver(driver), str)
    assert isinstance(driver_floor(driver), str)
