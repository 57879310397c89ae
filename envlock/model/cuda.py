"""Which NVIDIA driver the CUDA of a lock needs, by NVIDIA's published rules.

The tables and their sources are in ``cuda.toml`` beside this module.  A newer driver runs any older
CUDA.  From CUDA 11 on, every release of a major version runs on the driver of its first release;
an older toolkit needs the driver it was packaged with.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

from envlock.model.lock import Lock

DRIVER = ("host.driver", "nvidia")
"""Section and key of the NVIDIA driver."""

_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*(?![0-9])")
_RUNTIME_WHEEL = re.compile(r"(?:.*/)?nvidia-cuda-runtime(?:-cu\d+)?\Z")
_TORCH_BUILD = re.compile(r"\+cu(\d{2,3})\Z")
_CONSTRAINT = re.compile(r"(cuda|driver|arch|brand)(>=|<=|!=|=|<|>)([\w.-]+)\Z")


class Table(NamedTuple):
    """The tables of ``cuda.toml``."""

    floor: Mapping[str, str]
    """Major version of CUDA -> oldest driver."""
    packaged: Mapping[str, str]
    """Version of CUDA -> driver packaged with it."""
    never_forward: tuple[str, ...]
    """Parts of the names of GPUs without forward compatibility."""


class Runtime(NamedTuple):
    """A CUDA version in a lock (``12.4.127``, or ``12`` if only that is known) and its record."""

    version: str
    record: str


class Requirement(NamedTuple):
    """The oldest driver that runs every CUDA of a lock, and the CUDA that requires it."""

    driver: str
    runtime: Runtime

    @property
    def constraint(self) -> str:
        """The requirement in the syntax of the ``NVIDIA_REQUIRE_*`` variables of images."""
        return f"driver>={self.driver}"


@cache
def table() -> Table:
    """Return the tables."""
    text = resources.files("envlock.model").joinpath("cuda.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return Table(document["floor"], document["packaged"], tuple(document["forward"]["never"]))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version for comparison; empty if it begins with none.

    >>> numbers("565.77") < numbers("565.77.01") < numbers("1000.1")
    True
    """
    match = _NUMBERS.match(version)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def driver_floor(cuda: str) -> str:
    """Return the oldest driver that runs a CUDA version, empty if no rule is known.

    >>> driver_floor("12.4.127"), driver_floor("10.2"), driver_floor("99.0")
    ('525.60.13', '440.33', '')
    """
    wanted = numbers(cuda)
    if not wanted:
        return ""
    floor = table().floor.get(str(wanted[0]))
    if floor or wanted[0] >= 11:
        return floor or ""
    return packaged_driver(cuda)


def packaged_driver(cuda: str) -> str:
    """Return the oldest driver packaged with a release (X.Y) of CUDA, empty if unknown."""
    release = numbers(cuda)[:2]
    drivers = [
        driver
        for version, driver in table().packaged.items()
        if len(release) == 2 and numbers(version)[:2] == release
    ]
    return min(drivers, key=numbers, default="")


def cuda_of_driver(driver: str) -> str:
    """Return the newest release (X.Y) of CUDA that a driver fully supports, empty if unknown.

    >>> cuda_of_driver("550.54.15"), cuda_of_driver("1.0")
    ('12.4', '')
    """
    known = [
        numbers(version)[:2]
        for version, packaged in table().packaged.items()
        if numbers(packaged) <= numbers(driver)
    ]
    return ".".join(map(str, max(known))) if known and numbers(driver) else ""


def runtimes(lock: Lock) -> Iterator[Runtime]:
    """Yield each CUDA version that software in a lock was built for."""
    for key, facts in lock.sections.get("cuda", {}).items():
        version = facts.get("version") or facts.get("soname", "").split(" ")[-1]
        if key.startswith(("cudart:", "toolkit:")) and version:
            yield Runtime(version, f"cuda {key}")
    for key, facts in lock.sections.get("python", {}).items():
        version = facts.get("version", "")
        build = _TORCH_BUILD.search(version)
        if _RUNTIME_WHEEL.match(key):
            yield Runtime(version, f"python {key}")
        elif build:
            yield Runtime(f"{build[1][:-1]}.{build[1][-1]}", f"python {key}")


def requirement(lock: Lock) -> Requirement | None:
    """Return the driver that a lock requires of its host, or None if it has no CUDA.

    If several need the same driver, the newest CUDA is named, then the first.
    """
    found = [(driver_floor(runtime.version), runtime) for runtime in runtimes(lock)]
    known = [Requirement(floor, runtime) for floor, runtime in found if floor]
    return max(
        known,
        key=lambda need: (numbers(need.driver), numbers(need.runtime.version)),
        default=None,
    )


def driver_of(lock: Lock) -> str:
    """Return the version of the NVIDIA driver recorded in a lock, empty if there is none."""
    return lock.get(*DRIVER).get("version", "")


def is_below(driver: str, floor: str) -> bool:
    """True when a driver is known and older than `floor`."""
    return bool(numbers(driver)) and numbers(driver) < numbers(floor)


def forward_driver(lock: Lock) -> str:
    """Return the driver version of the newest forward compatibility package in a lock.

    Empty if there is none, or if the lock's GPUs are of a kind that it never works on.
    """
    models = lock.sections.get("host.gpu", {})
    if any(word in model for model in models for word in table().never_forward):
        return ""
    versions = [
        facts.get("version", "")
        for key, facts in lock.sections.get("cuda", {}).items()
        if key.startswith("compat:")
    ]
    return max(versions, key=numbers, default="")


def meets(constraints: str, driver: str, properties: Mapping[str, str] | None = None) -> bool:
    """True unless `driver` violates the constraints of an ``NVIDIA_REQUIRE_*`` variable.

    Words are alternatives; the parts of a word, between commas, must all hold (``cuda>=12.4
    brand=tesla,driver>=470,driver<471``).  `properties` may give ``arch`` and ``brand``.  A
    constraint on an unknown property, or one that cannot be parsed, is taken as met.
    """
    known = {"driver": driver, "cuda": cuda_of_driver(driver), **(properties or {})}
    words = constraints.split()
    return not words or any(
        all(_holds(part, known) for part in word.split(",") if part) for word in words
    )


def _holds(part: str, known: Mapping[str, str]) -> bool:
    match = _CONSTRAINT.match(part)
    value = known.get(match[1], "") if match else ""
    if match is None or not value:
        return True
    if match[1] in ("brand", "arch"):
        same = value.lower() == match[3].lower()
        return same if match[2] == "=" else not same
    left, right = _padded(numbers(value), numbers(match[3]))
    return {
        ">=": left >= right,
        "<=": left <= right,
        ">": left > right,
        "<": left < right,
        "=": left == right,
        "!=": left != right,
    }[match[2]]


def _padded(
    left: tuple[int, ...], right: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    width = max(len(left), len(right))
    return left + (0,) * (width - len(left)), right + (0,) * (width - len(right))
