"""What is noted of files while a target streams by: how programs are linked, and scripts.

A closure asks for both after the walk, when each file would have to be fetched again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from envlock.formats.binary.elf_file import is_elf
from envlock.formats.binary.linkage import Linkage, parse_linkage
from envlock.model.tree import Entry

LINE_LIMIT = 255
"""Most bytes of a ``#!`` line, which is as much of it as the kernel reads (execve(2))."""
LINKAGE_LIMIT = 256 * 1024 * 1024
"""Largest program or library, in bytes, that is held in memory until it was parsed; one at a time.
A larger one is fetched again if it is asked for."""
MOST_NOTED = 200_000
"""Most files that are noted; others are fetched again if they are asked for."""
SCRIPT_LIMIT = 256 * 1024
"""Largest script, in bytes, of which more than the ``#!`` line is kept."""
SCRIPTS_TOTAL = 64 * 1024 * 1024
"""Most bytes of scripts that are kept; of others the ``#!`` line is."""

_MARK = b"#!"


class Beginning(NamedTuple):
    """How a file is linked, None for no ELF file; a script, or its beginning where it is cut."""

    linkage: Linkage | None = None
    script: bytes = b""
    is_cut: bool = False


class Beginnings:
    """Notes by digest, so that it does not matter by which names and layers a file comes.

    `most`, `largest` and `scripts` are `MOST_NOTED`, `LINKAGE_LIMIT` and `SCRIPTS_TOTAL`.
    """

    def __init__(
        self,
        most: int = MOST_NOTED,
        largest: int = LINKAGE_LIMIT,
        scripts: int = SCRIPTS_TOTAL,
    ) -> None:
        self._most = most
        self._largest = largest
        self._linkages: dict[str, Linkage | None] = {}
        self._scripts: dict[str, bytes] = {}
        self._cut: set[str] = set()
        self._room = scripts
        self._unknown: set[str] = set()
        self._told: set[str] = set()
        self._seen: set[str] = set()
        self._is_full = False

    def script(self, sha256: str) -> bytes | None:
        """Return the whole of a script, None for any other file, and where it is not kept."""
        return None if sha256 in self._cut else self._scripts.get(sha256)

    def beginning(self, sha256: str) -> Beginning | None:
        """Return what is noted of a file, None where it was not watched or not noted."""
        if sha256 not in self._seen:
            return None
        if sha256 in self._scripts:
            return Beginning(script=self._scripts[sha256], is_cut=sha256 in self._cut)
        return Beginning(self._linkages.get(sha256)) if self.knows(sha256) else None

    def tell(self, sha256: str, beginning: Beginning) -> None:
        """Take what was noted of a file before; it need not be watched again."""
        if len(self._linkages) + len(self._scripts) + len(self._unknown) >= self._most:
            return
        self._told.add(sha256)
        self._seen.add(sha256)
        if beginning.linkage is not None:
            self._linkages[sha256] = beginning.linkage
        elif beginning.script:
            self._scripts[sha256] = beginning.script
            if beginning.is_cut:
                self._cut.add(sha256)

    def watch(self, entry: Entry) -> Watcher | None:
        """Return what takes the content of one file, None where it was told before."""
        if entry.sha256 in self._told:
            return None
        return Watcher(self, self._largest if entry.size <= self._largest else 0)

    def knows(self, sha256: str) -> bool:
        """True when `linkage` and `line` tell what is in the file with this digest."""
        if not sha256 or sha256 in self._unknown:
            return False
        return not self._is_full or sha256 in self._linkages or sha256 in self._scripts

    def linkage(self, sha256: str) -> Linkage | None:
        """Return how a file is linked, None when it is no ELF file."""
        return self._linkages.get(sha256)

    def line(self, sha256: str) -> bytes:
        """Return the ``#!`` line of a script, empty for any other file."""
        return self._scripts.get(sha256, b"")[:LINE_LIMIT].partition(b"\n")[0]

    def note(self, sha256: str, head: bytes, pieces: Pieces | None) -> None:
        """Note a file that begins with `head`; `pieces` are all of it, None if it is too large."""
        self._seen.add(sha256)
        if not (is_elf(head) or head.startswith(_MARK)):
            return
        if len(self._linkages) + len(self._scripts) + len(self._unknown) >= self._most:
            self._is_full = True
        elif head.startswith(_MARK):
            self._keep_script(sha256, head, pieces)
        elif pieces is None:
            self._unknown.add(sha256)
        else:
            self._linkages[sha256] = parse_linkage(pieces.read)

    def _keep_script(self, sha256: str, head: bytes, pieces: Pieces | None) -> None:
        content = pieces.read(0, SCRIPT_LIMIT + 1) if pieces else head
        if sha256 in self._scripts:
            return
        if pieces is None or len(content) > min(SCRIPT_LIMIT, self._room):
            content = head
            self._cut.add(sha256)
        self._scripts[sha256] = content
        self._room -= len(content)


class Watcher:
    """Takes the content of one file; keeps an ELF file or script of at most `limit` bytes."""

    def __init__(self, notes: Beginnings, limit: int) -> None:
        self._notes = notes
        self._head = b""
        self._pieces: Pieces | None = Pieces() if limit else None
        self._is_wanted = True

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if not self._is_wanted:
            return
        if len(self._head) < LINE_LIMIT:
            self._head += chunk[: LINE_LIMIT - len(self._head)]
            is_script = self._head.startswith(_MARK)
            self._is_wanted = is_script or len(self._head) < LINE_LIMIT or is_elf(self._head)
        if self._pieces is not None:
            self._pieces.add(chunk)

    def close(self, sha256: str) -> None:
        """End the file, whose digest is known now."""
        self._notes.note(sha256, self._head, self._pieces)


class Pieces:
    """The content of a file in pieces, none of which is copied but where it is read."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._starts: list[int] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece."""
        if piece:
            self._pieces.append(piece)
            self._starts.append(self._size)
            self._size += len(piece)

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from an offset, fewer at the end."""
        found = b""
        number = max(0, bisect_right(self._starts, offset) - 1)
        while len(found) < size and number < len(self._pieces):
            at = offset + len(found) - self._starts[number]
            found += self._pieces[number][at : at + size - len(found)]
            number += 1
        return found
