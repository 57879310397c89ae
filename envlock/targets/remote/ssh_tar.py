"""Another machine over ssh that has no Python: its tar and its shell are all that is used.

Less is told than where Python answers: nothing of the kernel (the files of /proc have no size, so
that tar finds them empty), no sockets, extended attributes only where a tar adds them unasked.
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
from envlock.targets.base import ScanPlan, as_mapping
from envlock.targets.mounts import MOUNTINFO, is_worth_a_word, parse_mountinfo
from envlock.targets.stream.streaming import Seen, StreamingTarget, roots_of
from envlock.targets.stream.tar_reader import Member, members

_CHUNK = 1024 * 1024
_SMALL = 16 * 1024 * 1024
_ROUNDS = 4
_KERNEL = ("/proc", "/sys")
_UNTOLD = {"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/run": "tmpfs"}
_XATTRS = (
    'x="--xattrs --xattrs-include=user.* --xattrs-include=security.capability";'
    " set -f; tar $x -c -f /dev/null -T /dev/null 2>/dev/null || x="
)
"""Sets $x to what makes tar tell extended attributes, where it can."""
_COMPLAINT = re.compile(
    rb"tar: (?:can't open '(?P<quoted>[^\n]*)'|(?P<plain>[^\n]*?)(?:: Cannot (?:open|read))?)"
    rb": (?P<why>Permission denied|Input/output error)",
)
_OCTAL = re.compile(rb"\\([0-7]{3}|[\\nt])")
_LISTED = re.compile(
    rb"-(?P<mode>[r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-])\S* +\d+"
    rb" +(?P<uid>\d+) +(?P<gid>\d+) +(?P<size>\d+)"
)
_BITS = tuple(1 << shift for shift in range(8, -1, -1))
_SPECIAL = ((2, 0o4000), (5, 0o2000), (8, 0o1000))


class Closeable(Protocol):
    """Something that is held as long as the target is open."""

    def close(self) -> None:
        """Release it.  May be called twice."""


class SshTarTarget(StreamingTarget):
    """A machine whose shell runs tar.  `client` is the command up to the name of the machine."""

    def __init__(
        self, reference: str, client: Sequence[str], connection: Closeable, root: str = "/"
    ) -> None:
        super().__init__(reference)
        self._client = client
        self._connection = connection
        self._root = root
        self._refused: dict[str, str] = {}
        self._mounts: dict[str, str] = {}

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch files and directories, and where links lead, in a few streams."""
        wanted = {root for root in roots_of(patterns) if not root.startswith(_KERNEL)}
        script = 'for f in * .[!.]*; do [ ! -L "$f" ] || set -- "$@" "./$f"; done'
        self._remember(self._pack(script))
        self._add_refused(self._seen)
        asked: set[str] = set()
        for _ in range(_ROUNDS):
            fresh = {self._resolve(path, follow=True) for path in wanted} - asked
            if not fresh:
                break
            asked |= fresh
            self._remember(self._pack(_present(sorted(fresh))))
            self._add_refused(self._seen)

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read one stream of everything; what tar was refused is told by ls, and is a gap."""
        if self._root == "/":
            self._mounts = dict(parse_mountinfo(self._output(f"cat {MOUNTINFO}"))) or _UNTOLD
        for path, kind in sorted(self._mounts.items()):
            if path != "/" and is_worth_a_word(path, kind):
                plan.on_gap(path, f"another file system ({kind}), not entered")
        yield from super().scan(plan)

    def process(self) -> ProcessConfig:
        """Return the environment of the session on the other machine."""
        raw = self._output("cat /proc/self/environ")
        return ProcessConfig(
            environ=as_mapping(from_bytes(pair) for pair in raw.split(b"\0") if pair),
            is_session=True,
        )

    def close(self) -> None:
        """End the connection that the others shared."""
        self._connection.close()

    def _layers(self) -> Iterator[Iterable[bytes]]:
        holes = (f"--exclude={_pattern(f'.{path}/*')}" for path in self._mounts if path != "/")
        yield self._run(
            f"{_XATTRS}; exec tar $x -c -f - {' '.join(sorted(map(shlex.quote, holes)))} ."
        )

    def _pass(self, plan: ScanPlan) -> Seen:
        seen = super()._pass(plan)
        self._add_refused(seen)
        for path, why in sorted(self._refused.items()):
            plan.on_gap(path, why)
        return seen

    def _add_refused(self, seen: Seen) -> None:
        """Add what tar left out because it may not read it, as ls tells of it."""
        missing = sorted(path for path in self._refused if path not in seen.entries)
        if not missing:
            return
        script = f'{_present(missing)}; for f; do echo "$(ls -lnd "$f" | head -n 1)"; done'
        lines = self._output(f"set --; {script}").splitlines()
        for path, line in zip(missing, lines, strict=False):
            entry = _parse_listed(path, line)
            if entry is not None:
                seen.entries[path] = entry

    def _open_again(self, path: str) -> BinaryIO:
        if path in self._refused:
            raise PermissionError(errno.EACCES, self._refused[path], path)
        return super()._open_again(path)

    def _fetch(self, path: str) -> Iterator[Member]:
        return self._pack(_present([path]))

    def _peek(self, path: str) -> Entry | None:
        return self._seen.entries.get(path)

    def _pack(self, collect: str) -> Iterator[Member]:
        """Yield the members of an archive of what the script `collect` puts into ``$@``."""
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
                    raise TargetError("the other machine answers nonsense", where=self.reference)
        return out

    def _run(self, script: str) -> Generator[bytes, None, None]:
        """Yield what a script prints that runs in the root folder; note what it was refused."""
        text = f"LC_ALL=C; export LC_ALL; cd {shlex.quote(self._root)} || exit 98; {script}\n"
        with (
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as program,
        ):
            program.write(to_bytes(text))
            program.seek(0)
            process = subprocess.Popen(
                [*self._client, "exec sh"], stdin=program, stdout=subprocess.PIPE, stderr=said
            )
            with process:
                try:
                    while process.stdout and (chunk := process.stdout.read(_CHUNK)):
                        yield chunk
                finally:
                    if process.poll() is None:
                        process.terminate()
            said.seek(0)
            complaints = said.read(_SMALL)
            if process.returncode == 255:
                raise TargetError(
                    "the connection was lost", where=self.reference, hint="see that ssh works"
                )
            self._note(complaints)

    def _note(self, complaints: bytes) -> None:
        for found in _COMPLAINT.finditer(complaints):
            name = from_bytes(_OCTAL.sub(_character, found["quoted"] or found["plain"]))
            self._refused["/" + name.removeprefix("./").lstrip("/")] = found["why"].decode().lower()


def _parse_listed(path: str, line: bytes) -> Entry | None:
    """Return a regular file as ``ls -lnd`` prints it, None for anything else.

    >>> _parse_listed("/x", b"-rwSr--r-T 1 0 42 7 Jan  1  1970 ./x").mode == 0o5644
    True
    """
    listed = _LISTED.match(line)
    if listed is None:
        return None
    letters = listed["mode"]
    mode = sum(bit for bit, letter in zip(_BITS, letters, strict=True) if letter in b"rwxst")
    mode += sum(bit for at, bit in _SPECIAL if letters[at] in b"sStT")
    uid, gid, size = (int(listed[name]) for name in ("uid", "gid", "size"))
    return Entry(path, EntryType.FILE, mode, uid, gid, size=size)


def _present(paths: Iterable[str]) -> str:
    """Return a script that adds those of `paths` that are there to ``$@``."""
    words = " ".join(shlex.quote(f".{path}") for path in paths)
    return f'for f in {words}; do [ ! -e "$f" ] && [ ! -L "$f" ] || set -- "$@" "$f"; done'


def _pattern(path: str) -> str:
    """Return a path as a pattern of tar; its final star is one."""
    return re.sub(r"[][?*\\](?!\Z)", r"\\\g<0>", path)


def _character(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(code) or bytes((int(code, 8) & 0xFF,))


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
