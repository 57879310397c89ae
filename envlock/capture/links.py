"""Follow symbolic links inside the root of a target."""

from __future__ import annotations

from collections.abc import Callable

from envlock.model.tree import Entry, EntryType

MOST_PARTS = 256
"""How many parts of a path and of the links in it are followed; a loop ends there."""


def follow_links(path: str, stat: Callable[[str], Entry | None], resolved: dict[str, str]) -> str:
    """Return `path` with every symbolic link in it followed; nothing leads out of the root.

    `stat` returns one path, or None when it is absent.  `resolved` holds the paths that were
    followed before and gets this one.  A loop returns the path as far as it was followed.
    """
    # Directories are mostly asked for after the one they are in.
    parent, _, name = path.rpartition("/")
    done = resolved.get(parent, "").rstrip("/") if name else ""
    todo = [name] if done else [part for part in reversed(path.split("/")) if part]
    for _ in range(MOST_PARTS):
        if not todo:
            break
        part = todo.pop()
        if part in (".", ".."):
            done = done.rpartition("/")[0] if part == ".." else done
            continue
        entry = stat(f"{done}/{part}")
        if entry is None or entry.type is not EntryType.SYMLINK:
            done = f"{done}/{part}"
            continue
        if entry.target.startswith("/"):
            done = ""
        todo.extend(p for p in reversed(entry.target.split("/")) if p)
    found = resolved[path] = "/".join([done, *reversed(todo)]) or "/"
    return found
