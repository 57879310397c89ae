"""Whether the wheel that a distribution was installed from fits its interpreter and its system.

Source: the packaging specification "Platform compatibility tags" (PEP 425, 600, 656).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from envlock.model.text import whole_number

_INTERPRETER = re.compile(r"(cp|py|pp)([0-9])([0-9]{0,9})\Z")
_ABI = re.compile(r"cp([0-9])([0-9]{1,9})(t?)m?u?\Z")
_PLATFORM = re.compile(
    r"(?:(?P<any>any)|linux_(?P<plain>\w+?)|manylinux(?P<old>1|2010|2014)_(?P<of_old>\w+?)"
    r"|(?P<libc>many|musl)linux_(?P<major>[0-9]{1,9})_(?P<minor>[0-9]{1,9})_(?P<of_new>\w+?))\Z"
)
_OLD = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}
_MACHINES = {
    "amd64": "x86_64",
    "i386": "i686",
    "arm64": "aarch64",
    "armhf": "armv7l",
    "ppc64el": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}


class Tags(NamedTuple):
    """The alternatives of a wheel: interpreters, ABIs and platforms."""

    interpreters: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    @classmethod
    def of(cls, file: str) -> Tags | None:
        """Return the tags in the file name of a wheel, or None when it has none."""
        parts = file.removesuffix(".whl").split("-")
        if not file.endswith(".whl") or len(parts) < 5:
            return None
        return cls(*(tuple(part.split(".")) for part in parts[-3:]))


class System(NamedTuple):
    """What a wheel must fit: X.Y and threading of CPython, machine, and C library."""

    release: tuple[int, int]
    is_free_threaded: bool
    arch: str
    libc: str


def fits_interpreter(tags: Tags, system: System) -> bool:
    """True when a CPython of this release can import what the wheel has; true when unknown."""
    return any(
        _fits(interpreter, abi, system) for interpreter in tags.interpreters for abi in tags.abis
    )


def _fits(interpreter: str, abi: str, system: System) -> bool:
    match = _INTERPRETER.match(interpreter)
    if match is None:
        return True
    kind, major = match[1], int(match[2])
    minor = int(match[3]) if match[3] else None
    if kind == "pp" or major != system.release[0]:
        return False
    if abi == "abi3" or (kind == "py" and abi == "none"):
        return minor is None or minor <= system.release[1]
    if abi == "none":
        return minor is None or minor == system.release[1]
    built = _ABI.match(abi)
    if built is None:
        return True
    return (int(built[1]), int(built[2])) == system.release and (
        bool(built[3]) is system.is_free_threaded
    )


def fits_machine(tags: Tags, system: System) -> bool:
    """True when a platform of the wheel has this machine; true when unknown."""
    machine = _MACHINES.get(system.arch, "")
    return not machine or any(
        match is not None and (bool(match["any"]) or _machine(match) == machine)
        for match in map(_PLATFORM.match, tags.platforms)
    )


def needed_glibc(tags: Tags, system: System) -> str:
    """Return what C library the wheel was built for, when this system has not got it, or empty."""
    name, _, version = system.libc.partition(" ")
    needs = list(_needs(tags.platforms))
    if name not in ("glibc", "musl") or not needs or any(need is None for need in needs):
        return ""
    has = _numbers(version) if name == "glibc" else None
    glibc = [need for need in needs if need and need[0] == "glibc"]
    if name == "musl":
        return "glibc" if glibc and len(glibc) == len(needs) else ""
    if not glibc:
        return "musl"
    lowest = min(need[1:] for need in glibc)
    is_newer = bool(has) and lowest > (has or ())[:2]
    return f"glibc {lowest[0]}.{lowest[1]}" if is_newer else ""


def _needs(platforms: Iterable[str]) -> Iterable[tuple[str, int, int] | None]:
    """Yield the C library of each platform, None for one that names none."""
    for platform in platforms:
        match = _PLATFORM.match(platform)
        if match is None or match["any"] or match["plain"]:
            yield None
        elif match["old"]:
            yield ("glibc", *_OLD[match["old"]])
        else:
            libc = "glibc" if match["libc"] == "many" else "musl"
            yield (libc, int(match["major"]), int(match["minor"]))


def _machine(match: re.Match[str]) -> str:
    return match["plain"] or match["of_old"] or match["of_new"] or ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = [whole_number(part) for part in version.split(".")]
    return tuple(part for part in parts if part is not None) if None not in parts else ()
