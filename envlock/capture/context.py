"""What a collector may see of a target: the shared scan, small files, and a list for its gaps."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import BinaryIO

from envlock.capture.links import follow_links
from envlock.capture.obstacle import Obstacles
from envlock.capture.scan.access_log import AccessLog
from envlock.capture.scan.index import Index, Pick
from envlock.capture.scan.search import PathSearch
from envlock.capture.time_limit import NO_LIMIT, TimeLimit
from envlock.model.coverage import Gap
from envlock.model.glob import compile_globs
from envlock.model.process import ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.secrets.keyed import ValueKey
from envlock.targets.base import READ_LIMIT, Capability, Target
from envlock.targets.local.probe import SupportsProbe

_VOLATILE = ("/proc/", "/sys/", "/dev/", "/run/", "/var/run/", "/tmp/", "/var/tmp/")  # noqa: S108
"""Directories whose content comes and goes: nothing missing there is proved to be missing."""
_PROGRAMS = ("/usr/bin", "/bin")
READ_TOTAL = 1 << 30
"""Most bytes of files that one collector reads whole, and so may hold at once."""
LINE_LIMIT = 64 * 1024
"""Largest file in bytes that `Context.line` reads: twice the largest that sysfs has."""


class Context:
    """A target as one collector sees it.

    Reading a missing file returns None: absence is a fact.  Reading one that exists but cannot be
    read records a gap and returns None as well; so does one with a link to nothing, or a file where
    a folder is expected, on its path.  `index` is the shared scan (path -> entry with
    digests); it is empty when the capture asked for no scan, and `search` finds paths in it.
    `owner` tells which record claims a path, `open_file` opens the file of an entry.  `env_allow`
    and `env_deny` are the user's additions to the lists of variables whose values may be recorded,
    and `value_key` makes fingerprints of the other values.
    `limit` is checked before each question to the target.  Each question is noted in `access_log`.
    Files that are read whole have `read_total` bytes together; one that exceeds them is a gap.
    """

    def __init__(
        self,
        target: Target,
        index: Mapping[str, Entry],
        reads: Iterable[str] = ("**",),
        *,
        search: PathSearch | None = None,
        owner: Callable[[str], str] = lambda _path: "",
        open_file: Callable[[Entry], BinaryIO] | None = None,
        env_allow: tuple[str, ...] = (),
        env_deny: tuple[str, ...] = (),
        value_key: ValueKey | None = None,
        limit: TimeLimit = NO_LIMIT,
        access_log: AccessLog | None = None,
        read_total: int = READ_TOTAL,
        asked_names: frozenset[str] | None = None,
    ) -> None:
        self._room = read_total
        self.env_allow = env_allow
        self.env_deny = env_deny
        self.value_key = value_key
        self.asked_names = asked_names
        """The names of the files that claims are wanted of; None when of all."""
        self.owner = owner
        """Path -> the record that claims it (``deb libc6:amd64``), empty for none."""
        self._search = search or PathSearch(Index.of(index.values()))
        self._open_file = open_file or (lambda entry: target.open(entry.path))
        self._limit = limit
        self._access_log = access_log or AccessLog()
        self._target = target
        self._index = index
        self._allowed = compile_globs(tuple(reads))
        self.gaps: list[Gap] = []
        self._present = False
        self._resolved: dict[str, str] = {}
        self._obstacles = Obstacles(index, self.stat, self.resolve)
        self.last_path = ""
        """The path that was asked for last; where a collector stopped that failed."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the target."""
        return self._target.capabilities

    @property
    def found_something(self) -> bool:
        """True once any declared path existed: coverage is then `ok`, not `absent`."""
        return self._present

    def gap(self, where: str, reason: str) -> None:
        """Record a gap: something could not be read or understood."""
        self.gaps.append(Gap(where, reason))

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes | None:
        """Return the content of a small file, or None when absent or (with a gap) unreadable."""
        self._require(path)
        self._access_log.paths.add(path)
        self.last_path = path
        try:
            content = self._limit.ask(self._target.read, path, min(limit, self._room))
        except (FileNotFoundError, NotADirectoryError):
            self._explain(path)
            return None
        except OSError as error:
            self._present = True
            is_last = error.errno == errno.EFBIG and self._room < limit
            self.gap(path, "too large, with the files read before" if is_last else describe(error))
            return None
        self._present = True
        self._room -= len(content)
        return content

    def text(self, path: str, limit: int = READ_LIMIT) -> str | None:
        """Return a file's content as UTF-8 with surrogateescape; otherwise as `read`.

        Text has no zero bytes.  A file system leaves them after a loss of power where content was
        not written yet: what follows the first of them is not read, with a gap.
        """
        raw = self.read(path, limit)
        if raw is None:
            return None
        end = raw.find(b"\0")
        if end >= 0:
            self.gap(path, f"damaged: a zero byte at {end}; the rest is not read")
            raw = raw[:end]
        return raw.decode("utf-8", "surrogateescape")

    def written(self, path: str, limit: int = READ_LIMIT) -> str | None:
        """As `text`, for a file that a program writes: an unfinished last line is a gap."""
        before = len(self.gaps)
        text = self.text(path, limit)
        if text and text[-1] != "\n" and len(self.gaps) == before:
            self.gap(path, "damaged: it ends in the middle of a line")
        return text

    def line(self, path: str) -> str:
        """Return the words of a kernel file, separated by one blank; empty when unreadable."""
        raw = self.read(path, LINE_LIMIT) or b""
        return " ".join(raw.decode("utf-8", "surrogateescape").split())

    def open(self, entry: Entry) -> BinaryIO | None:
        """Open a file of the scan, or return None when (with a gap) unreadable.

        For files that are too large to be read whole.  They need not be declared in `reads`, since
        a streaming target keeps no content for them.
        """
        self._access_log.paths.add(entry.path)
        self.last_path = entry.path
        try:
            return self._limit.ask(self._open_file, entry)
        except OSError as error:
            self.gap(entry.path, describe(error))
            return None

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory, empty when absent or (with a gap) unreadable."""
        self._access_log.folders.add(path)
        self.last_path = path
        try:
            names = self._limit.ask(self._target.names, path)
        except NotADirectoryError:
            self._explain(path, is_folder=True)
            return ()
        except FileNotFoundError:
            self._explain(path)
            return ()
        except OSError as error:
            self.gap(path, describe(error))
            return ()
        return tuple(sorted(names, key=sort_key))

    def distinct(self, directories: Iterable[str]) -> Iterator[str]:
        """Yield the directories, without those that a link leads to one before them."""
        seen = set()
        for directory in directories:
            real = self.resolve(directory)
            if real not in seen:
                seen.add(real)
                yield directory

    def stat(self, path: str) -> Entry | None:
        """Return one path (final link not followed), from the scan when it has it."""
        self._access_log.paths.add(path)
        known = self._index.get(path)
        if known is not None:
            return known
        try:
            return self._limit.ask(self._target.stat, path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.gap(path, describe(error))
            return None

    def is_directory(self, entry: Entry) -> bool:
        """True for a directory, and for a link that leads to one."""
        found: Entry | None = entry
        if entry.type is EntryType.SYMLINK:
            found = self.stat(self.resolve(entry.path))
        return found is not None and found.type is EntryType.DIRECTORY

    def link(self, path: str) -> str:
        """Return the target of a symbolic link, empty for anything else; of the scan if any."""
        if isinstance(self._index, Index) and self._index:
            self._access_log.paths.add(path)
            return self._index.link(path) or ""
        entry = self.stat(path)
        return entry.target if entry is not None and entry.type is EntryType.SYMLINK else ""

    def entry(self, path: str) -> Entry | None:
        """Return the scanned entry of exactly this path, with its digest, or None."""
        self._access_log.paths.add(path)
        return self._index.get(path)

    def followed(self, path: str) -> Entry | None:
        """Return the scanned entry that a path leads to, links followed, or None."""
        entry = self.entry(path)
        if entry is None or entry.type is EntryType.SYMLINK:
            return self.entry(self.resolve(path))
        return entry

    def exists(self, path: str) -> bool:
        """True when the path is there, dangling links included."""
        return self.stat(path) is not None

    def is_gone(self, path: str) -> bool:
        """True when it is proved that `path`, with its links followed, leads to nothing.

        False where that is unknown: behind an unreadable directory (with a gap), in a volatile one,
        and in a root directory without programs, which is a part of a system only.
        """
        gaps = len(self.gaps)
        real = self.resolve(path)
        if len(self.gaps) > gaps:
            return False
        if real.startswith(_VOLATILE) or not self._is_system:
            return False
        known = self._index.get(real)
        if known is not None:
            return known.type is EntryType.SYMLINK
        return self.stat(real) is None and len(self.gaps) == gaps

    @cached_property
    def _is_system(self) -> bool:
        """True when the root directory has programs."""
        return any(self.names(folder) for folder in _PROGRAMS)

    def lacks_shell(self) -> bool:
        """True when there is no shell: an image of single programs, or a part of a system."""
        return not self.exists("/bin/sh") or self.is_gone("/bin/sh")

    def glob(self, *patterns: str) -> list[str]:
        """Return the paths of the scan that match any pattern, in byte order.

        A pattern whose directory part has no wildcard also works without a scan.
        """
        self._limit.check()
        self._access_log.patterns.update(patterns)
        if self._index:
            return self._search.find(patterns)
        return sorted(set(self._list(patterns)), key=sort_key)

    def entries(self, pick: Pick) -> Iterator[Entry]:
        """Yield the entries of the scan that a function picks; a recording holds these only.

        It is a function of a module, so that a later capture can ask it about what changed.
        """
        self._access_log.record_pick(pick)
        return (self._index[path] for path in self._search.pick(pick))

    def below(self, folders: tuple[str, ...], within: str = "/") -> Iterator[str]:
        """Yield the paths of the scan that begin with a folder and have `within` in them.

        Folders end in a slash.
        """
        self._access_log.below.add((folders, within))
        found = self._search.below(folders) if self._index else ()
        return (path for path in found if within in path)

    def children(self, directory: str) -> Iterator[Entry]:
        """Yield the entries directly in a directory, in byte order."""
        for name in self.names(directory):
            entry = self.stat(f"{directory.rstrip('/')}/{name}")
            if entry is not None:
                yield entry

    def process(self) -> ProcessConfig | None:
        """Return the run configuration of the target, when it has one."""
        self._access_log.is_complete = False
        return self._limit.ask(self._target.process)

    def probe(self, name: str) -> bytes | None:
        """Return the answer of a probe of this machine, or None where it cannot be asked.

        Raise ValueError when it fails or does not end in time.
        """
        self._access_log.is_complete = False
        return (
            self._limit.ask(self._target.probe, name)
            if isinstance(self._target, SupportsProbe)
            else None
        )

    def resolve(self, path: str) -> str:
        """Return `path` with every symbolic link in it followed inside the root.

        Needs no read permission beyond `stat`.  A loop returns the path as far as it was followed.
        """
        return follow_links(path, self.stat, self._resolved)

    def _list(self, patterns: Iterable[str]) -> Iterator[str]:
        for pattern in patterns:
            directory = pattern.rpartition("/")[0]
            if "*" in directory:
                continue
            match = compile_globs((pattern,)).match
            for child in self.names(directory or "/"):
                path = f"{directory}/{child}"
                if match(path):
                    yield path

    def _explain(self, path: str, *, is_folder: bool = False) -> None:
        """Record a gap when a path is missing because something else is in its place."""
        found = self._obstacles.find(f"{path}/x" if is_folder else path)
        if found is not None:
            self._present = True
            self.gaps.append(found)

    def _require(self, path: str) -> None:
        if not self._allowed.match(path):
            raise LookupError(f"the collector did not declare that it reads {path}")


def describe(error: OSError) -> str:
    """Return an OSError as the few words a gap records, the same on every machine."""
    return {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EFBIG: "too large",
        errno.ELOOP: "loop of symbolic links",
        errno.EIO: "input/output error",
        errno.EISDIR: "is a directory",
    }.get(error.errno or 0, error.strerror or "cannot be read")
