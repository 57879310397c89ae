"""Lay the layers of an image on each other: whiteouts, replaced directories, hard links.

Every step looks at each path of the tree a constant number of times, however many paths a layer
hides or replaces.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from envlock.errors import TargetError
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.stream.file_tree import FileTree

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LINK_LIMIT = 40


def is_whiteout(path: str) -> bool:
    """True for a member of a layer that hides something below."""
    return path.rpartition("/")[2].startswith(_WHITEOUT)


class Hidden(NamedTuple):
    """What a layer hides of those below (OCI image-spec, layer.md, "Whiteouts")."""

    whole: set[str]
    content: set[str]

    def add(self, path: str) -> bool:
        """Note a whiteout; return False when `path` is none."""
        directory, _, name = path.rpartition("/")
        if not name.startswith(_WHITEOUT):
            return False
        if name == _OPAQUE:
            self.content.add(directory or "/")
        else:
            self.whole.add(f"{directory}/{name.removeprefix(_WHITEOUT)}")
        return True

    def paths(self, entries: Iterable[str]) -> list[str]:
        """Return those of `entries` that are hidden."""
        if not (self.whole or self.content):
            return []
        return [
            path
            for path in entries
            if path in self.whole
            or is_below(path, self.whole)
            or (self.content and is_below(path, self.content))
        ]


def is_below(path: str, folders: Container[str]) -> bool:
    """True when `path` is below a directory in `folders`."""
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        if path in folders:
            return True
    return False


def merge(below: FileTree, upper: FileTree) -> None:
    """Merge a layer into those below; a directory that it replaces loses its content."""
    remove([path for path in upper.entries if path in below.entries], below, upper.entries)
    below.entries.update(upper.entries)
    below.contents.update(upper.contents)


def remove(
    paths: Iterable[str], tree: FileTree, instead: Mapping[str, Entry] | None = None
) -> None:
    """Remove paths; the first hard link to a removed file becomes the file.

    `instead` has the entries that replace removed ones.
    """
    entries = tree.entries
    removed = set(paths)
    if not removed:
        return
    folders = {
        path
        for path in removed
        if entries[path].type is EntryType.DIRECTORY
        and not (
            (replacement := (instead or {}).get(path)) and replacement.type is EntryType.DIRECTORY
        )
    }
    if folders:
        removed.update(known for known in entries if is_below(known, folders))
    orphans: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.type is EntryType.HARDLINK and entry.target in removed and path not in removed:
            orphans.setdefault(entry.target, []).append(path)
    for file, links in orphans.items():
        first = min(links, key=sort_key)
        for link in links:
            entries[link] = entries[link]._replace(target=first)
        entries[first] = entries[file]._replace(path=first)
        if file in tree.contents:
            tree.contents[first] = tree.contents[file]
    for path in removed:
        del entries[path]
        tree.contents.pop(path, None)


def choose_first_names(tree: FileTree, below: FileTree | None = None) -> None:
    """Make the first name of a file, in byte order, the file, and the others hard links to it.

    A link of a layer may name a file of the layers `below`, as some builders write it.
    """
    entries, contents = tree.entries, tree.contents
    groups: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.type is EntryType.HARDLINK:
            groups.setdefault(_linked_file(entry, entries), []).append(path)
    for path, links in groups.items():
        file = entries.get(path)
        if file is None and below is not None and (lower := _file_of(path, below)) is not None:
            entries.update((name, _link_to(lower)._replace(path=name)) for name in links)
            continue
        if file is None or file.type is not EntryType.FILE:
            raise TargetError("a hard link to a missing file", where=links[0])
        first = min((path, *links), key=sort_key)
        link = _link_to(file._replace(path=first))
        for name in (path, *links):
            entries[name] = link._replace(path=name)
        entries[first] = file._replace(path=first)
        if path in contents:
            contents[first] = contents[path]


def _file_of(path: str, tree: FileTree) -> Entry | None:
    """Return the file that a path of a tree with chosen names is, None where it is none."""
    entry = tree.entries.get(path)
    if entry is not None and entry.type is EntryType.HARDLINK:
        entry = tree.entries.get(entry.target)
    return entry if entry is not None and entry.type is EntryType.FILE else None


def _link_to(file: Entry) -> Entry:
    kind = EntryType.HARDLINK
    return file._replace(type=kind, target=file.path, size=0, sha256="", md5="", sha1="")


def _linked_file(entry: Entry, entries: dict[str, Entry]) -> str:
    """Return the path of the file that a chain of hard links ends at."""
    for _ in range(_LINK_LIMIT):
        target = entries.get(entry.target)
        if target is None or target.type is not EntryType.HARDLINK:
            break
        entry = target
    return entry.target
