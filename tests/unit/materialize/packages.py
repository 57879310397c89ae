"""Small package files for tests: Debian packages and wheels, built with the standard library."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import zstandard

COMPRESSIONS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}
"""Suffix of data.tar -> function that compresses it."""


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()


def deb_bytes(
    files: Mapping[str, bytes],
    *,
    suffix: str = ".gz",
    links: Mapping[str, str] | None = None,
    control: Mapping[str, str] | None = None,
) -> bytes:
    """Return a Debian package (deb(5)) with these files, and hard links path -> path.

    `control` are the fields of its control file.
    """
    fields = "".join(f"{key}: {value}\n" for key, value in (control or {"Package": "a"}).items())
    packed = COMPRESSIONS[suffix](tar_bytes({"./control": fields.encode()}))
    members = {
        "debian-binary": b"2.0\n",
        f"control.tar{suffix}": packed,
        f"data.tar{suffix}": COMPRESSIONS[suffix](tar_bytes(files, links or {})),
    }
    return ar_bytes(members)


def ar_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return an ar archive (ar(5))."""
    parts = [b"!<arch>\n"]
    for name, content in members.items():
        parts.append(b"%-16b%-12d%-6d%-6d%-8o%-10d`\n" % (name.encode(), 0, 0, 0, 0, len(content)))
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def tgz_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return an npm package with these files."""
    return gzip.compress(tar_bytes({f"package/{name}": files[name] for name in files}), mtime=0)


def integrity(content: bytes) -> str:
    """Return the digest of a file as lockfiles of npm state it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def tar_bytes(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """Return a tar with these files and hard links, the way dpkg-deb names them (``./path``)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.LNKTYPE, target
            tar.addfile(info)
    return raw.getvalue()


def write_wheel(
    path: Path,
    files: Mapping[str, bytes],
    *,
    record: bytes | None = None,
    name: str = "a-1",
    tags: Sequence[str] = ("py3-none-any",),
) -> Path:
    """Write a wheel (PEP 427) of `name` (project-version); `record` replaces the right RECORD."""
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        project, version = name.split("-")
        metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        lines = "".join(f"Tag: {tag}\n" for tag in tags)
        archive.writestr(f"{name}.dist-info/WHEEL", f"Wheel-Version: 1.0\n{lines}")
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        for member, content in files.items():
            rows.writerow((member, f"sha256={_urlsafe(content)}", len(content)))
        right = text.getvalue().encode()
        archive.writestr(f"{name}.dist-info/RECORD", right if record is None else record)
    return path


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
