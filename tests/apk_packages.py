"""Packages of Alpine for tests, made by hand as the format of version 2 says, and roots of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class Apk(NamedTuple):
    """A package: its name, version, files, and the bytes of the package file."""

    name: str
    version: str
    files: Mapping[str, bytes]
    content: bytes
    control: bytes

    @property
    def sha1(self) -> str:
        """Return the digest of its control in hex."""
        return hashlib.sha1(self.control).hexdigest()

    @property
    def filename(self) -> str:
        """Return the name of the package file."""
        return f"{self.name}-{self.version}.apk"


def checksum(content: bytes) -> str:
    """Return a checksum as the database of apk has it."""
    return "Q1" + base64.b64encode(hashlib.sha1(content).digest()).decode()


def segment(files: Mapping[str, bytes], *, is_last: bool = False) -> bytes:
    """Return a member of gzip: a tar with these files, without its end unless it is the last."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), 1700000000, 0o644
            info.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(content).hexdigest()}
            archive.addfile(info, io.BytesIO(content))
        size = buffer.tell()
    return gzip.compress(buffer.getvalue() if is_last else buffer.getvalue()[:size], mtime=0)


def build(name: str, files: Mapping[str, bytes], version: str = "1.2-r0", keys: int = 1) -> Apk:
    """Return a package with so many signatures, as abuild makes it."""
    data = segment(files, is_last=True)
    info = f"# Generated\npkgname = {name}\npkgver = {version}\narch = x86_64\n"
    info += f"datahash = {hashlib.sha256(data).hexdigest()}\n"
    control = segment({".PKGINFO": info.encode(), ".post-install": b"#!/bin/sh\n"})
    signatures = (segment({f".SIGN.RSA.key{n}.rsa.pub": bytes([n]) * 512}) for n in range(keys))
    return Apk(name, version, files, b"".join((*signatures, control, data)), control)


def make_repository(folder: Path, packages: Iterable[Apk]) -> Path:
    """Make a repository in a folder, with a signed index."""
    (folder / "x86_64").mkdir(parents=True)
    lines = []
    for each in packages:
        (folder / "x86_64" / each.filename).write_bytes(each.content)
        lines += [f"C:{checksum(each.control)}", f"P:{each.name}", f"V:{each.version}", ""]
    index = {"DESCRIPTION": b"v1", "APKINDEX": "\n".join(lines).encode()}
    signed = segment({".SIGN.RSA.key.rsa.pub": b"x" * 512}) + segment(index, is_last=True)
    (folder / "x86_64/APKINDEX.tar.gz").write_bytes(signed)
    return folder


def install(root: Path, packages: Iterable[Apk]) -> Path:
    """Make a root with packages, as apk leaves it."""
    database = []
    for each in packages:
        database += [f"C:{checksum(each.control)}", f"P:{each.name}", f"V:{each.version}"]
        database += ["A:x86_64", f"o:{each.name}s"]
        for path, content in each.files.items():
            folder, _, name = path.rpartition("/")
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
            (root / path).chmod(0o644)
            database += [f"F:{folder}", f"R:{name}", f"Z:{checksum(content)}"]
        database.append("")
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "lib/apk/db/installed").write_text("\n".join(database) + "\n")
    return root
