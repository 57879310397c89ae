"""A program or library needs the libraries that the loader picks for it, and the loader itself.

A library is resolved together with what loads it: a run path of a program counts for the libraries
of its libraries.  One that nothing links is loaded by name, by the program of the application that
can: Python's interpreter for a module of Python.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.formats.binary.linkage import Linkage
from envlock.model.scope import STEP, MemberClass
from envlock.scope.beside import beside
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.loader import Link, Loaded, Process
from envlock.scope.loader_settings import READS

MISSING = "missing-library"

_FROM_HOST = re.compile(
    r"lib(?:cuda|nvcuvid|nvidia-[\w-]+|nvoptix|EGL_nvidia|GLX_nvidia|vdpau_nvidia)\.so|linux-vdso"
)
"""Libraries that come with the driver of the host; an image must not contain them."""

_HOSTS = (
    (re.compile(r"/(?:site|dist)-packages/|/lib-dynload/"), re.compile(r"python|pypy")),
    (re.compile(r"\.node\Z"), re.compile(r"node")),
)
"""Paths of libraries that are loaded by name -> names of the programs that load them."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the libraries of a program or library, and those that are found nowhere."""
    if isinstance(node, File):
        linkage = around.view.linkage(node.path)
        if linkage is not None:
            yield from around.once_a_root(_Links).needs(node.path, linkage)


class _Links:
    """What was resolved for the application of one root so far."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._programs: list[Process] = []
        self._known: dict[str, dict[Need, None]] = {}
        self._visited: set[str] = set()

    def needs(self, path: str, linkage: Linkage) -> Iterator[Need]:
        """Yield what one file needs, in every process that it was found in."""
        self._visited.add(path)
        late = []
        if path not in self._known:
            late = self._resolve(path, linkage)
        yield from self._known[path]
        yield from late

    def _resolve(self, path: str, linkage: Linkage) -> list[Need]:
        """Load a file with all that it needs; return new needs of files that were visited before.

        This happens where two programs resolve the same library's needs differently.
        """
        host = None if linkage.interpreter else self._host(path)
        loader = host.main if host else None
        process = Process(Loaded(path, path, linkage, loader), self._around, host)
        process.link()
        if linkage.interpreter:
            self._programs.append(process)
        late = []
        for each in process.objects:
            known = self._known.setdefault(each.path, {})
            found = dict.fromkeys(self._needs_of(each, process))
            if each.path in self._visited and each is not process.main:
                step = posixpath.basename(each.path)
                late += [
                    need._replace(evidence=STEP.join(filter(None, (step, need.evidence))))
                    for need in found
                    if need not in known
                ]
            known.update(found)
        return late

    def _host(self, path: str) -> Process | None:
        """Return the program of the application that loads a library by name."""
        for paths, names in _HOSTS:
            if paths.search(path):
                for each in self._programs:
                    if names.match(posixpath.basename(each.main.path)):
                        return each
        return self._programs[0] if self._programs else None

    def _needs_of(self, each: Loaded, process: Process) -> Iterator[Need]:
        interpreter = each.linkage.interpreter
        if interpreter and each is process.main:
            settings = process.settings
            if settings is None:
                yield Need(Item(MISSING, interpreter), member_class=MemberClass.LINKED)
                return
            yield Need(File(settings.path), interpreter, MemberClass.LINKED)
        yield from self._of_links(each, process)
        for name in each.linkage.optional:
            found = process.optional(name, each)
            if found:
                yield Need(File(found), name, MemberClass.LOADED)

    def _of_links(self, each: Loaded, process: Process) -> Iterator[Need]:
        for link in each.links:
            if link.path:
                yield Need(File(link.path), _evidence(link), MemberClass.LINKED)
            elif not _FROM_HOST.match(link.name):
                found = "" if process.host is None else beside(each.path, link.name, self._around)
                if found:
                    yield Need(File(found), link.name, MemberClass.LOADED)
                else:
                    yield Need(Item(MISSING, link.name), member_class=MemberClass.LINKED)


def _evidence(link: Link) -> str:
    return f"preloaded {link.name}" if link.is_preload else link.name


EDGE = EdgeKind(
    name="library",
    of="a program or library",
    to="the libraries that the loader picks for it, and the loader",
    evidence="its dynamic section, run paths, `LD_LIBRARY_PATH`, the cache of the loader",
    sources=("ld.so(8)", "System V ABI, Shared Object Dependencies", "musl, ldso/dynlink.c"),
    needs=needs,
    reads=READS,
)
