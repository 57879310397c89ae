"""Files that are secret by their name or place alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from envlock.model.glob import matcher
from envlock.secrets import file_table


def is_named_secret(path: str) -> bool:
    """Return whether a file is a secret by its name or place alone.

    >>> is_named_secret("/root/.netrc"), is_named_secret("/root/.ssh/id_rsa.pub")
    (True, False)
    """
    matches, is_excepted = _matchers()
    return matches(path) and not is_excepted(path)


@cache
def _matchers() -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    lines = file_table.TABLE.strip("\n").split("\n")
    globs = [glob for line in lines if line.startswith(" ") for glob in line.split()]
    return matcher(globs), matcher((*file_table.NOT_SECRET, *file_table.PROGRAMS))
