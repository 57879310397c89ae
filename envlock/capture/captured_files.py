"""The files of a captured target as `envlock.scope` sees them: its `View`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

from envlock.capture.ahead import Ahead
from envlock.capture.beginnings import LINE_LIMIT, Beginnings
from envlock.capture.context import describe
from envlock.capture.digest_on_demand import digest_on_demand
from envlock.capture.links import follow_links
from envlock.formats.binary.linkage import Linkage, parse_linkage
from envlock.model.coverage import Gap
from envlock.model.process import ProcessConfig
from envlock.model.scope import BUILT_WHERE_INSTALLED
from envlock.model.text import from_bytes
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import BatchedTarget, HashCache, Target

_SMALL = 1024 * 1024


class CapturedFiles:
    """Answers from the target itself, each question asked once.

    `owner` tells which record claims a real path, `digest` the SHA-256 of a file (hex) where the
    capture computed it; others are computed on demand through `cache`.  `open_file` opens a
    regular file.  `beginnings` are notes of a target that was read as a stream.  `gaps` collects
    what could not be read.
    """

    def __init__(
        self,
        target: Target,
        *,
        owner: Callable[[str], str],
        digest: Callable[[str], str],
        open_file: Callable[[Entry], BinaryIO],
        beginnings: Beginnings | None = None,
        cache: HashCache | None = None,
    ) -> None:
        self.gaps: list[Gap] = []
        self._target = target
        self.owner = owner
        self._digest = digest
        self._open = open_file
        self._beginnings = beginnings or Beginnings()
        self._cache = cache
        self._names: dict[str, tuple[str, ...]] = {}
        self._entries: dict[str, Entry | None] = {}
        self._resolved: dict[str, str] = {}
        self._linkages: dict[str, Linkage | None] = {}
        self._digests: dict[str, str] = {}
        self._far = target if isinstance(target, BatchedTarget) else None
        self._ahead = Ahead(self._far, self.names, self._regular) if self._far else None

    def stat(self, path: str) -> Entry | None:
        """Return one path, a final link not followed; None when it is absent."""
        if path not in self._entries:
            self._entries[path] = self._stat(path)
        return self._entries[path]

    def _stat(self, path: str) -> Entry | None:
        try:
            return self._target.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.gap(path, describe(error))
            return None

    def resolve(self, path: str) -> str:
        """Return `path` with every link in it followed inside the root."""
        known = self._resolved.get(path)
        return known or follow_links(path, self.stat, self._resolved)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory, empty when absent."""
        if path not in self._names:
            self._names[path] = self._list(path)
        return self._names[path]

    def _list(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(self._target.names(path)))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            self.gap(path, describe(error))
            return ()

    def read(self, path: str, limit: int = _SMALL) -> bytes | None:
        """Return the content of a file, links followed, or None when absent or unreadable."""
        try:
            kept = self._beginnings.script(self._noted(self.resolve(path)))
            if kept is not None and len(kept) <= limit:
                return kept
            return self._target.read(path, limit)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            self.gap(path, describe(error))
            return None

    def prefetch(self, paths: Iterable[str]) -> None:
        """Fetch how files begin and are linked, and the digests that no record states."""
        if self._far is None or self._ahead is None:
            return
        there = [path for path in paths if self._regular(path) == path]
        self._ahead.fetch(there)
        hashed = [
            path
            for path in there
            if path not in self._digests
            and self._ahead.linkages.get(path)
            and self.owner(path).partition(" ")[0] in ("", *BUILT_WHERE_INSTALLED)
            and not self._digest(path)
        ]
        self._digests |= dict.fromkeys(hashed, "") | dict(self._far.digests(hashed))

    def _regular(self, path: str) -> str:
        """Return the real path of a regular file, empty where there is none."""
        real = self.resolve(path) if path else ""
        entry = self.stat(real) if real else None
        is_file = entry is not None and entry.type in (EntryType.FILE, EntryType.HARDLINK)
        return real if is_file else ""

    def first_line(self, path: str) -> str:
        """Return the ``#!`` line of a script without its end; empty for any other file."""
        sha256 = self._noted(path)
        if sha256:
            return from_bytes(self._beginnings.line(sha256))
        line = self._line_ahead(path)
        if line is None:
            stream = self.open(path)
            if stream is None:
                return ""
            with stream:
                line = stream.read(LINE_LIMIT).partition(b"\n")[0]
        return from_bytes(line) if line.startswith(b"#!") else ""

    def _line_ahead(self, path: str) -> bytes | None:
        """Return the first line of a file of which a few pieces were fetched, else None."""
        if self._ahead is None:
            return None
        if self._regular(path) == path:
            self._ahead.fetch((path,))
        return self._ahead.lines.get(path)

    def linkage(self, path: str) -> Linkage | None:
        """Return how an ELF file is linked, or None for any other file."""
        if path not in self._linkages:
            sha256 = self._noted(path)
            noted = self._beginnings.linkage(sha256) if sha256 else self._linkage(path)
            self._linkages[path] = noted
        return self._linkages[path]

    def _noted(self, path: str) -> str:
        """Return the digest of a file that was noted while the target was read, else nothing."""
        entry = self.stat(path)
        if entry is not None and entry.type is EntryType.HARDLINK:
            entry = self.stat(entry.target)
        sha256 = entry.sha256 if entry is not None else ""
        return sha256 if self._beginnings.knows(sha256) else ""

    def _linkage(self, path: str) -> Linkage | None:
        if self._line_ahead(path) is not None and self._ahead is not None:
            return self._ahead.linkages[path]
        stream = self.open(path)
        if stream is None:
            return None

        def read(offset: int, size: int) -> bytes:
            stream.seek(offset)
            return stream.read(size)

        with stream:
            try:
                return parse_linkage(read)
            except OSError as error:
                self.gap(path, describe(error))
                return None

    def sha256(self, path: str) -> str:
        """Return the digest of a program or library as hex, empty where it is not known."""
        if self.linkage(path) is None:
            return ""
        known = self._digest(path)
        if self._far is not None and not known:
            self.prefetch((path,))
            known = self._digests.get(path, "")
        stream = None if known or self._target.is_streaming else self.open(path)
        if stream is None:
            return known
        with stream:
            try:
                return digest_on_demand(path, stream, self._cache)
            except OSError as error:
                self.gap(path, describe(error))
                return ""

    def process(self) -> ProcessConfig | None:
        """Return the run configuration with its variables, or None without one."""
        return self._target.process()

    def gap(self, where: str, reason: str) -> None:
        """Note that something could not be read or understood."""
        self.gaps.append(Gap(where, reason))

    def open(self, path: str) -> BinaryIO | None:
        """Open a regular file at a real path, or return None for any other and unreadable ones."""
        entry = self.stat(path)
        if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
            return None
        try:
            return self._open(entry)
        except OSError as error:
            self.gap(path, describe(error))
            return None
