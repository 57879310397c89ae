"""A directory that is watched while something writes to it: every state that a crash could leave.

Each call that changes a name or makes something durable is a moment.  Just before it, the process
may be killed, which leaves the directory as it is, or the power may fail, which leaves

- all names, and of each file what was flushed of it;
- only the names whose directories were flushed, and of each file what was flushed of it;
- for each directory and each file, by chance, one or the other, or a part of the content.

Calls of the operating system are watched, not functions of envlock.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

CHANGES = ("rename", "replace", "unlink", "remove", "mkdir", "rmdir", "link")


_TORN = 64 * 1024
"""Only files up to this size are torn: the states of a run are all in memory."""


class Node(NamedTuple):
    """A file or directory: its number, and the names in it or its content."""

    number: int
    names: dict[str, Node] | None
    content: bytes = b""
    mtime_ns: int = 0


class State(NamedTuple):
    """What a crash leaves: path -> content with time of modification, None for a directory."""

    moment: int
    kind: str
    files: dict[str, tuple[bytes, int] | None]

    def write(self, root: Path) -> None:
        """Write the state below `root`."""
        for path, told in self.files.items():
            place = root / path
            if told is None:
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.write_bytes(told[0])
                os.utime(place, ns=(told[1], told[1]))


class WatchedDisk:
    """Collects states of `root` while it is entered, `chances` random ones a moment."""

    def __init__(self, root: Path, chances: int = 1) -> None:
        self.root = root
        self.moments = 0
        self._chances = chances
        self._states: list[State] = []
        self._guard = threading.RLock()
        self._before: dict[str, Any] = {}
        self._names: dict[int, dict[str, Node]] = {}
        self._contents: dict[int, bytes] = {}
        self._known: dict[int, int] = {}
        self._count = itertools.count()
        self._held: dict[bytes, bytes] = {}

    def states(self) -> Iterator[State]:
        """Yield the states, each different from the one before it."""
        last: object = None
        for state in self._states:
            if state.files != last:
                last = state.files
                yield state

    def __enter__(self) -> Self:
        self._flush_all(self._look())
        for name in (*CHANGES, "fsync"):
            self._before[name] = getattr(os, name)
            setattr(os, name, self._watch(name, self._before[name]))
        self._before["CDLL"] = ctypes.CDLL
        ctypes.CDLL = self._library  # type: ignore[assignment,misc]
        return self

    def __exit__(self, *_: object) -> None:
        ctypes.CDLL = self._before.pop("CDLL")  # type: ignore[misc]
        for name, function in self._before.items():
            setattr(os, name, function)
        self._moment()

    def _watch(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **more: Any) -> Any:
            with self._guard:
                if not self._concerns(name, given, more):
                    return call(*given, **more)
                self._moment()
                result = call(*given, **more)
                if name == "fsync":
                    path = Path(os.readlink(f"/proc/self/fd/{_number(given[0])}"))
                    self._flush(self._node(path, self._known))
                else:
                    self._look()  # before the number of a deleted file is given to another one
                return result

        return watched

    def _concerns(self, name: str, given: tuple[Any, ...], more: dict[str, Any]) -> bool:
        """True when a call is about something below the root."""
        descriptors = [n for key, n in more.items() if key.endswith("dir_fd") and n is not None]
        descriptors += [_number(given[0])] if name == "fsync" else []
        paths = [os.readlink(f"/proc/self/fd/{number}") for number in descriptors]
        if name != "fsync":
            paths += [os.path.abspath(os.fsdecode(each)) for each in given[:2] if _is_path(each)]
        return any(path.startswith(str(self.root)) for path in paths)

    def _library(self, *given: Any, **more: Any) -> Any:
        """Return a C library whose syncfs(2) is watched."""
        real = self._before["CDLL"](*given, **more)
        disk = self

        class Library:
            def __getattr__(self, name: str) -> Any:
                return disk._sync_all if name == "syncfs" else getattr(real, name)

        return Library()

    def _sync_all(self, _descriptor: int) -> int:
        with self._guard:
            self._moment()
            self._flush_all(self._look())
        return 0

    def _look(self) -> Node:
        """Return the tree as it is now; a file keeps its number as long as it exists."""
        seen: dict[int, int] = {}
        node = self._node(self.root, seen)
        self._known = seen
        return node

    def _node(self, path: Path, seen: dict[int, int]) -> Node:
        found = path.stat()
        inode = found.st_ino
        number = seen[inode] = self._known.get(inode, -1)
        if number < 0:
            number = seen[inode] = next(self._count)
        if not path.is_dir():
            content = path.read_bytes()
            content = self._held.setdefault(content, content)  # once, however often it is looked at
            return Node(number, None, content, found.st_mtime_ns)
        names = {}
        for name in os.listdir(path):
            try:
                names[name] = self._node(path / name, seen)
            except FileNotFoundError:
                continue
        return Node(number, names)

    def _flush(self, node: Node) -> None:
        if node.names is None:
            self._contents[node.number] = node.content
        else:
            self._names[node.number] = node.names

    def _flush_all(self, node: Node) -> None:
        self._flush(node)
        for below in (node.names or {}).values():
            self._flush_all(below)

    def _moment(self) -> None:
        now = self._look()
        current = {node.number: node for node in _every(now)}
        self.moments += 1
        self._keep("killed", now, lambda node: node.names, lambda node: node.content)
        self._keep("names", now, lambda node: node.names, self._flushed)
        self._keep("flushed", now, self._flushed_names, self._flushed)
        for chance in range(self._chances):
            dice = random.Random(f"{self.moments} {chance}")

            def names(node: Node, dice: random.Random = dice) -> dict[str, Node]:
                is_new = dice.random() < 0.5
                found = current.get(node.number, node).names if is_new else None
                return found if found is not None else self._flushed_names(node)

            def content(node: Node, dice: random.Random = dice) -> bytes:
                return self._torn(current.get(node.number, node), dice)

            self._keep(f"chance {chance}", now, names, content)

    def _flushed_names(self, node: Node) -> dict[str, Node]:
        return self._names.get(node.number, {})

    def _flushed(self, node: Node) -> bytes:
        return self._contents.get(node.number, b"")

    def _torn(self, node: Node, dice: random.Random) -> bytes:
        flushed = self._flushed(node)
        if flushed == node.content:
            return flushed
        if len(node.content) > _TORN:
            return dice.choice((flushed, node.content))
        part = node.content[: dice.randrange(len(node.content) + 1)]
        return dice.choice((flushed, part, bytes(len(node.content)), node.content))

    def _keep(
        self,
        kind: str,
        now: Node,
        names: Callable[[Node], dict[str, Node] | None],
        content: Callable[[Node], bytes],
    ) -> None:
        files: dict[str, tuple[bytes, int] | None] = {}

        def walk(node: Node, path: str) -> None:
            if node.names is None:
                files[path] = content(node), node.mtime_ns
                return
            files[path] = None
            for name, below in sorted((names(node) or {}).items()):
                walk(below, f"{path}/{name}" if path else name)

        walk(now, "")
        self._states.append(State(self.moments, kind, files))


def _every(node: Node) -> Iterator[Node]:
    yield node
    for below in (node.names or {}).values():
        yield from _every(below)


def _is_path(given: Any) -> bool:
    return isinstance(given, str | bytes | os.PathLike)


def _number(given: Any) -> int:
    return given if isinstance(given, int) else int(given.fileno())
