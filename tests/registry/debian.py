"""A small Debian root with packages, and the mirror that has them, for tests of their sources."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.registry.faults import Fault, Question, Reply, proxy
from tests.unit.materialize.packages import deb_bytes

PACKAGES: Mapping[str, Mapping[str, bytes]] = {
    "tool": {"usr/bin/tool": b"#!/bin/sh\necho tool\n" * 50},
    "data": {"usr/share/data/one": b"one" * 4000, "usr/share/data/two": b"two" * 4000},
}
"""Packages of version 1 for all architectures, and their files."""


def package(name: str, version: str = "1") -> bytes:
    """Return the package file of one of `PACKAGES`."""
    files = {f"./{path}": content for path, content in PACKAGES[name].items()}
    control = {"Package": name, "Version": version, "Architecture": "all"}
    return deb_bytes(files, suffix=".xz", control=control)  # gzip would state the time


def make_root(root: Path, mirror: str = "") -> Path:
    """Write a root in which `PACKAGES` are installed, from a flat repository at `mirror`."""
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy2("/bin/sh", root / "usr/bin/sh", follow_symlinks=True)  # it has the architecture
    (root / "bin").symlink_to("usr/bin")
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    status = []
    for name, files in PACKAGES.items():
        status.append(
            f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody\n"
            f"Architecture: all\nVersion: 1\nDescription: {name}\n"
        )
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        (info / f"{name}.list").write_text("".join(f"/{path}\n" for path in files))
        sums = (f"{hashlib.md5(raw).hexdigest()}  {path}\n" for path, raw in files.items())
        (info / f"{name}.md5sums").write_text("".join(sums))
    (root / "var/lib/dpkg/status").write_text("\n".join(status))
    (root / "etc/apt").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n")
    if mirror:
        (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] {mirror} ./\n")
    return root


def make_repository(folder: Path, version: str = "1") -> Path:
    """Write a flat repository with `PACKAGES`."""
    folder.mkdir(parents=True, exist_ok=True)
    stanzas = []
    for name in PACKAGES:
        raw = package(name, version)
        (folder / f"{name}.deb").write_bytes(raw)
        stanzas.append(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
            f"Description: {name}\nFilename: ./{name}.deb\nSize: {len(raw)}\n"
            f"SHA256: {hashlib.sha256(raw).hexdigest()}\n"
        )
    (folder / "Packages").write_text("\n".join(stanzas))
    return folder


def index_of(root: Path, repository: Path) -> None:
    """Give a root the index of a repository, as ``apt-get update`` does."""
    lists = root / "var/lib/apt/lists"
    lists.mkdir(parents=True, exist_ok=True)
    shutil.copy2(repository / "Packages", lists / "mirror_._Packages")


def files_of(folder: Path) -> Fault:
    """Answer with the files of a folder, or the part of one that is asked for."""

    def answer(question: Question, _ask: Callable[[], Reply]) -> Reply:
        path = folder / unquote(urlsplit(question.path).path).lstrip("/")
        if not path.is_file():
            return Reply(404, {}, b"")
        content = path.read_bytes()
        part = re.match(r"bytes=(\d+)-\Z", question.headers.get("Range", ""))
        if part is None:
            return Reply(200, {"Accept-Ranges": "bytes"}, content)
        start = int(part[1])
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Reply(206, {"Content-Range": span}, content[start:])

    return answer


@contextmanager
def mirror(folder: Path, fault: Fault | None = None) -> Iterator[tuple[str, list[Question]]]:
    """Serve a folder on loopback; yield its URL, and the requests it sees.

    `fault` may answer instead; what it is given to ask is the folder.
    """
    plain = files_of(folder)

    def answer(question: Question, ask: Callable[[], Reply]) -> Reply:
        return fault(question, lambda: plain(question, ask)) if fault else plain(question, ask)

    with proxy("", answer) as (address, seen):
        yield f"http://{address}", seen
