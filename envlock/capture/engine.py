"""Run every collector over one walk of a target and write down the result as a lock.

The order is fixed by what knows what: package databases say which files they own (so that the
walk knows where dpkg's MD5 is wanted), then one walk finds every path.  While files are still
being hashed, the collectors that need no digest read, each path whose digest is known is
classified, and what no package can give back is kept by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from envlock.capture.collector import Collector
from envlock.capture.full import FullCapture
from envlock.capture.incremental.recapture import IncrementalCapture
from envlock.capture.incremental.snapshot import Snapshot
from envlock.capture.known_layers import KnownLayers
from envlock.capture.published import Published
from envlock.capture.recording import Recorder
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.capture.setup import DEFAULT_TUNING, CaptureSetup, Progress, Tuning, silent
from envlock.store.objects import Store
from envlock.targets.base import HashCache, IncrementalTarget, Target


class Strategy(Protocol):
    """One way to capture."""

    def capture(self) -> Capture | None:
        """Return the capture, or None when this way is not open."""


def capture(
    target: Target,
    collectors: Iterable[Collector],
    request: Request,
    *,
    store: Store | None = None,
    cache: HashCache | None = None,
    progress: Progress = silent,
    recorder: Recorder | None = None,
    own: Iterable[Path] = (),
    tuning: Tuning = DEFAULT_TUNING,
    read_later: tuple[str, ...] = (),
    published: Published | None = None,
    layers: KnownLayers | None = None,
    anew: bool = False,
) -> Capture:
    """Capture `target`, which a `recorder` reads in its place, without the paths that are `own`.

    `read_later` are globs of files that are asked for through `Capture.view`; `published` tells
    what published packages hold.  `layers` are those that are known; UnreadFileError says that
    the capture must do without them.
    With a `store` and depth FULL the residue and the tree object are put into it (not yet durable:
    the caller commits and sets the reference), and a target that can be walked again cheaply is
    captured incrementally where an earlier capture left a snapshot, unless `anew`.  Raise
    TargetError when the target stops answering; anything smaller becomes a gap.
    """
    setup = CaptureSetup.of(
        target,
        collectors,
        request,
        store=store,
        cache=cache,
        recorder=recorder,
        own=own,
        progress=progress,
        tuning=tuning,
        read_later=read_later,
        published=published,
        layers=layers,
    )
    for strategy in _strategies(setup, anew=anew):
        captured = strategy.capture()
        if captured is not None:
            return captured
    raise AssertionError("a full capture always gives a result")


def _strategies(setup: CaptureSetup, *, anew: bool) -> Iterator[Strategy]:
    """Yield the ways to capture, the cheapest first; the last one is always open."""
    snapshot = None
    if setup.store is not None and isinstance(setup.target, IncrementalTarget):
        snapshot = Snapshot(setup, setup.store)
        if not anew:
            yield IncrementalCapture(setup, snapshot, setup.store)
    yield FullCapture(setup, snapshot)
