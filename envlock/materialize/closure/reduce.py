"""Reduce an environment to the closure of one of its applications, for an image of that alone.

Packages are kept whole: what owns no part of the closure goes, with all of its files.  Of the
files that no package owns, those stay that the application needs or may be part of it.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.errors import MaterializeError
from envlock.materialize.closure.base_files import (
    WITNESSES,
    is_empty_directory,
    is_in_every_image,
    is_place_of_applications,
)
from envlock.materialize.closure.package_databases import (
    Database,
    reduce_databases,
    with_dependencies,
)
from envlock.materialize.closure.start import started
from envlock.materialize.closure.whole_folders import whole_folders
from envlock.materialize.tree.directories import ancestors
from envlock.model.lock import Lock
from envlock.model.scope import EVERY, SECTION, Role, RootKind, roles_of
from envlock.model.tree import EntryType, Row, Tree

_ALWAYS = ("os", "locale", "env", "user", "group", "state")
"""Sections that an image of an application has as a whole."""
_NO_SHELL = "shell-missing"
_LINKS = 40
_GENERATED_LINKS = ("/etc/alternatives/", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib")

Put = Callable[[bytes], str]
"""Stores content and returns its hex digest."""


class Reduced(NamedTuple):
    """An environment without what an application does not need.

    `left_out` maps each package that is not kept (``deb gcc-12:amd64``), and ``""`` for files of
    none, to the bytes of its files.
    """

    role: Role
    lock: Lock
    tree: Tree
    left_out: Mapping[str, int]


def reduce(lock: Lock, tree: Tree, role: str, read: Callable[[Row], bytes], put: Put) -> Reduced:
    """Return the part of an environment that an image of `role` holds.

    `read` returns the content of a row and `put` keeps what is generated.  Raise MaterializeError
    when the lock has no such role, or its package database cannot be reduced.
    """
    found = _role(lock, role)
    selection = _Selection(lock, tree, found, read)
    rows = selection.rows(put)
    kept = {row.entry.path for row in rows}
    left_out: Counter[str] = Counter()
    for row in tree.rows:
        if row.entry.path not in kept:
            left_out[row.owner] += row.entry.size
    return Reduced(
        found,
        started(_lock(lock, found, selection.owners), found),
        Tree.of(rows),
        {owner: left_out[owner] for owner in sorted(left_out)},
    )


def reduce_lock(lock: Lock, like: Lock) -> Lock:
    """Return the records of a lock that `like` has too, by key.

    Accounts are kept whole, and their login shells only where the application needs them; that one
    is missing is not compared.
    """
    sections = {
        name: {key: facts for key, facts in records.items() if key in like.sections[name]}
        for name, records in lock.sections.items()
        if name in like.sections
    }
    for key, facts in sections.get("user", {}).items():
        known = like.sections["user"][key]
        sections["user"][key] = {
            name: value for name, value in facts.items() if name != _NO_SHELL or name in known
        }
    return Lock(sections=sections, version=lock.version)


def with_classes_of(found: Tree, wanted: Tree) -> Tree:
    """Return `wanted` with directories of the class that a capture of its image gave them.

    A directory that several packages share is classified by the first of them, which may not be in
    the image.
    """
    classes = {
        row.entry.path: row.file_class
        for row in found.rows
        if row.entry.type is EntryType.DIRECTORY
    }
    return Tree(
        tuple(
            row._replace(file_class=classes.get(row.entry.path, row.file_class))
            if row.entry.type is EntryType.DIRECTORY
            else row
            for row in wanted.rows
        )
    )


def _role(lock: Lock, name: str) -> Role:
    roles = roles_of(lock)
    if name in roles:
        return roles[name]
    raise MaterializeError(
        f"the lock has no application called {name}",
        hint=f"it has {', '.join(roles)}"
        if roles
        else f"capture again with --root {name}=ROOT, for example {name}=python:.venv",
    )


def _lock(lock: Lock, role: Role, owners: Collection[str]) -> Lock:
    """Return the records of an application: its members, and what every image has."""
    wanted: dict[str, set[str]] = {}
    for member in role.members:
        wanted.setdefault(member.section, set()).add(member.key)
    for owner in owners:
        section, _, key = owner.partition(" ")
        wanted.setdefault(section, set()).add(key)
    sections = {}
    for name, records in lock.sections.items():
        keys = wanted.get(name, set())
        if name == SECTION:
            own = (role.name, f"{role.name}/")
            chosen = {k: f for k, f in records.items() if k == own[0] or k.startswith(own[1])}
        elif name in _ALWAYS or name == "process" or EVERY in keys:
            chosen = dict(records)
        else:
            chosen = {key: facts for key, facts in records.items() if key in keys}
        if chosen:
            sections[name] = chosen
    return Lock(sections=sections, coverage=lock.coverage, version=lock.version)


class _Selection:
    """Decides on each row of a tree; `owners` are the packages that are kept."""

    def __init__(self, lock: Lock, tree: Tree, role: Role, read: Callable[[Row], bytes]) -> None:
        self._rows = {row.entry.path: row for row in tree.rows}
        self._role = role
        self._read = read
        members = {f"{member.section} {member.key}" for member in role.members}
        witnesses = {self._rows[path].owner for path in WITNESSES if path in self._rows} - {""}
        self.owners = with_dependencies(members | witnesses, self._rows, read)
        self._folders = whole_folders(lock, role, self._rows)
        self._files = {member.key for member in role.members if member.section == "file"}

    def rows(self, put: Put) -> list[Row]:
        """Return the rows that are kept, with the directories above them."""
        kept, database = self._chosen()
        while packages := self._owners_of_links(kept) - self.owners:
            self.owners = with_dependencies(self.owners | packages, self._rows, self._read)
            kept, database = self._chosen()
        return [self._new(self._rows[path], database.contents, put) for path in kept]

    def _chosen(self) -> tuple[set[str], Database]:
        """Return the paths to keep for the packages that are kept, and their database."""
        database = reduce_databases(self._rows, self.owners, self._read)
        kept = {path for path, row in self._rows.items() if self._is_kept(path, row)}
        kept |= database.kept
        kept |= {path for path in map(self._real, database.shared) if self._is_shared(path)}
        kept |= {path for path in self._rows if self._is_configuration(path, kept)}
        there = self._with_parents(kept)
        kept -= {path for path in kept if self._is_broken(path, there)}
        kept |= set(self._links(there))
        kept = self._with_parents(kept)
        kept |= {"/"} & self._rows.keys()
        return kept | self._files_of_hard_links(kept), database

    def _owners_of_links(self, kept: Collection[str]) -> set[str]:
        """Return the packages of the links between a kept link and the kept file it leads to.

        An environment's ``python`` leads through a link of another package to the interpreter.
        """
        found = set()
        for path in kept:
            if self._rows[path].entry.type is EntryType.SYMLINK:
                *links, end = self._steps(path)
                if end in kept:
                    found |= {self._rows[each].owner for each in links[1:]}
        return found - {""}

    def _is_kept(self, path: str, row: Row) -> bool:
        if row.owner in self.owners:
            return True
        if row.entry.type is EntryType.DIRECTORY and is_empty_directory(path):
            return True
        if row.owner:
            return False
        if path in self._files or is_in_every_image(path):
            return True
        if any(path == folder or path.startswith(f"{folder}/") for folder in self._folders):
            return True
        return self._role.root.kind is RootKind.PROCESS and is_place_of_applications(path)

    def _is_shared(self, path: str) -> bool:
        """True for a directory, or a link to one, that several packages may have."""
        row = self._rows.get(path)
        return row is not None and row.entry.type in (EntryType.DIRECTORY, EntryType.SYMLINK)

    def _is_configuration(self, path: str, kept: Collection[str]) -> bool:
        """True for a file of no package in a directory below /etc or /var/lib of a kept package."""
        parts = path.split("/", 4)
        is_deep = len(parts) > 3 and parts[1] in ("etc", "var")
        if not is_deep or self._rows[path].owner or path.startswith("/var/lib/dpkg/"):
            return False
        top = "/".join(parts[:3] if parts[1] == "etc" else parts[:4])
        owner = self._rows[top].owner if top in self._rows else ""
        return owner in self.owners and top in kept and top != path

    def _is_broken(self, path: str, there: Collection[str]) -> bool:
        """True for a link of no package that led somewhere, and does not in the image."""
        row = self._rows[path]
        if row.entry.type is not EntryType.SYMLINK or row.owner:
            return False
        *_, end = self._steps(path)
        return end in self._rows and end not in there

    def _links(self, there: Collection[str]) -> Iterator[str]:
        """Yield links of no package that lead to what is kept: merged /usr, alternatives."""
        for path, row in self._rows.items():
            if row.entry.type is not EntryType.SYMLINK or row.owner or path in there:
                continue
            if path.count("/") > 1 and not path.startswith(_GENERATED_LINKS):
                continue
            *between, end = self._steps(path)
            if end in there:
                yield from between

    def _with_parents(self, paths: Collection[str]) -> set[str]:
        above = {folder for path in paths if path != "/" for folder in ancestors(path)}
        return {*paths, *above} & self._rows.keys()

    def _steps(self, path: str) -> list[str]:
        """Return the links on the way from a path, and last where they lead to."""
        steps = [path]
        for _ in range(_LINKS):
            row = self._rows.get(path)
            if row is None or row.entry.type is not EntryType.SYMLINK:
                break
            folder = posixpath.dirname(path)
            path = self._real(posixpath.normpath(posixpath.join(folder, row.entry.target)))
            steps.append(path)
        return steps

    def _real(self, path: str) -> str:
        """Return a path with the links in its directories followed."""
        done = ""
        for part in path.split("/")[1:-1]:
            done = f"{done}/{part}"
            row = self._rows.get(done)
            if row is not None and row.entry.type is EntryType.SYMLINK:
                done = posixpath.normpath(posixpath.join(posixpath.dirname(done), row.entry.target))
        return f"{done}/{path.rpartition('/')[2]}"

    def _files_of_hard_links(self, kept: Iterable[str]) -> set[str]:
        entries = (self._rows[path].entry for path in kept)
        return {e.target for e in entries if e.type is EntryType.HARDLINK}

    def _new(self, row: Row, contents: Mapping[str, bytes], put: Put) -> Row:
        content = contents.get(row.entry.path)
        if content is None:
            return row
        sha256 = put(content)
        entry = row.entry._replace(size=len(content), sha256=sha256, md5="", sha1="")
        return row._replace(entry=entry, source=f"blob {sha256}")
