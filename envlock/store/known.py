"""The captures and layers that are known by what they show, in the store's cache.

Each is a file; for a capture, a reference of the same name keeps the tree and the content that a
rebuild of it needs.  Garbage collection deletes both, with the other caches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from envlock.store.objects import Store
from envlock.store.refs import Ref, refs

MOST_KNOWN = 100
"""Most captures that are known; the one that was used longest ago goes first."""
KNOWN_BYTES = 256 * 1024 * 1024
"""Most bytes of all their files."""

MOST_LAYERS = 500
"""Most layers of images that are known; the one that was used longest ago goes first."""
LAYERS_BYTES = 512 * 1024 * 1024
"""Most bytes of all their files."""

_FOLDER = "known"
_LAYERS = "known-layers"
_REF = "known "


def known_path(store: Store, key: str) -> Path:
    """Return the file of the capture with a key, a digest in hex."""
    return store.cache / _FOLDER / key


def known_ref(key: str) -> str:
    """Return the name of the reference that keeps what a known capture relies on."""
    return f"{_REF}{key}"


def forget_most(store: Store, most: int = MOST_KNOWN, room: int = KNOWN_BYTES) -> None:
    """Forget captures, those used longest ago first, until at most so many and so many bytes stay.

    Their references and objects stay until garbage is collected.
    """
    _keep_newest(_files(store, _FOLDER), most, room)


def layer_path(store: Store, key: str) -> Path:
    """Return the file of what is known of a layer with a key, a digest in hex.

    No reference belongs to it: what it relies on and the store lost is read again.
    """
    return store.cache / _LAYERS / key


def forget_most_layers(store: Store, most: int = MOST_LAYERS, room: int = LAYERS_BYTES) -> None:
    """Forget layers, those used longest ago first, until at most so many and so many bytes stay."""
    _keep_newest(_files(store, _LAYERS), most, room)


def _keep_newest(files: Iterable[tuple[Path, int, int]], most: int, room: int) -> None:
    found = sorted(files, key=lambda each: each[1], reverse=True)
    for number, (path, _, size) in enumerate(found):
        room -= size
        if number >= most or room < 0:
            path.unlink(missing_ok=True)


def older(store: Store, limit: float) -> tuple[list[Path], list[Ref]]:
    """Return the files of captures last used before `limit`, in seconds since 1970.

    The references beside them are theirs, and those whose file is gone.
    """
    files = {path.name: used_ns <= limit * 1e9 for path, used_ns, _ in _files(store, _FOLDER)}
    gone = [
        ref
        for ref in refs(store)
        if ref.name.startswith(_REF) and files.get(ref.name.removeprefix(_REF), True)
    ]
    return [known_path(store, name) for name, is_old in files.items() if is_old], gone


def _files(store: Store, folder: str) -> Iterator[tuple[Path, int, int]]:
    """Yield each file with the time of its last use, in nanoseconds, and its size in bytes."""
    with suppress(FileNotFoundError):
        for path in (store.cache / folder).iterdir():
            with suppress(FileNotFoundError):
                found = path.lstat()
                yield path, found.st_mtime_ns, found.st_size
