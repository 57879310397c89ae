"""What will not start: files of an image that name a file or folder which the image does not have.

An image has no keys, no names of machines and no data of services unless it was asked for them.  A
configuration that names one of them is right and still does not work, so each is told, with what
makes the missing thing anew.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.materialize.tree.normalise import Normalised
from envlock.model.state import StateData, StateMap
from envlock.model.tree import EntryType, FileClass, Row

SETTINGS_LIMIT = 256 * 1024
"""Largest file of settings, in bytes, that is searched for names of missing files."""

_PLACES = ("/etc/", "/opt/", "/srv/", "/usr/local/", "/home/", "/root/")
_READ = frozenset(
    {
        FileClass.CONFFILE,
        FileClass.CONFFILE_MODIFIED,
        FileClass.PACKAGE_MODIFIED,
        FileClass.UNOWNED,
        FileClass.GENERATED,
    }
)
_PATH = re.compile(rb"/[\w.+@%~:/-]{2,1024}")
_COMMENTS = (b"#", b";", b"//", b"--")
_NO_TEXT = frozenset(
    (
        *("a", "class", "jar", "mo", "o", "pyc", "so", "whl"),
        *("bz2", "gz", "xz", "zip", "zst"),
        *("gif", "ico", "jpeg", "jpg", "otf", "pdf", "png", "ttf", "woff", "woff2"),
    )
)
"""Endings of files that are no text, so that they are not read."""
_UNUSED = re.compile(r"/[^/]+-available/|/snippets/|/examples?/")
"""Where packages put settings that nothing reads until they are linked or included."""

_CURES = (
    ("/ssl-cert-snakeoil.", "make-ssl-cert generate-default-snakeoil --force-overwrite"),
    ("/etc/ssh/ssh_host_", "ssh-keygen -A"),
    ("/etc/mailname", "hostname --fqdn > /etc/mailname"),
    ("/machine-id", "systemd-machine-id-setup"),
)
"""Part of a path -> what makes the file anew."""
_DATA_CURES = {
    "postgresql": "pg_createcluster VERSION NAME, or initdb; then restore a dump",
    "mariadb": "mariadb-install-db; then restore a dump",
    "mysql": "mysqld --initialize; then restore a dump",
    "openldap": "slapadd",
    "etcd": "etcdctl snapshot restore",
    "rabbitmq": "rabbitmqctl import_definitions",
    "sqlite": "the application makes it anew, or mount a copy",
}
_STARTS_EMPTY = frozenset({"redis", "mongodb", "leveldb", "prometheus", "mail"})
_EMPTY = "its service starts with no data"
_CURE = "mount it when the container starts: -v FILE:PATH:ro"


class LostFile(NamedTuple):
    """A file that names a missing one: its path, the missing path, and what makes that anew."""

    path: str
    names: str
    cure: str


def cure_of_data(engine: str) -> str:
    """Return what gives a service its data, for an image that has none of it."""
    return _EMPTY if engine in _STARTS_EMPTY else _DATA_CURES.get(engine, _CURE)


def lost_files(
    normalised: Normalised, data: Sequence[StateData], read: Callable[[Row], bytes | None]
) -> list[LostFile]:
    """Return the files of an image that name what it does not have, by path.

    `data` is what the lock does not have of services; `read` returns the content of a row, None
    where it is not at hand.  A server that starts with no data does not miss it.
    """
    lost = _Lost(normalised.warnings, data)
    if not lost:
        return []
    links = {_target(row) for row in normalised.rows if row.entry.type is EntryType.SYMLINK}
    return [found for row in normalised.rows for found in _of_row(row, lost, links, read)]


class _Lost:
    """The paths that are missing in an image."""

    def __init__(self, dropped: Iterable[str], data: Sequence[StateData]) -> None:
        self._data = {e.path: e.engine for e in data if e.engine not in _STARTS_EMPTY}
        covered = StateMap(data)
        self._paths = {path for path in dropped if covered.at(path) is None}

    def __bool__(self) -> bool:
        return bool(self._data or self._paths)

    def cure(self, path: str) -> str | None:
        """Return what makes a missing path anew, None for one that is not missing."""
        if path in self._data:
            return cure_of_data(self._data[path])
        if path in self._paths:
            return next((cure for part, cure in _CURES if part in path), _CURE)
        return None


def _of_row(
    row: Row, lost: _Lost, links: Iterable[str], read: Callable[[Row], bytes | None]
) -> Iterator[LostFile]:
    """Yield what a row names that is missing, each once."""
    path = row.entry.path
    named: Mapping[str, None] = {}
    if row.entry.type is EntryType.SYMLINK:
        named = {_target(row): None} if row.file_class is not FileClass.GENERATED else {}
    elif _is_setting(row) and not (_is_unused(row) and path not in links):
        named = dict.fromkeys(_paths_in(read(row) or b""))
    for name in named:
        cure = lost.cure(name)
        if cure is not None:
            yield LostFile(path, name, cure)


def _is_setting(row: Row) -> bool:
    entry = row.entry
    is_small = entry.type is EntryType.FILE and 0 < entry.size <= SETTINGS_LIMIT
    is_text = entry.path.rpartition(".")[2] not in _NO_TEXT
    return is_small and is_text and row.file_class in _READ and entry.path.startswith(_PLACES)


def _is_unused(row: Row) -> bool:
    return row.file_class is FileClass.CONFFILE and bool(_UNUSED.search(row.entry.path))


def _target(row: Row) -> str:
    entry = row.entry
    return posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), entry.target))


def _paths_in(content: bytes) -> Iterator[str]:
    """Yield the absolute paths in a text, comments left out."""
    if b"\0" in content:
        return
    for line in content.splitlines():
        if not line.lstrip().startswith(_COMMENTS):
            for found in _PATH.findall(line):
                path = found.decode(errors="surrogateescape").rstrip("/.:")
                yield path
                yield path.partition(":")[0]
