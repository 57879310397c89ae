"""Which packages own some paths of a machine, without a walk over all of it.

Package systems of the operating system say so by themselves.  Those of languages need to see the
directory that a package is installed in; only the directories of the paths that are asked for are
listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from envlock.capture.captured_files import CapturedFiles
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.capture.session import CaptureSession
from envlock.capture.setup import CaptureSetup
from envlock.model.depth import Depth
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, EntryType
from envlock.targets.base import IncrementalTarget, ScanPlan, Target
from envlock.targets.folder import Folder

MOST_FOLDERS = 50_000
"""How many directories are listed; packages beyond are not found."""

_PYTHON = re.compile(r"((.*?)/lib(?:64)?/(?:python|pypy)[^/]+/(?:site|dist)-packages)/")
_PACKAGES = re.compile(r"((.*?)/(?:site-packages|dist-packages|node_modules|site-library))/")
_GEMS = re.compile(r"((.*)/gems/\d[^/]*)/gems/")
_COMPOSER = re.compile(r"(((.*?)/vendor)/)")


def files_with_owners(
    target: Target,
    asked: Callable[[CapturedFiles], Iterable[str]],
    most: int = MOST_FOLDERS,
) -> CapturedFiles:
    """Return the files of a machine, with the owners of those that are asked for.

    `asked(files)` returns their real paths; it may look at the files, but not at their owners.  At
    most `most` directories are listed.
    """
    setup = CaptureSetup(
        target=target,
        request=Request(depth=Depth.RECORDS),
        collectors=(),
        claimants=tuple(each for each in collectors() if each.claims is not None),
    )
    view = CaptureSession(setup).view()
    paths = sorted(asked(view))
    names = frozenset(path.rpartition("/")[2] for path in paths)
    session = CaptureSession(replace(setup, asked_names=names))
    session.add_claims(needs_scan=False)
    view.owner = session.view().owner
    unowned = [path for path in paths if not view.owner(path)]
    if not isinstance(target, IncrementalTarget):
        return view
    alone, whole = _folders(unowned, view)
    plan = session.plan()
    for folder in target.list_directories(plan, sorted(alone - whole)).values():
        session.index.add(folder)
    _list_below(target, plan, whole, session, most)
    session.add_claims(needs_scan=True)
    return view


def _folders(paths: Iterable[str], view: CapturedFiles) -> tuple[set[str], set[str]]:
    """Return the directories to list by themselves, and those to list with all below them."""
    alone: set[str] = set()
    whole: set[str] = set()
    for path in paths:
        for found in (_PYTHON.match(path), _PACKAGES.match(path), _GEMS.match(path)):
            if found:
                whole.add(found[1])
                alone.add(found[2] or "/")
        if (found := _COMPOSER.match(path)) and view.stat(f"{found[2]}/composer") is not None:
            whole.add(found[2])
            alone.add(found[3] or "/")
    whole |= {meta for prefix in alone if view.stat(meta := f"{prefix}/conda-meta") is not None}
    return alone, whole


def _list_below(
    target: IncrementalTarget,
    plan: ScanPlan,
    folders: Iterable[str],
    session: CaptureSession,
    left: int,
) -> None:
    """Add directories, with all below them but at most `left`, to the index of a session."""
    level = sorted(folders)
    while level and left > 0:
        found = target.list_directories(plan, level[:left])
        left -= len(level)
        level = []
        for path in sorted(found):
            session.index.add(found[path])
            level += (f"{path}/{name}" for name in _folders_in(found[path]))


def _folders_in(folder: Folder) -> Iterator[str]:
    names, modes = folder.modes()
    for name, mode in zip(names, modes, strict=True):
        if TYPE_OF_FORMAT[mode & FORMAT_BITS] is EntryType.DIRECTORY:
            yield name
