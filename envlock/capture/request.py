"""What to capture, and how deep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envlock.model.depth import Depth
from envlock.model.scope import Root
from envlock.model.trace import Trace
from envlock.secrets.keyed import ValueKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to capture.

    `only` and `skip` name collectors (empty `only`: all).  `files` are globs of paths to hold in
    the lock by digest, `ignore` globs never walked.  `env_allow` and `env_deny` add to the
    built-in lists of variables whose values may be recorded.  With `value_key` the other values get
    keyed fingerprints.  `timeout` is the longest time that one collector may take, in seconds.
    `with_state` are paths of data of services that is kept, whole, where it is found.
    `roots` are those of the applications, by role; relative ones start from `workdir`.  `traces`
    are what runs of them touched.
    """

    depth: Depth = Depth.FULL
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    env_allow: tuple[str, ...] = ()
    env_deny: tuple[str, ...] = ()
    value_key: ValueKey | None = None
    with_state: tuple[str, ...] = ()
    jobs: int = 0
    timeout: float = 60
    roots: Mapping[str, Root] = field(default_factory=dict)
    traces: Mapping[str, Trace] = field(default_factory=dict)
    workdir: str = "/"
