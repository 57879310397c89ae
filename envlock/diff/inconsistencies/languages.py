"""Compiled packages of Node, Ruby and R that are for another platform, release or interface."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.model.lock import Lock
from envlock.model.record import Facts

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
_RELEASE = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})(?![0-9])")
_NODE_ABIS = {
    10: "64", 11: "67", 12: "72", 13: "79", 14: "83", 15: "88", 16: "93", 17: "102", 18: "108",
    19: "111", 20: "115", 21: "120", 22: "127", 23: "131", 24: "137",
}  # fmt: skip
"""Major number of Node -> NODE_MODULE_VERSION (nodejs.org, abi_version_registry.json)."""
_GEM_PLATFORM = re.compile(
    r"(?P<cpu>[^-]{1,64})-(?P<os>[a-z]{1,32})(?:-?(?P<libc>gnu|musl))?[\w.-]{0,64}\Z"
)
_GEM_CPUS = {
    "amd64": ("x86_64", "x64", "amd64"),
    "arm64": ("aarch64", "arm64"),
    "i386": ("x86", "i386", "i686"),
    "armhf": ("arm",),
}


def _native_parts(lock: Lock) -> Iterator[Inconsistency]:
    """Check that of the parts of a Node package for each platform, one fits this system."""
    arch, libc = lock.get("os").get("arch", ""), lock.get("os").get("libc", "").partition(" ")[0]
    if arch not in _CPUS or libc not in ("glibc", "musl"):
        return
    parts: dict[str, list[tuple[str, bool]]] = {}
    for key in lock.sections.get("npm", {}):
        match = _NATIVE.match(key)
        if match is not None:
            parts.setdefault(match["base"], []).append((key, _fits(match, arch, libc)))
    for several in parts.values():
        if not any(fits for _, fits in several):
            message = f"the system is {arch} with {libc}, and there is no part for it"
            yield Inconsistency("NODE-PLATFORM", "npm", several[0][0], message)


def _fits(match: re.Match[str], arch: str, libc: str) -> bool:
    """True when a part for a platform fits; one that names no C library fits both, mostly."""
    if match["cpu"] != _CPUS[arch] or not match["os"].startswith("linux"):
        return False
    is_musl = match["os"] == "linuxmusl" or (match["abi"] or "").startswith("musl")
    is_glibc = (match["abi"] or "").startswith(("gnu", "glibc")) or (
        not is_musl and match["base"].endswith(("/sharp-", "/sharp-libvips-"))
    )
    return not (is_musl and libc == "glibc") and not (is_glibc and libc == "musl")


def _node_interface(lock: Lock) -> Iterator[Inconsistency]:
    """Check that compiled modules have the binary interface of a Node that is installed."""
    known = {_NODE_ABIS[major] for major in _nodes(lock) if major in _NODE_ABIS}
    for key, facts in lock.sections.get("npm", {}).items():
        needed = set(facts.get("node-abi", "").split())
        if known and needed and not needed & known:
            message = (
                f"its module needs the interface {' '.join(sorted(needed))} of Node, "
                f"installed is {' '.join(sorted(known))}"
            )
            yield Inconsistency("NODE-ABI", "npm", key, message, "node-abi")
        if facts.get("unmet-peers"):
            message = f"it needs {facts['unmet-peers']} beside it, which nothing installed"
            yield Inconsistency("NODE-PEER", "npm", key, message, "unmet-peers")
        for fact in ("missing", "lacking"):
            if facts.get(fact):
                message = f"its compiled module needs {facts[fact]}, which is not there"
                yield Inconsistency("NODE-LIBRARY", "npm", key, message, fact)


def _nodes(lock: Lock) -> Iterator[int]:
    """Yield the major numbers of the installed Node releases."""
    for section in ("deb", "rpm", "apk", "pacman", "conda"):
        for key, facts in lock.sections.get(section, {}).items():
            name = key.rpartition("/")[2].partition(":")[0].partition(".")[0]
            if name in ("nodejs", "node", "nodejs-current", "nodejs-lts"):
                yield from _major(facts)
    for key, facts in lock.sections.get("npm", {}).items():
        if "/" not in key and facts.get("global") == "true":
            yield from _major(facts)


def _major(facts: Facts) -> Iterator[int]:
    match = re.match(r"(?:\d+:)?(\d{1,3})\b", facts.get("version", ""))
    if match:
        yield int(match[1])


def _gem_platforms(lock: Lock) -> Iterator[Inconsistency]:
    """Check that a gem with compiled parts is there for this platform, or for any."""
    arch, libc = lock.get("os").get("arch", ""), lock.get("os").get("libc", "").partition(" ")[0]
    if arch not in _GEM_CPUS or libc not in ("glibc", "musl"):
        return
    gems: dict[str, list[tuple[str, str, bool]]] = {}
    for key, facts in lock.sections.get("gem", {}).items():
        platform = facts.get("platform", "")
        if "/" in key and "version" in facts:
            name = key.partition("@")[0]
            gems.setdefault(name, []).append((key, platform, _fits_gem(platform, arch, libc)))
    for several in gems.values():
        if not any(fits for _, _, fits in several):
            key, platform, _ = several[0]
            message = f"it is for {platform}, the system is {arch} with {libc}"
            yield Inconsistency("GEM-PLATFORM", "gem", key, message, "platform")


def _fits_gem(platform: str, arch: str, libc: str) -> bool:
    match = _GEM_PLATFORM.match(platform)
    if match is None or match["cpu"] in ("java", "universal"):
        return True
    is_libc = match["libc"] is None or (match["libc"] == "musl") is (libc == "musl")
    return match["cpu"] in _GEM_CPUS[arch] and match["os"] == "linux" and is_libc


def _gem_rubies(lock: Lock) -> Iterator[Inconsistency]:
    """Check that gems are for a Ruby that is installed, where any is known."""
    sets = {key: facts for key, facts in lock.sections.get("gem", {}).items() if "abi" in facts}
    rubies = {facts["abi"] for facts in sets.values() if "version" in facts}
    for key, facts in sets.items():
        if rubies and facts["abi"] not in rubies:
            message = (
                f"its gems are for Ruby {facts['abi']}, installed is {' '.join(sorted(rubies))}"
            )
            yield Inconsistency("GEM-RUBY", "gem", key, message, "abi")


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


LANGUAGES: tuple[Family, ...] = (
    _native_parts,
    _node_interface,
    _gem_platforms,
    _gem_rubies,
    _built_for_r,
)
