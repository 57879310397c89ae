"""Versions of software, found in file names and version files without running programs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envlock.formats.system.assignments import parse_assignments
from envlock.model.document import parse_json

_IN_NAME = re.compile(r"[-_ ]v?(\d+(?:\.\d+)+(?:[-.+~]?(?:rc|beta|alpha|b|a)\.?\d*)?)(?=[-_.+]|\Z)")
_SONAME = re.compile(r"\.so\.(\d+(?:\.\d+)+)\Z")
_LINE = re.compile(
    r"(?:[A-Za-z][\w. -]{0,40}?[ -])?v?(\d+(?:\.\d+){1,3}(?:[-+~.][\w.+~]{1,40})?)\Z"
)
_PKG_CONFIG = re.compile(r"^Version:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_SYMBOL = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)*)\Z")


def version_in_name(name: str) -> str:
    """Return the version in the name of a file or directory, or empty.

    >>> [version_in_name(n) for n in ("jdk-17.0.9+9", "tool_1.2.3_linux_amd64", "libz.so.1.3.1")]
    ['17.0.9', '1.2.3', '1.3.1']
    """
    match = _SONAME.search(name) or _IN_NAME.search(name.removesuffix(".jar"))
    return match[1] if match else ""


def parse_pkg_config(text: str) -> str:
    """Return the version in a file of pkg-config(1), or empty."""
    match = _PKG_CONFIG.search(text)
    return match[1] if match else ""


def parse_release(text: str) -> str:
    """Return the version of a Java runtime in its `release` file, or empty."""
    found = parse_assignments(text)
    return found.get("JAVA_RUNTIME_VERSION") or found.get("JAVA_VERSION") or ""


def parse_version_line(text: str) -> str:
    """Return the version in a file that contains little else, or empty."""
    lines = text.strip().split("\n")
    match = _LINE.match(lines[0].strip()) if len(lines) < 4 else None
    return match[1] if match else ""


def parse_cuda_version(text: str) -> str:
    """Return the version of a CUDA toolkit in its `version.json`, or empty."""
    try:
        document = parse_json(text)
    except ValueError:
        return ""
    version = document.get("cuda", {}) if isinstance(document, dict) else {}
    found = version.get("version") if isinstance(version, dict) else None
    return found if isinstance(found, str) else ""


def newest_symbols(versions: Iterable[str]) -> dict[str, str]:
    """Return the newest symbol version of each of GLIBC, GLIBCXX, CXXABI and GCC.

    >>> newest_symbols(["GLIBC_2.4", "GLIBC_2.34", "GLIBC_PRIVATE", "CXXABI_1.3.9"])
    {'GLIBC': '2.34', 'CXXABI': '1.3.9'}
    """
    newest: dict[str, str] = {}
    for version in versions:
        match = _SYMBOL.match(version)
        if match and numbers(match[2]) > numbers(newest.get(match[1], "")):
            newest[match[1]] = match[2]
    return newest


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a dotted version, for comparison; none for an empty one."""
    return tuple(int(number[:9]) for number in version.split(".") if number)
