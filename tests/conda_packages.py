"""Conda packages for tests, built with the standard library, and installed by rattler."""

from __future__ import annotations

import asyncio
import bz2
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import rattler
import zstandard
from rattler.package_streaming import extract

from tests.unit.materialize.packages import tar_bytes

PLACEHOLDER = "/home/builder/work/_h_env_" + "placehold_" * 16
_P = PLACEHOLDER.encode()
TOOL: Mapping[str, bytes] = {
    "bin/tool": b"#!%b/bin/python3.11 -s\nimport sys\nprint('%b/share')\n" % (_P, _P),
    "bin/perl-tool": b"#!%b/bin/perl -w\nprint '%b';\n" % (_P, _P),
    "bin/plain": b"#!/bin/sh\necho plain\n",
    "lib/libtool.so": b"\x7fELF%b%b/lib:%b/lib64\0rest\0%b\0end" % (bytes(range(256)), _P, _P, _P),
    "lib/pkgconfig/tool.pc": b"prefix=%b\nlibdir=%b/lib\n" % (_P, _P),
    "share/tool/a file.txt": b"".join(b"%d\n" % number for number in range(50_000)),
}
"""Files of every kind, with and without a placeholder."""
PURE: Mapping[str, bytes] = {
    "site-packages/pure/__init__.py": b"def main(): print('pure')\n" * 20,
    "python-scripts/pure-script": b"#!%b/bin/python\nprint(1)\n" % _P,
}
"""Files of a package for every Python, which installers put where that has its own."""
PYTHON: Mapping[str, bytes] = {"bin/python3.11": b"\x7fELFpython", "lib/python3.11/os.py": b"#\n"}


def build(
    folder: Path,
    name: str,
    files: Mapping[str, bytes],
    *,
    suffix: str = "conda",
    version: str = "1.0",
    entry_points: Iterable[str] = (),
    listed: bool = True,
) -> Path:
    """Write a package of version `version` below a channel; return its path.

    With entry points it is for every Python.  Unless `listed`, it has the lists of older packages.
    """
    subdir = "noarch" if entry_points else "linux-64"
    index = {"name": name, "version": version, "build": "h_0", "build_number": 0, "depends": []}
    index |= {"subdir": subdir, **({"noarch": "python"} if entry_points else {})}
    info = {"info/index.json": json.dumps(index).encode(), "info/files": "\n".join(files).encode()}
    if listed:
        paths = [_path(path, content) for path, content in files.items()]
        info["info/paths.json"] = json.dumps({"paths": paths, "paths_version": 1}).encode()
    else:
        marked = ((path, _mode(raw)) for path, raw in files.items() if _P in raw)
        lines = (f'{PLACEHOLDER} {mode} "{path}"\n' for path, mode in marked)
        info["info/has_prefix"] = "".join(lines).encode()
    if entry_points:
        link = {"noarch": {"type": "python", "entry_points": list(entry_points)}}
        info["info/link.json"] = json.dumps({**link, "package_metadata_version": 1}).encode()
    path = folder / subdir / f"{name}-{version}-h_0.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = path.name.removesuffix(f".{suffix}")
    path.write_bytes(
        conda_bytes(stem, info, files)
        if suffix == "conda"
        else bz2.compress(tar_bytes({**info, **files}))
    )
    return path


def conda_bytes(stem: str, info: Mapping[str, bytes], files: Mapping[str, bytes]) -> bytes:
    """Return a ``.conda`` file with these parts."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        for part, members in (("pkg", files), ("info", info)):
            packed = zstandard.ZstdCompressor().compress(tar_bytes(members))
            archive.writestr(f"{part}-{stem}.tar.zst", packed)
    return raw.getvalue()


def _mode(content: bytes) -> str:
    return "binary" if b"\0" in content else "text"


def _path(path: str, content: bytes) -> dict[str, object]:
    found: dict[str, object] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }
    if _P in content:
        found |= {"prefix_placeholder": PLACEHOLDER, "file_mode": _mode(content)}
    return found


def install(packages: Iterable[Path], into: Path, prefix: str, url: str, scratch: Path) -> None:
    """Install packages with rattler into the folder `into`, which will be at `prefix`.

    `url` is that of their channel; `scratch` is an empty folder, for a cache.
    """
    records = [_record(path, url, scratch) for path in packages]

    async def work() -> None:
        await rattler.install(
            records,
            target_prefix=into,
            cache_dir=scratch / "pkgs",
            show_progress=False,
            alternative_target_prefix=prefix,
        )

    asyncio.run(work())


def _record(path: Path, url: str, scratch: Path) -> rattler.RepoDataRecord:
    folder = scratch / f"index-{path.name}"
    extract(path, folder)
    raw = path.read_bytes()
    record = rattler.PackageRecord.from_index_json(
        folder / "info/index.json",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        md5=hashlib.md5(raw, usedforsecurity=False).hexdigest(),
    )
    return rattler.RepoDataRecord(record, path.name, f"{url}/{path.parent.name}/{path.name}", url)
