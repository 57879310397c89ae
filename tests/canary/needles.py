"""Find planted secrets in anything that was written, in every form that a program may give them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import zstandard

_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{32,64}(?![0-9a-fA-F])")
_DIGEST_IN_ROW = slice(44, 76)
_ZSTD = b"\x28\xb5\x2f\xfd"


class Needles:
    """The forms of some secrets: as they are, encoded, and as digests of value and file.

    `common` is a part that all secrets have: what does not hold it in any form is not searched for
    each of them, which takes long.
    """

    def __init__(self, secrets: Iterable[str], contents: Iterable[bytes], common: str = "") -> None:
        self._common = list(_forms(common)) if common else [b""]
        self._forms: dict[bytes, str] = {}
        self._digests: dict[bytes, str] = {}
        for secret in secrets:
            for form in _forms(secret):
                self._forms.setdefault(form, secret)
            for value in (secret, f"{secret}\n"):
                self._add_digests(value.encode(), secret)
        for content in contents:
            self._add_digests(content, f"file of {content[:40]!r}")
        self._search = re.compile(b"|".join(map(re.escape, sorted(self._forms, key=len)[::-1])))

    def _add_digests(self, content: bytes, told: str) -> None:
        for algorithm in (hashlib.sha256, hashlib.md5, hashlib.sha1):
            self._digests.setdefault(algorithm(content).hexdigest().encode(), told)
        self._digests.setdefault(base64.b64encode(hashlib.sha256(content).digest()), told)

    def found_in(self, raw: bytes) -> set[str]:
        """Return the secrets that stand in `raw` in any form."""
        is_there = any(form in raw for form in self._common)
        met = {self._forms[form] for form in set(self._search.findall(raw))} if is_there else set()
        return met | {
            self._digests[digest]
            for digest in {found.lower() for found in _HEX.findall(raw)} & self._digests.keys()
        }


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield secret.encode("utf-16-le")
    for alignment in range(3):
        encoded = base64.b64encode(b"x" * alignment + raw + b"xxx")
        start, end = -(-alignment * 8 // 6), (alignment + len(raw)) * 8 // 6
        yield encoded[start:end]  # without what also depends on the bytes around it
        yield encoded[start:end].translate(bytes.maketrans(b"+/", b"-_"))


def written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file below `folder`, and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            for raw in unpacked(path.read_bytes()):
                yield path, raw
            if path.suffix == ".sqlite":
                with sqlite3.connect(path) as database:
                    for _, row in database.execute("SELECT path, row FROM entry"):
                        yield path, row[_DIGEST_IN_ROW].hex().encode()


def unpacked(raw: bytes) -> Iterator[bytes]:
    """Yield some bytes and, level by level, what is compressed or archived in them."""
    yield raw
    if raw[:4] == _ZSTD:
        with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
            yield from unpacked(stream.read())
    elif raw[:2] == b"\x1f\x8b":
        yield from unpacked(zlib.decompressobj(31).decompress(raw))
    elif raw[257:262] == b"ustar":
        with tarfile.open(fileobj=BytesIO(raw), errors="surrogateescape") as archive:
            for member in archive:
                if member.isfile() and (stream := archive.extractfile(member)):
                    yield from unpacked(stream.read())
