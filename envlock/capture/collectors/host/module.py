"""Kernel modules: loaded modules compared with their files on disk, and the modules of DKMS.

A module whose file differs from the loaded one was updated but not reloaded: the next boot changes
the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.hardware.kernel import module_name, parse_modules, parse_modules_dep
from envlock.formats.hardware.modinfo import MAX_SIZE, parse_modinfo, read_modinfo, unpack
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import EntryType
from envlock.targets.base import Capability

_RELEASE = "/proc/sys/kernel/osrelease"
_MODULES = "/lib/modules"
_DKMS = "/var/lib/dkms"
_LOADED = ("version", "srcversion", "taint")
_NAME = re.compile(r"[\w.+~-]{1,128}", re.ASCII)
_PIECE = 4 * 1024 * 1024
_PACKED_LIMIT = 64 * 1024 * 1024
"""Largest compressed module in bytes; the largest that exist are a third of it."""
_BUDGET = 1024 * 1024 * 1024
"""Bytes of unpacked module files that one capture reads in all."""


def collect(context: Context) -> Iterator[Record]:
    """Yield each loaded module, and each module of DKMS.

    Facts of a module: ``version``, ``srcversion``, ``taint`` (P proprietary, O out of tree, E
    unsigned...), ``state``; where its file differs from the loaded module, ``disk-version`` and
    ``disk-srcversion`` of the file and ``pending = "true"``.
    """
    match = _NAME.fullmatch(context.line(_RELEASE))
    release = match[0] if match else "unknown"
    files = parse_modules_dep(context.text(f"{_MODULES}/{release}/modules.dep") or "")
    disk = _Disk(context, f"{_MODULES}/{release}", files)
    for name in parse_modules(context.text("/proc/modules") or ""):
        found = {fact: context.line(f"/sys/module/{name}/{fact}") for fact in _LOADED}
        facts = {fact: value for fact, value in found.items() if value}
        yield Record("host.module", name, {**facts, **disk.changes(name, facts), "state": "loaded"})
    yield from _dkms(context, release)


class _Disk:
    """The module files of the running kernel, read within a budget."""

    def __init__(self, context: Context, folder: str, files: dict[str, str]) -> None:
        self._context = context
        self._folder = folder
        self._files = files
        self._left = _BUDGET

    def changes(self, name: str, loaded: dict[str, str]) -> dict[str, str]:
        """Return the facts in which the file of a loaded module differs from it.

        An in-tree module without its own version is skipped: it changes only with the kernel.
        """
        path = self._files.get(name, "")
        is_in_tree = path.startswith("kernel/") and "version" not in loaded
        if not path or is_in_tree or not {"version", "srcversion"} & loaded.keys():
            return {}
        try:
            info = self._read(f"{self._folder}/{path}")
        except ValueError as error:
            self._context.gap(f"{self._folder}/{path}", str(error))
            return {}
        differ = {
            f"disk-{fact}": info[fact]
            for fact in ("version", "srcversion")
            if info.get(fact) and fact in loaded and info[fact] != loaded[fact]
        }
        return {**differ, "pending": "true"} if differ else {}

    def _read(self, path: str) -> dict[str, str]:
        entry = self._context.stat(self._context.resolve(path))
        if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
            return {}
        if self._left <= 0:
            raise ValueError("too many modules to read")
        stream = self._context.open(entry)
        if stream is None:
            return {}
        with closing(stream):
            if path.endswith(".ko"):
                return read_modinfo(stream)
            raw = _up_to(_PACKED_LIMIT, stream)
        content = unpack(path, raw, min(MAX_SIZE, self._left))
        self._left -= len(content)
        return parse_modinfo(content)


def _up_to(size: int, stream: BinaryIO) -> bytes:
    """Read up to `size` bytes, in pieces: a stream allocates all that is requested at once."""
    raw = b""
    while piece := stream.read(min(_PIECE, size - len(raw))):
        raw += piece
    return raw


def _dkms(context: Context, release: str) -> Iterator[Record]:
    """Yield a record for each module of DKMS: its newest version, and whether that is built.

    Facts: ``version``, ``other-versions``, the ``modules`` built, and ``state``: ``built`` for the
    running kernel, ``not-built`` for it, or ``added`` (built for no kernel).
    """
    # The directory also holds its version, and links to builds for kernels (kernel-RELEASE-ARCH).
    trees = [child.path for child in context.children(_DKMS) if child.type is EntryType.DIRECTORY]
    for tree in trees:
        name = tree.rpartition("/")[2]
        versions = [
            version for version in context.names(tree) if context.exists(f"{tree}/{version}/source")
        ]
        if not versions:
            continue
        newest = max(versions, key=_order)
        kernels = [
            entry.path.rpartition("/")[2]
            for entry in context.children(f"{tree}/{newest}")
            if entry.type is EntryType.DIRECTORY and not entry.path.endswith("/build")
        ]
        modules = _built(context, f"{tree}/{newest}/{release}") if release in kernels else []
        facts = {
            "version": newest,
            "other-versions": " ".join(version for version in versions if version != newest),
            "modules": " ".join(modules),
            "state": "built" if release in kernels else "not-built" if kernels else "added",
        }
        yield Record("host.dkms", name, {fact: value for fact, value in facts.items() if value})


def _built(context: Context, folder: str) -> list[str]:
    names = {
        module_name(file)
        for arch in context.names(folder)
        for file in context.names(f"{folder}/{arch}/module")
    }
    return sorted(names - {""}, key=sort_key)


def _order(version: str) -> tuple[tuple[int, ...], bytes]:
    digits = "".join(char if char.isdecimal() and char.isascii() else " " for char in version)
    return tuple(int(number) for number in digits.split()[:8]), sort_key(version)


COLLECTOR = Collector(
    name="host.module",
    sections=("host.module", "host.dkms"),
    reads=(
        "/proc/modules",
        _RELEASE,
        *(f"/sys/module/*/{fact}" for fact in _LOADED),
        f"{_MODULES}/*/modules.dep",
        f"{_DKMS}/*/*/source",
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=(
        "proc(5)",
        "Documentation/ABI/stable/sysfs-module",
        "modules.dep(5)",
        "modinfo(8)",
        "dkms(8)",
    ),
)
