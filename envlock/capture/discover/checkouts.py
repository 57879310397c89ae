"""Which commit a working copy of git is at.

What git keeps below ``.git`` differs between any two clones; what decides is the commit, and the
files that are checked out, which are compared like all others.

Source: gitrepository-layout(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.context import Context
from envlock.model.record import Record

_HEADS = "/**/.git/HEAD"
CHECKOUT_READS = (_HEADS, "/**/.git/refs/heads/**", "/**/.git/packed-refs")
"""Paths that `checkouts` reads."""
_LARGEST = 4 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_BRANCH = re.compile(r"ref: (refs/heads/(?!.*\.\.)[^\s\0]{1,200})\Z")


def checkouts(context: Context) -> Iterator[Record]:
    """Yield a record for each working copy: ``commit``, and ``branch`` if it is on one."""
    for path in context.glob(_HEADS):
        folder = path.rpartition("/")[0]
        head = (context.text(path, _LARGEST) or "").strip()
        branch = _BRANCH.match(head)
        commit = _commit_of(branch[1], folder, context) if branch else head
        facts = {"kind": "checkout"}
        if _COMMIT.match(commit):
            facts["commit"] = commit
        if branch:
            facts["branch"] = branch[1].removeprefix("refs/heads/")
        yield Record("software", folder, facts)


def _commit_of(ref: str, folder: str, context: Context) -> str:
    """Return the commit of a reference, of its own file or of the list of packed ones."""
    own = context.text(f"{folder}/{ref}", _LARGEST)
    if own:
        return own.strip()
    packed = context.text(f"{folder}/packed-refs", _LARGEST) or ""
    lines = (line.split(" ", 1) for line in packed.split("\n"))
    return next((words[0] for words in lines if words[1:] == [ref]), "")
