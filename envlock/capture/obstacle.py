"""What stands where a file or folder was looked for and not found: a broken link, or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envlock.model.coverage import Gap
from envlock.model.tree import Entry, EntryType

LINK_TO_NOTHING = "a link to nothing"
NOT_A_FOLDER = "not a folder"
NOT_A_FILE = "not a file"
_MADE_AT_RUN_TIME = ("/run/", "/var/run/", "/proc/", "/sys/", "/dev/", "/tmp/")  # noqa: S108  names in a target


class Obstacles:
    """Finds why a path is missing; a path that simply is not there has no obstacle.

    Links to what exists only while a machine runs, as ``/etc/mtab``, lead nowhere in every image
    and are no obstacle.  `index` are the paths of the scan, empty without one.
    """

    def __init__(
        self,
        index: Mapping[str, Entry],
        stat: Callable[[str], Entry | None],
        resolve: Callable[[str], str],
    ) -> None:
        self._index = index
        self._stat = stat
        self._resolve = resolve
        self._folders: set[str] = set()

    def find(self, path: str) -> Gap | None:
        """Return what stands in the way of a missing path."""
        parent = path.rstrip("/").rpartition("/")[0] or "/"
        in_scan = self._index.get(parent)
        if in_scan is not None and in_scan.type is EntryType.DIRECTORY:
            entry = self._index.get(path)
        else:
            above = self._above(parent)
            if above is not None:
                return above
            entry = self._stat(path)
        if entry is None or entry.type is not EntryType.SYMLINK:
            return None
        end = self._resolve(path)
        return None if f"{end}/".startswith(_MADE_AT_RUN_TIME) else Gap(path, LINK_TO_NOTHING)

    def _above(self, folder: str) -> Gap | None:
        """Return the nearest path at or above a folder, when it exists and is no folder."""
        todo = []
        while folder not in self._folders and folder != "/":
            todo.append(folder)
            entry = self._stat(folder)
            if entry is not None and entry.type is EntryType.SYMLINK:
                end = self._resolve(folder)
                if f"{end}/".startswith(_MADE_AT_RUN_TIME):
                    return None
                entry = self._stat(end)
                if entry is None:
                    return Gap(folder, LINK_TO_NOTHING)
            if entry is not None:
                if entry.type is not EntryType.DIRECTORY:
                    return Gap(folder, NOT_A_FOLDER)
                break
            folder = folder.rpartition("/")[0] or "/"
        self._folders.update(todo)
        return None
