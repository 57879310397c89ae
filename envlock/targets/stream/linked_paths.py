"""Find the files that declared paths lead to through symbolic links.

A collector declares ``/etc/cron.d/*``; where ``/etc/cron.d`` is a link to ``/srv/jobs``, what it
reads lies at ``/srv/jobs/*``.  A target that is read once as a stream must keep these files too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from envlock.model.glob import compile_globs
from envlock.model.tree import Entry, EntryType
from envlock.targets.stream.file_tree import FileTree, resolve

_DEPTH = 32
"""Most directories below one another that ``**`` is searched through."""


class LinkedPaths:
    """The real paths that globs match in a tree when links are followed as a program would."""

    def __init__(self, tree: FileTree, known: Callable[[str], Entry | None] | None = None) -> None:
        self._tree = tree
        self._known = known or tree.entries.get

    def find(self, patterns: Iterable[str], *, also_real: bool = False) -> set[str]:
        """Return real paths that differ from what was asked for, or all; one may not exist.

        Patterns that begin with a wildcard are ignored: they find a file at its real path.
        """
        found: set[str] = set()
        for pattern in patterns:
            if pattern.startswith("/") and not pattern.startswith("/*"):
                parts = [part for part in pattern.split("/") if part]
                found.update(
                    real
                    for real, is_linked in self._expand("", parts, is_linked=False)
                    if is_linked or also_real
                )
        return found

    def _expand(
        self, directory: str, parts: list[str], *, is_linked: bool
    ) -> Iterator[tuple[str, bool]]:
        """Yield the real path of each match below a real directory, and if a link led there."""
        head, rest = parts[0], parts[1:]
        if head == "**":
            if is_linked:  # otherwise the files are found at their real paths
                yield from ((path, True) for path in self._below(directory, rest))
            return
        for name in self._matching(directory, head):
            asked = f"{directory}/{name}"
            real = self._real(asked)
            if real is None:
                continue
            found = is_linked or real != asked
            if rest:
                yield from self._expand(real.rstrip("/"), rest, is_linked=found)
            else:
                yield real, found

    def _matching(self, directory: str, head: str) -> list[str]:
        if "*" not in head and "?" not in head:
            return [head]
        match = compile_globs((head,)).match
        return [name for name in self._tree.children(directory) if match(name)]

    def _real(self, path: str) -> str | None:
        """Return the real path; None for a loop of links."""
        entry = self._known(path)
        if entry is None or entry.type is not EntryType.SYMLINK:
            return path
        try:
            return resolve(path, self._known, follow=True)
        except OSError:
            return None

    def _below(self, directory: str, rest: list[str]) -> Iterator[str]:
        """Yield every path below a directory, links not followed, that the rest matches."""
        match = compile_globs(("/".join(["**", *rest]),)).match if rest else None
        todo = [directory]
        while todo:
            here = todo.pop()
            for name in self._tree.children(here):
                path = f"{here}/{name}"
                if match is None or match(path[len(directory) + 1 :]):
                    yield path
                if path.count("/") - directory.count("/") < _DEPTH:
                    todo.append(path)
