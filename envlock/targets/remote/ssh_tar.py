"""A remote machine without Python, read by its tar and its shell alone.

Less is captured than with Python: nothing of the kernel (files in /proc have size 0, so tar finds
them empty), no sockets, and extended attributes only where its tar can add them.
Sources: POSIX.1-2017 sh, ls; GNU tar manual; BusyBox tar.
"""

from __future__ import annotations

import errno
import re
import shlex
import subprocess
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, Protocol

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.text import from_bytes, to_bytes
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import ScanPlan, parse_environ
from envlock.targets.mounts import MOUNTINFO, is_reportable, parse_mountinfo
from envlock.targets.stream.file_tree import FileTree
from envlock.targets.stream.streaming import StreamingTarget
from envlock.targets.stream.tar_reader import Member, members

_CHUNK = 1024 * 1024
_SMALL = 16 * 1024 * 1024
_KERNEL = ("/proc", "/sys")
_DEFAULT_MOUNTS = {"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/run": "tmpfs"}
_XATTRS = (
    'x="--xattrs --xattrs-include=*"; set -f; tar $x -c -f /dev/null -T /dev/null 2>/dev/null || x='
)
"""Sets $x to the options by which tar adds extended attributes, where it knows them."""
_TAR_ERROR = re.compile(
    rb"^(?:[^\s:]*/)?tar: "
    rb"(?:can't open '(?P<quoted>[^\n]*)'|(?P<plain>[^\n]*?)(?:: Cannot (?:open|read))?)"
    rb": (?P<reason>Permission denied|Input/output error)",
    re.MULTILINE,
)
_OCTAL = re.compile(rb"\\([0-7]{3}|[\\nt])")
_LS_LINE = re.compile(
    rb"-(?P<mode>[r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-])\S* +\d+"
    rb" +(?P<uid>\d+) +(?P<gid>\d+) +(?P<size>\d+)"
)
_BITS = tuple(1 << shift for shift in range(8, -1, -1))
_SPECIAL = ((2, 0o4000), (5, 0o2000), (8, 0o1000))


class Closeable(Protocol):
    """Something that stays open as long as the target."""

    def close(self) -> None:
        """Close it.  May be called twice."""


class SshTarTarget(StreamingTarget):
    """A machine whose shell runs tar.

    `client` is the ssh command up to the name of the machine; `connection` is the one it shares.
    """

    def __init__(
        self, reference: str, client: Sequence[str], connection: Closeable, root: str = "/"
    ) -> None:
        super().__init__(reference)
        self._client = client
        self._connection = connection
        self._root = root
        self._unreadable: dict[str, str] = {}
        self._mounts: dict[str, str] = {}

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch files and directories, and the targets of symbolic links, in a few streams."""
        script = 'for f in * .[!.]*; do [ ! -L "$f" ] || set -- "$@" "./$f"; done'
        self._store(self._pack(script))
        self._add_unreadable(self._tree)
        super().preload(pattern for pattern in patterns if not pattern.startswith(_KERNEL))

    def _fetch_all(self, paths: Iterable[str]) -> None:
        self._store(self._fetch_each(paths))
        self._add_unreadable(self._tree)

    def _fetch_each(self, paths: Iterable[str]) -> Iterator[Member]:
        return self._pack(_existing(paths))

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read one stream of everything; what tar cannot read is a gap, its metadata read by ls."""
        if self._root == "/":
            self._mounts = (
                dict(parse_mountinfo(self._output(f"cat {MOUNTINFO}"))) or _DEFAULT_MOUNTS
            )
        for path, kind in sorted(self._mounts.items()):
            if path != "/" and is_reportable(path, kind):
                plan.on_gap(path, f"another file system ({kind}), not entered")
        yield from super().scan(plan)

    def process(self) -> ProcessConfig:
        """Return the environment of the session on the other machine."""
        raw = self._output("cat /proc/self/environ")
        return ProcessConfig(
            environ=parse_environ(from_bytes(pair) for pair in raw.split(b"\0") if pair),
            is_session=True,
        )

    def programs(self) -> frozenset[str] | None:
        """Return the programs that run on the machine; None for a directory of it, or no /proc."""
        if self._root != "/":
            return None
        listed = self._output("cat /proc/[0-9]*/comm")
        return frozenset(from_bytes(name) for name in listed.splitlines()) or None

    def close(self) -> None:
        """Close the shared connection."""
        self._connection.close()

    def _layers(self) -> Iterator[Iterable[bytes]]:
        excluded = (f"--exclude={_pattern(f'.{path}/*')}" for path in self._mounts if path != "/")
        yield self._run(
            f"{_XATTRS}; exec tar $x -c -f - {' '.join(sorted(map(shlex.quote, excluded)))} ."
        )

    def _read_layers(self, plan: ScanPlan) -> FileTree:
        tree = super()._read_layers(plan)
        self._add_unreadable(tree)
        for path, reason in sorted(self._unreadable.items()):
            plan.on_gap(path, reason)
        return tree

    def _add_unreadable(self, tree: FileTree) -> None:
        """Add the files that tar could not read, with their metadata from ls."""
        missing = sorted(path for path in self._unreadable if path not in tree.entries)
        if not missing:
            return
        script = f'{_existing(missing)}; for f; do echo "$(ls -lnd "$f" | head -n 1)"; done'
        lines = self._output(f"set --; {script}").splitlines()
        for path, line in zip(missing, lines, strict=False):
            entry = _parse_ls_line(path, line)
            if entry is not None:
                tree.entries[path] = entry

    def _fetch_content(self, path: str) -> BinaryIO:
        if path in self._unreadable:
            raise PermissionError(errno.EACCES, self._unreadable[path], path)
        return super()._fetch_content(path)

    def _fetch(self, path: str) -> Iterator[Member]:
        return self._pack(_existing([path]))

    def _stat_in_root(self, path: str) -> Entry | None:
        return self._tree.entries.get(path)

    def _pack(self, collect: str) -> Iterator[Member]:
        """Yield the members of an archive of the paths that the script `collect` adds to ``$@``."""
        script = f'set --; {collect}; [ $# = 0 ] || exec tar -c -f - "$@"'
        with closing(self._run(script)) as chunks:
            first = next(chunks, b"")
            if first:
                yield from members(_chain(first, chunks), self.reference)

    def _output(self, script: str) -> bytes:
        out = b""
        with closing(self._run(f"{script} 2>/dev/null")) as chunks:
            for chunk in chunks:
                out += chunk
                if len(out) > _SMALL:
                    raise TargetError(
                        "unexpected reply from the other machine", where=self.reference
                    )
        return out

    def _run(self, script: str) -> Generator[bytes, None, None]:
        """Yield the output of a script in the root directory; note the files it cannot read."""
        text = f"LC_ALL=C; export LC_ALL; cd {shlex.quote(self._root)} || exit 98; {script}\n"
        with (
            tempfile.TemporaryFile() as errors,
            tempfile.TemporaryFile() as program,
        ):
            program.write(to_bytes(text))
            program.seek(0)
            process = subprocess.Popen(
                [*self._client, "exec sh"], stdin=program, stdout=subprocess.PIPE, stderr=errors
            )
            with process:
                try:
                    while process.stdout and (chunk := process.stdout.read(_CHUNK)):
                        yield chunk
                finally:
                    if process.poll() is None:
                        process.terminate()
            errors.seek(0)
            messages = errors.read(_SMALL)
            if process.returncode == 255:
                raise TargetError(
                    "the connection was lost", where=self.reference, hint="check that ssh works"
                )
            self._note_unreadable(messages)

    def _note_unreadable(self, messages: bytes) -> None:
        for found in _TAR_ERROR.finditer(messages):
            name = from_bytes(_OCTAL.sub(_character, found["quoted"] or found["plain"]))
            self._unreadable["/" + name.removeprefix("./").lstrip("/")] = (
                found["reason"].decode().lower()
            )


def _parse_ls_line(path: str, line: bytes) -> Entry | None:
    """Return the entry of a regular file from a line of ``ls -lnd``, None for anything else.

    >>> _parse_ls_line("/x", b"-rwSr--r-T 1 0 42 7 Jan  1  1970 ./x").mode == 0o5644
    True
    """
    listed = _LS_LINE.match(line)
    if listed is None:
        return None
    letters = listed["mode"]
    mode = sum(bit for bit, letter in zip(_BITS, letters, strict=True) if letter in b"rwxst")
    mode += sum(bit for at, bit in _SPECIAL if letters[at] in b"sStT")
    uid, gid, size = (int(listed[name]) for name in ("uid", "gid", "size"))
    return Entry(path, EntryType.FILE, mode, uid, gid, size=size)


def _existing(paths: Iterable[str]) -> str:
    """Return a script that adds those of `paths` that exist to ``$@``."""
    words = " ".join(shlex.quote(f".{path}") for path in paths)
    return f'for f in {words}; do [ ! -e "$f" ] && [ ! -L "$f" ] || set -- "$@" "$f"; done'


def _pattern(path: str) -> str:
    """Return a path as a pattern of tar; only a final star is a wildcard."""
    return re.sub(r"[][?*\\](?!\Z)", r"\\\g<0>", path)


def _character(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(code) or bytes((int(code, 8) & 0xFF,))


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
