"""Packages that are not fully installed, doubled, or lack what they depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.diff.inconsistencies.wheels import System
from envlock.model.lock import Lock

_HALF = frozenset({"half-installed", "reinst-required"})
_UNCONFIGURED = frozenset({"unpacked", "half-configured"})
_SEVERAL = re.compile(
    r"(?:kernel|kmod|gpg-pubkey|linux-image|akmod|dkms|installonly|nvidia-open|microcode)"
)
"""Packages of which rpm keeps several versions by intention."""
_NATIVE = re.compile(
    r"(?P<base>(?:.*[-/])?)(?P<os>linux|linuxmusl|darwin|win32|freebsd|openbsd|netbsd|android|sunos"
    r"|aix)-(?P<cpu>x64|arm64|ia32|arm|riscv64|ppc64|s390x|loong64|mips64el)"
    r"(?:-(?P<abi>gnu|glibc|musl|msvc|gnueabihf|musleabihf|eabi))?\Z"
)
_CPUS = {
    "amd64": "x64",
    "arm64": "arm64",
    "i386": "ia32",
    "armhf": "arm",
    "riscv64": "riscv64",
    "ppc64el": "ppc64",
    "s390x": "s390x",
    "loong64": "loong64",
}
_RELEASE = re.compile(r"(\d+)\.(\d+)")


def _states(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("deb", {}).items():
        _, _, state = (*facts.get("status", "").split(), "", "", "")[:3]
        is_broken = "reinstreq" in facts.get("status", "")
        if is_broken or state in _HALF:
            yield Inconsistency("PACKAGE-HALF", "deb", key, f"its state is {state}", "status")
        elif state in _UNCONFIGURED:
            message = f"it is not configured: its state is {state}"
            yield Inconsistency("PACKAGE-NOT-CONFIGURED", "deb", key, message, "status")
        if facts.get("unmet"):
            message = f"nothing installed meets {facts['unmet']}"
            yield Inconsistency("PACKAGE-DEPENDS", "deb", key, message, "unmet")
    for section in ("rpm", "apk", "pacman"):
        for key, facts in lock.sections.get(section, {}).items():
            if facts.get("status"):
                message = f"its state is {facts['status']}"
                yield Inconsistency("PACKAGE-BROKEN", section, key, message, "status")


def _doubled(lock: Lock) -> Iterator[Inconsistency]:
    """Check that of each RPM package one version is installed, but for those with several."""
    versions: dict[str, list[tuple[str, str]]] = {}
    for key, facts in lock.sections.get("rpm", {}).items():
        version = facts.get("version", "")
        name, found, arch = key.rpartition(f"-{version}")
        if version and found and not _SEVERAL.match(name):
            versions.setdefault(f"{name}{arch}", []).append((key, version))
    for several in versions.values():
        if len(several) > 1:
            listed = " and ".join(version for _, version in several)
            message = f"{listed} are installed at once"
            yield Inconsistency("PACKAGE-DOUBLED", "rpm", several[0][0], message)


def _native_parts(lock: Lock) -> Iterator[Inconsistency]:
    """Check that of the parts of a Node package for each platform, one fits this system."""
    arch, libc = lock.get("os").get("arch", ""), lock.get("os").get("libc", "").partition(" ")[0]
    if arch not in _CPUS or libc not in ("glibc", "musl"):
        return
    system = System((0, 0), False, arch, libc)
    parts: dict[str, list[tuple[str, bool]]] = {}
    for key in lock.sections.get("npm", {}):
        match = _NATIVE.match(key)
        if match is not None:
            parts.setdefault(match["base"], []).append((key, _fits(match, system)))
    for several in parts.values():
        if not any(fits for _, fits in several):
            message = f"the system is {arch} with {libc}, and there is no part for it"
            yield Inconsistency("NODE-PLATFORM", "npm", several[0][0], message)


def _fits(match: re.Match[str], system: System) -> bool:
    """True when a part for a platform fits; one that names no C library fits both, mostly."""
    if match["cpu"] != _CPUS[system.arch] or not match["os"].startswith("linux"):
        return False
    is_musl = match["os"] == "linuxmusl" or (match["abi"] or "").startswith("musl")
    is_glibc = (match["abi"] or "").startswith(("gnu", "glibc")) or (
        not is_musl and match["base"].endswith(("/sharp-", "/sharp-libvips-"))
    )
    return not (is_musl and system.libc == "glibc") and not (is_glibc and system.libc == "musl")


def _built_for_r(lock: Lock) -> Iterator[Inconsistency]:
    """Check that compiled R packages were built for the release of R that is installed."""
    records = lock.sections.get("r", {})
    bases = {
        facts.get("built", "")
        for key, facts in records.items()
        if key.endswith("/base") and facts.get("priority") == "base"
    }
    running = _RELEASE.match(bases.pop()) if len(bases) == 1 else None
    for key, facts in records.items() if running else ():
        built = _RELEASE.match(facts.get("built", ""))
        if running and built and facts.get("platform") and built[0] != running[0]:
            rule = "R-BUILT" if built[1] == running[1] else "R-BUILT-MAJOR"
            message = f"it was built for R {built[0]}, R is {running[0]}"
            yield Inconsistency(rule, "r", key, message, "built")


PACKAGES: tuple[Family, ...] = (_states, _doubled, _native_parts, _built_for_r)
