"""What the tests made, searched for secrets by the code of `envlock scan`.

After each test, the locks, stores, recordings, images and reports in its temporary folder are
searched.  What a test writes to be captured is no output and is not searched.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envlock.cli.scan_archives import opened
from envlock.cli.scan_contents import scan
from envlock.cli.scan_recording import Hit
from envlock.errors import EnvlockError
from envlock.lockfile.syntax import HEADER
from envlock.reading import open_file
from envlock.targets.stream.packed import NotSearchedError, peek

LARGE = 256 << 20
"""Size in bytes of an output that is not searched: only tests of limits make such, of zeros."""
ENOUGH = 2.0
"""Seconds of work after which further variants of one test are not searched."""
_STORE = {"objects", "refs", "quarantine"}
_LAYOUT = {"oci-layout", "blobs"}
_LOCKS = (HEADER[:20].encode(), b"lock-version")
_REPORTS = (".html", ".json", ".md", ".sarif", ".txt", ".xml", ".commands")
_ARCHIVES = (".tar", ".tar.gz", ".tar.zst", ".tgz", ".bundle", ".oci")
_FIRST = {"recording.json", "oci-layout", "blobs", "index.json", "manifest.json"}
_PROJECT = "project"
"""The folder in which the tests run the command line; with the folder above, where reports are."""
_PIECE = 1 << 20


class Made:
    """What was searched so far, so that the same bytes are not searched twice in one run."""

    def __init__(self) -> None:
        self._searched: set[bytes] = set()
        self._seconds: Counter[str] = Counter()
        self.folders: set[Path] = set()
        """Folders that were searched or that belong to a test that plants secrets."""

    def hits(self, folder: Path, test: str) -> list[Hit]:
        """Return the secrets in what envlock wrote below `folder`; what is damaged is passed by.

        The variants of a test are told by one name.  They write almost the same, so once they took
        `ENOUGH` seconds, further ones are passed by.
        """
        self.folders.add(folder)
        if self._seconds[test] > ENOUGH:
            return []
        begin = time.process_time()
        made = (path for path in outputs(folder) if _size(path) <= LARGE)
        found = [hit for path in made if self._is_new(path) for hit in _hits(path)]
        self._seconds[test] += time.process_time() - begin
        return found

    def _is_new(self, path: Path) -> bool:
        mark = _mark(path)
        is_new = mark not in self._searched
        self._searched.add(mark)
        return is_new


def outputs(top: Path) -> Iterator[Path]:
    """Yield the locks, recordings, archives, reports, stores and layouts below a folder."""
    for folder, folders, names in os.walk(top):
        found = {*folders, *names}
        if found >= _STORE:  # its cache holds packages of others
            folders.clear()
            yield from (Path(folder, name) for name in ("objects", "refs"))
            continue
        if found >= _LAYOUT:  # by file: most layers are those of the image of another test
            folders.clear()
            yield from (path for path in Path(folder).rglob("*") if not path.is_dir())
            continue
        can_hold_reports = Path(folder) in (top, top / _PROJECT)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file() and _is_output(path, can_hold_reports):
                yield path


def _size(path: Path) -> int:
    """Return the size that a file claims, or all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)


def _is_output(path: Path, can_be_a_report: bool) -> bool:
    if path.name.endswith(_REPORTS):
        return can_be_a_report
    if path.name.endswith(".lock"):
        with open_file(path) as stream:
            return stream.read(100).startswith(_LOCKS)
    return path.name.endswith(_ARCHIVES) and _first_member(path) in _FIRST


def _first_member(path: Path) -> str:
    """Return the first part of the name of the first member of an archive, "" if it is none."""
    name, chunks = path.name, _pieces(path)
    with suppress(OSError, EnvlockError, NotSearchedError, StopIteration):
        while True:
            head, chunks = peek(chunks)
            parts = opened(name, head, chunks)
            if parts is None:
                return ""
            part = next(parts)
            if part.entry is not None:
                return part.name.removeprefix("./").strip("/").partition("/")[0]
            name, chunks = part.name, part.chunks
    return ""


def _hits(path: Path) -> Iterator[Hit]:
    yield from (found for found in scan(path) if isinstance(found, Hit))


def _mark(path: Path) -> bytes:
    """Return a digest of an output; a file whose name is a digest stands for its content."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_symlink():
            digest.update(os.fsencode(os.readlink(file)))
        if file.is_symlink() or not file.is_file():
            continue
        status = file.stat()
        digest.update(f"{file.name} {status.st_mode} {status.st_size}\0".encode(errors="replace"))
        if "objects" not in file.parts and "blobs" not in file.parts:
            for piece in _pieces(file):
                digest.update(piece)
    return digest.digest()


def _pieces(path: Path) -> Iterator[bytes]:
    with open_file(path) as stream:
        while piece := stream.read(_PIECE):
            yield piece
