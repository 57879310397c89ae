"""The output of strace: which files a command and its children opened, and which they executed.

Meant for ``strace -f -y -s 0 -o FILE``; lines of any other form are skipped.  Paths that strace
read from the kernel (``= 3</usr/lib/libx.so>``) have no link in them; those that a program passed
to execve(2) are joined with the working directory of their process.

Sources: strace(1), -f, -y, -z; proc(5), /proc/PID/fd; execve(2); clone(2), CLONE_FS.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

MOST_PATHS = 200_000
"""How many paths one run may touch; what is beyond is counted only."""
_MOST_OPEN = 10_000
"""How many calls may be unfinished, and how many processes run, at one time."""

_PATH = rb"<(?P<{}>(?:[^<>\\]|\\.)*+)>"
_CALL = re.compile(
    rb"(?:\[pid +)?(?P<process>\d{1,10})\]? +(?P<name>[a-z0-9_]{1,20})\((?P<arguments>.*)\) += "
    rb"(?P<result>\d{1,10})(?:" + _PATH.replace(b"{}", b"path") + rb"(?P<gone>\(deleted\))?)?\Z",
    re.DOTALL,
)
_PART = re.compile(rb"(?:\[pid +)?(?P<process>\d{1,10})\]? +(?P<rest>.*)\Z", re.DOTALL)
_UNFINISHED = b" <unfinished ...>"
_RESUMED = re.compile(rb"<\.\.\. [a-z0-9_]{1,20} resumed> ?")
_FOLDER = re.compile(rb"(?:AT_FDCWD|\d{1,10})(?:" + _PATH.replace(b"{}", b"folder") + rb")?")
_QUOTED = re.compile(rb'"(?P<text>(?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_OPENS = frozenset({b"open", b"openat", b"openat2"})
_FORKS = frozenset({b"fork", b"vfork", b"clone", b"clone3"})
_NOT_READ = re.compile(rb"O_(?:WRONLY|CREAT|TRUNC|DIRECTORY|TMPFILE)")
"""Flags of what is written, or is no file: nothing that a program needs to be there."""
_GONE = b" (deleted)"


def parse_strace(lines: bytes) -> Trail:
    """Return what the lines tell of a command that was started in ``/``."""
    trail = Trail("/")
    trail.feed_all(lines.split(b"\n"))
    return trail


class Trail:
    """The files that a traced command touched, as its lines are fed in.

    `folder` is the directory that the command is started in.  `opened` are the files that were
    opened for reading, `executed` those that were executed, `running` the processes that have not
    ended.  `is_cut` is True when there were more than `most` paths.
    """

    def __init__(self, folder: str, most: int = MOST_PATHS) -> None:
        self.opened: set[str] = set()
        self.executed: set[str] = set()
        self.running: set[int] = set()
        self.is_cut = False
        self.most = most
        self._start = folder
        self._folders: dict[int, list[str]] = {}
        """The working directory of each process, in a list that threads share; empty if unknown."""
        self._waiting: dict[int, list[str]] = {}
        """Relative paths that a process of unknown working directory executed."""
        self._unfinished: dict[int, bytes] = {}
        self._known: set[bytes] = set()
        self._early: set[int] = set()
        """Processes that were seen before the call that made them, and may have ended since."""
        self._ended: set[int] = set()

    def feed_all(self, lines: Iterable[bytes]) -> None:
        """Take lines, in the order in which strace wrote them."""
        for line in lines:
            self.feed(line.rstrip(b"\n"))
        self.finish()

    def feed(self, line: bytes) -> None:
        """Take one line, without its end."""
        if (
            line.endswith(b">")
            and not self._waiting
            and line[line.rfind(b"<") + 1 : -1] in self._known
        ):
            return  # most lines of a long run
        call = _CALL.match(line)
        if call is None:
            self._other(line)
            return
        pid, name = int(call["process"]), call["name"]
        if pid not in self._folders and len(self._folders) < _MOST_OPEN:
            self._folders[pid] = [] if self.running else [self._start]
            self._early |= {pid} if self.running else set()
            self.running.add(pid)
        if name in _OPENS:
            self._open(pid, call)
        elif name in _FORKS:
            self._fork(pid, int(call["result"]), is_shared=b"CLONE_FS" in call["arguments"])
        elif name in (b"chdir", b"fchdir"):
            self._move(pid, name, call["arguments"])
        elif name in (b"execve", b"execveat"):
            self._execute(pid, call["arguments"])

    def finish(self) -> None:
        """Take the end of the output."""
        for paths in self._waiting.values():
            for path in paths:
                self._add(self.executed, posixpath.join(self._start, path))
        self._waiting.clear()

    def _other(self, line: bytes) -> None:
        """Take a line that is no whole call: the part of one, or the end of a process."""
        part = _PART.match(line)
        if part is None:
            return
        pid, rest = int(part["process"]), part["rest"]
        if rest.endswith(_UNFINISHED):
            if len(self._unfinished) < _MOST_OPEN:
                self._unfinished[pid] = line.removesuffix(_UNFINISHED)
        elif resumed := _RESUMED.match(rest):
            begun = self._unfinished.pop(pid, None)
            if begun is not None:
                self.feed(begun + rest[resumed.end() :])
        elif rest.startswith(b"+++ "):
            self._end(pid)

    def _end(self, pid: int) -> None:
        is_early = pid in self._early or pid not in self.running
        if is_early and len(self._ended) < _MOST_OPEN:
            self._ended.add(pid)
        self._early.discard(pid)
        self.running.discard(pid)
        self._folders.pop(pid, None)

    def _open(self, pid: int, call: re.Match[bytes]) -> None:
        arguments, path = call["arguments"], call["path"]
        here = _FOLDER.match(arguments) if arguments.startswith(b"AT_FDCWD<") else None
        if here is not None and here["folder"]:
            self._settle(pid, _text(here["folder"]))
        if path is None or path in self._known or call["gone"] or path.endswith(_GONE):
            return
        name = _first_quoted(arguments)
        if name is None or _NOT_READ.search(arguments, name.end()):
            return
        if len(self._known) < self.most:
            self._known.add(path)
        if path.startswith(b"/"):
            self._add(self.opened, _text(path))

    def _fork(self, pid: int, child: int, *, is_shared: bool) -> None:
        parent = self._folders.get(pid)
        self._early.discard(child)
        if child in self._ended:
            self._ended.discard(child)
            return
        if parent is None or len(self._folders) >= _MOST_OPEN:
            return
        self.running.add(child)
        known = self._folders.get(child)
        if known is None:
            self._folders[child] = parent if is_shared else list(parent)
        elif not known and parent:
            self._settle(child, parent[0])

    def _move(self, pid: int, name: bytes, arguments: bytes) -> None:
        if name == b"fchdir":
            found = _FOLDER.match(arguments)
            if found and found["folder"]:
                self._settle(pid, _text(found["folder"]))
            return
        moved = _QUOTED.match(arguments)
        folder = self._folders.get(pid)
        if moved is None:
            return
        path = _text(moved["text"])
        if path.startswith("/"):
            self._settle(pid, path)
        elif folder:
            folder[0] = posixpath.join(folder[0], path)

    def _execute(self, pid: int, arguments: bytes) -> None:
        at = _FOLDER.match(arguments)
        name = _first_quoted(arguments)
        if name is None:
            return
        path = _text(name["text"])
        if at is not None and at["folder"]:  # execveat(2)
            path = posixpath.join(_text(at["folder"]), path) if path else _text(at["folder"])
        folder = self._folders.get(pid)
        if path.startswith("/"):
            self._add(self.executed, path)
        elif folder:
            self._add(self.executed, posixpath.join(folder[0], path))
        elif len(self._waiting) < _MOST_OPEN:
            self._waiting.setdefault(pid, []).append(path)

    def _settle(self, pid: int, folder: str) -> None:
        """Note the working directory of a process."""
        known = self._folders.get(pid)
        if known is not None:
            known[:] = [folder]
        for path in self._waiting.pop(pid, ()):
            self._add(self.executed, posixpath.join(folder, path))

    def _add(self, paths: set[str], path: str) -> None:
        if len(paths) < self.most:
            paths.add(posixpath.normpath(path) if "/." in path else path)
        elif path not in paths:
            self.is_cut = True


def _text(escaped: bytes) -> str:
    r"""Return text that strace escaped as C does: ``\303\244``, ``\n``, ``\"``."""
    raw = _ESCAPE.sub(_unescape, escaped) if b"\\" in escaped else escaped
    return raw.decode("utf-8", "surrogateescape")


def _unescape(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, char = found.groups()
    if char is not None:
        return _NAMED.get(char, char)
    return bytes([int(octal, 8) & 0xFF if octal is not None else int(hexadecimal, 16)])


def _first_quoted(arguments: bytes) -> re.Match[bytes] | None:
    """Return the first text in quotes, None for none."""
    at = arguments.find(b'"')
    return _QUOTED.match(arguments, at) if at >= 0 else None
