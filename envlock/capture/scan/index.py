"""The index of the scan that all collectors share: every path, with its entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Self

from envlock.model.glob import EVERYTHING, GlobSet
from envlock.model.tree import FORMAT_OF_TYPE, Entry, EntryType
from envlock.targets.folder import Folder

Pick = Callable[[Sequence[str], Sequence[int]], Collection[str]]
"""Returns some of the names in a directory, given these and the mode of each with its type
(inode(7)); a hard link may be given as a regular file."""


def is_picked(entry: Entry, pick: Pick) -> bool:
    """True when `pick` picks the name of an entry."""
    return bool(pick((entry.path.rpartition("/")[2],), (entry.mode | FORMAT_OF_TYPE[entry.type],)))


class Index(Mapping[str, Entry]):
    """Path -> entry.

    Where a target yields whole directories, an entry is made when it is first asked for: unless
    everything is captured, few of the 400,000 paths of a machine are.
    """

    def __init__(self) -> None:
        self._folders: dict[str, Folder] = {}
        self._entries: dict[str, Entry] = {}
        self._lone: list[Entry] | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Return an index of entries."""
        index = cls()
        for entry in entries:
            index.add(entry)
        return index

    def add(self, found: Entry | Folder) -> None:
        """Add a path, or all paths of a directory; an entry replaces what its directory says."""
        self._lone = None
        if isinstance(found, Folder):
            self._folders[found.path] = found
        else:
            self._entries[found.path] = found

    def __getitem__(self, path: str) -> Entry:
        entry = self._entries.get(path)
        if entry is None:
            folder, slash, name = path.rpartition("/")
            there = self._folders.get(folder) if slash else None
            entry = there.entry(name) if there is not None else None
            if entry is None:
                raise KeyError(path)
        return entry

    def link(self, path: str) -> str | None:
        """Return the target of a symbolic link; None for anything else."""
        folder, slash, name = path.rpartition("/")
        there = self._folders.get(folder) if slash else None
        if there is not None and path != "/":
            return there.link_target(name)
        entry = self._entries.get(path)
        return entry.target if entry is not None and entry.type is EntryType.SYMLINK else None

    def __iter__(self) -> Iterator[str]:
        return self.paths()

    def __len__(self) -> int:
        return sum(map(len, self._folders.values())) + len(self._alone())

    def __bool__(self) -> bool:
        return bool(self._entries or self._folders)

    def paths(self, wanted: GlobSet = EVERYTHING) -> Iterator[str]:
        """Yield the wanted paths."""
        for folder, names in self.by_folder(wanted):
            for name in names:
                yield f"{folder}/{name}"

    def by_folder(self, wanted: GlobSet = EVERYTHING) -> Iterator[tuple[str, list[str]]]:
        """Yield directories and the wanted names in each; a directory may be yielded twice.

        The root directory is ``""``; its own entry is the name ``""`` in it.
        """
        for path, folder in self._folders.items():
            is_wanted = wanted is EVERYTHING or wanted.all_in(path)
            if is_wanted is not False:
                names, _ = folder.modes()
                yield path, names if is_wanted else [n for n in names if wanted(f"{path}/{n}")]
        alone: dict[str, list[str]] = {}
        for entry in self._alone():
            if wanted(entry.path):
                path, _, name = entry.path.rpartition("/")
                alone.setdefault(path, []).append(name)
        yield from alone.items()

    def entries(self, wanted: GlobSet = EVERYTHING) -> Iterator[Entry]:
        """Yield the entries of the wanted paths."""
        for path, folder in self._folders.items():
            is_wanted = wanted is EVERYTHING or wanted.all_in(path)
            if is_wanted is not False:
                found = folder.entries(self._entries)
                yield from found if is_wanted else (e for e in found if wanted(e.path))
        yield from (entry for entry in self._alone() if wanted(entry.path))

    def pick(self, pick: Pick) -> Iterator[str]:
        """Yield the paths whose names `pick` picks."""
        for path, folder in self._folders.items():
            for name in pick(*folder.modes()):
                yield f"{path}/{name}"
        for entry in self._alone():
            if is_picked(entry, pick):
                yield entry.path

    def larger_than(self, size: int) -> Iterator[Entry]:
        """Yield the entries of files with more than `size` bytes."""
        for folder in self._folders.values():
            if folder.size > size:
                yield from (e for e in folder.entries(self._entries) if e.size > size)
        yield from (entry for entry in self._alone() if entry.size > size)

    def folder_sizes(self) -> Iterator[tuple[str, int]]:
        """Yield directories and the bytes of the files in each; hard links may count again.

        A directory may be yielded more than once.
        """
        for path, folder in self._folders.items():
            yield path, folder.size
        for entry in self._alone():
            yield entry.path.rpartition("/")[0], entry.size

    def size(self) -> int:
        """Return the size of all files in bytes."""
        size = sum(folder.size for folder in self._folders.values())
        size += sum(entry.size for entry in self._alone())
        for entry in self._entries.values():
            if entry.type is EntryType.HARDLINK and self._is_told(entry.path):
                size -= self[entry.target].size  # its directory counted it as a file
        return size

    def _alone(self) -> list[Entry]:
        """Return the entries that belong to no directory of the index."""
        if self._lone is None:
            self._lone = [e for e in self._entries.values() if not self._is_told(e.path)]
        return self._lone

    def _is_told(self, path: str) -> bool:
        return path != "/" and path.rpartition("/")[0] in self._folders
