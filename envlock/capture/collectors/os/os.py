"""The operating system: release, architecture and C library, read from files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.assignments import parse_assignments
from envlock.model.record import Record

_MACHINES = {
    3: "i386", 8: "mipsel", 21: "ppc64el", 22: "s390x", 40: "armhf", 62: "amd64", 183: "arm64",
    243: "riscv64", 258: "loong64",
}  # fmt: skip
"""ELF e_machine -> Debian architecture (elf(5); Debian's ostable and cputable)."""

_ARCHS = "/var/lib/dpkg/arch"
_PROGRAMS = ("/bin/sh", "/usr/bin/env", "/usr/bin/dpkg", "/sbin/ldconfig", "/bin/busybox")
_LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_GLIBC = re.compile(rb"GNU C Library[^\n]{0,200}? (?:stable )?release version ([0-9.]+[0-9])")
_LIBRARY_LIMIT = 32 * 1024 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield the one record of section os."""
    release = parse_assignments(
        context.text("/etc/os-release") or context.text("/usr/lib/os-release") or ""
    )
    point = (context.text("/etc/debian_version") or "").strip()
    facts = {
        "id": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "codename": release.get("VERSION_CODENAME", ""),
        "variant": release.get("VARIANT_ID", ""),
        "point-release": point,
        "arch": _arch(context),
        "foreign-archs": " ".join(sorted((context.text(_ARCHS) or "").split()[1:])),
        "libc": _libc(context),
    }
    facts = {name: value for name, value in facts.items() if value}
    if facts:
        yield Record("os", "", facts)


def _arch(context: Context) -> str:
    native_first = (context.text(_ARCHS) or "").split()
    if native_first:
        return native_first[0]
    for path in _PROGRAMS:
        head = context.read(path)
        if head and head[:4] == b"\x7fELF" and len(head) > 20:
            order = "little" if head[5] == 1 else "big"
            machine = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
            return _MACHINES.get(machine, f"elf-{machine}")
    return ""


def _libc(context: Context) -> str:
    for folder in _library_folders(context):
        names = context.names(folder)
        if "libc.so.6" in names:
            match = _GLIBC.search(context.read(f"{folder}/libc.so.6", _LIBRARY_LIMIT) or b"")
            if match:
                return f"glibc {match[1].decode()}"
        musl = next((name for name in names if name.startswith("ld-musl-")), "")
        if musl:
            return "musl"
    return ""


def _library_folders(context: Context) -> Iterator[str]:
    for folder in _LIBRARY_FOLDERS:
        yield folder
        for name in context.names(folder):
            if "-linux-" in name:
                yield f"{folder}/{name}"


COLLECTOR = Collector(
    name="os",
    sections=("os",),
    reads=(
        "/etc/os-release",
        "/usr/lib/os-release",
        "/etc/debian_version",
        _ARCHS,
        *_PROGRAMS,
        *(f"{folder}/libc.so.6" for folder in _LIBRARY_FOLDERS),
        *(f"{folder}/*/libc.so.6" for folder in _LIBRARY_FOLDERS),
    ),
    collect=collect,
    sources=("os-release(5)", "elf(5)", "dpkg-architecture(1)"),
)
