"""Leave out paths whose names hold a secret: a name cannot be recorded in part."""

from __future__ import annotations

from collections.abc import Callable

from envlock.capture.scan.index import Index
from envlock.model.coverage import Gap
from envlock.secrets.records import HIDDEN_NAME, clean_name, has_name_of, secret_names
from envlock.targets.base import HashCache


def hidden_names(index: Index, cache: HashCache | None) -> tuple[Callable[[str], bool], list[Gap]]:
    """Return which paths have a secret in a name, and a gap for each; the cache forgets them."""
    secret = secret_names(name for _, names in index.by_folder() for name in names)
    is_hidden = has_name_of(secret)
    hidden = sorted(filter(is_hidden, index.paths())) if secret else []
    for path in hidden:
        if cache is not None:
            cache.forget(path)
    return is_hidden, [Gap(path, HIDDEN_NAME) for path in sorted(set(map(clean_name, hidden)))]
