"""Libraries that a module of Python relies on others to have loaded.

Distributions put libraries for others into a directory of their own (``torch/lib``,
``nvidia/cublas/lib``, ``numpy.libs``), and load them by path before the modules that need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.model.tree import EntryType
from envlock.scope.graph import Around

_FOLDER = re.compile(r"(.*/(?:site|dist)-packages)/")
_LIBRARY = re.compile(r"\.so(?:\.[\d.]+)?\Z")
_JVM = "libjvm.so"
_DEPTH = 3
_MOST = 2000


def beside(path: str, name: str, around: Around) -> str:
    """Return the real path of a library of that name that others load before, empty for none."""
    if name == _JVM:  # libraries of Java's runtime are loaded after the virtual machine
        found = around.real(f"{path.rpartition('/')[0]}/server/{_JVM}")
        return found.path if found else ""
    match = _FOLDER.match(path)
    return around.once(_libraries, match[1]).get(name, "") if match else ""


def _libraries(around: Around, top: str) -> dict[str, str]:
    """Return name -> real path of the libraries that lie directly in a few levels of directories.

    Of those with the same name the first counts.
    """
    found: dict[str, str] = {}
    for folder in _folders(around, top):
        for name in around.view.names(folder):
            if name.startswith("lib") and _LIBRARY.search(name):
                found.setdefault(name, around.view.resolve(f"{folder}/{name}"))
    return found


def _folders(around: Around, top: str) -> Iterator[str]:
    """Yield the directories of distributions, and those of libraries in them."""
    level = [top]
    count = 0
    for _ in range(_DEPTH):
        below = []
        for folder in level:
            for name in around.view.names(folder):
                path = f"{folder}/{name}"
                entry = (
                    around.view.stat(path) if "." not in name or name.endswith(".libs") else None
                )
                if entry is None or entry.type is not EntryType.DIRECTORY:
                    continue
                count += 1
                if count > _MOST:
                    return
                below.append(path)
                yield path
        level = below
