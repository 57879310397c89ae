"""The setup of a capture: everything that is decided before it begins.  Nothing in it changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from envlock.capture.collector import Collector
from envlock.capture.known_layers import KnownLayers
from envlock.capture.published import Published
from envlock.capture.recording import Recorder
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.model.glob import EVERYTHING, GlobSet
from envlock.store.objects import Store
from envlock.targets.base import HashCache, Target

CONFIG_PATHS = ("/etc/**", "**/site-packages/**", "**/dist-packages/**")
"""What a capture of depth CONFIG hashes: configuration, and libraries that may have been edited."""

_COMPILED = ("**/__pycache__/**",)
"""What it does not hash there: compiled from the source beside it, and never compared."""

Progress = Callable[[str, int, int], None]
"""Called with a step's name and increments of files and bytes."""


def silent(_step: str, _files: int, _size: int) -> None:
    """Report no progress."""


class Tuning(NamedTuple):
    """The clock and the thresholds of incremental capture; tests choose others.

    `clock` returns nanoseconds since the epoch.  Up to `few` changed paths it is cheaper to read
    them again next time than to write a new snapshot; above `many`, a full capture is cheaper.
    """

    clock: Callable[[], int] = time.time_ns
    few: int = 200
    many: int = 20_000


DEFAULT_TUNING = Tuning()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSetup:
    """What is captured, by which collectors, and where the results go.

    `collectors` are the chosen ones, `skipped` the others; `claimants` are those of the skipped
    ones that must say which paths their packages own.  With a `recorder`, `target` is that
    recorder.  `excluded` are real paths of this machine that are envlock's own work.  `hashed` are
    the files whose content is read.  `read_later` are globs of files that somebody reads through
    `Capture.view`, so that a target which is read as a stream must keep them.  `published` tells
    what published packages hold.  With `asked_names`, claims on files of other names (the last
    parts of their paths) are not wanted.  `layers` are those that are known of an image.
    """

    target: Target
    request: Request
    collectors: tuple[Collector, ...]
    skipped: tuple[Collector, ...] = ()
    claimants: tuple[Collector, ...] = ()
    store: Store | None = None
    cache: HashCache | None = None
    recorder: Recorder | None = None
    excluded: frozenset[str] = frozenset()
    progress: Progress = silent
    tuning: Tuning = DEFAULT_TUNING
    hashed: GlobSet = EVERYTHING
    read_later: tuple[str, ...] = ()
    published: Published | None = None
    asked_names: frozenset[str] | None = None
    layers: KnownLayers | None = None

    @classmethod
    def of(
        cls,
        target: Target,
        collectors: Iterable[Collector],
        request: Request,
        *,
        store: Store | None = None,
        cache: HashCache | None = None,
        recorder: Recorder | None = None,
        own: Iterable[Path] = (),
        progress: Progress = silent,
        tuning: Tuning = DEFAULT_TUNING,
        read_later: tuple[str, ...] = (),
        published: Published | None = None,
        layers: KnownLayers | None = None,
    ) -> Self:
        """Return the setup of a capture of `target`, which a `recorder` reads in its place."""
        every = tuple(collectors)
        chosen = tuple(c for c in every if _is_chosen(c, request))
        skipped = tuple(c for c in every if c not in chosen)
        needs_owners = any(collector.needs_owners for collector in chosen)
        excluded = (*own, *([store.root] if store else ()))
        return cls(
            target=recorder or target,
            request=request,
            collectors=chosen,
            skipped=skipped,
            claimants=tuple(c for c in skipped if c.claims is not None) if needs_owners else (),
            store=store,
            cache=cache,
            recorder=recorder,
            excluded=frozenset(os.path.realpath(path) for path in excluded),
            progress=progress,
            tuning=tuning,
            hashed=_hashed(request, chosen),
            read_later=read_later,
            published=published,
            layers=layers,
        )

    @property
    def source(self) -> Target:
        """The target itself, behind a recorder: what is read of it here is not recorded."""
        return self.recorder.source if self.recorder is not None else self.target

    @property
    def is_full_depth(self) -> bool:
        """True when every file is read, so that the lock can be rebuilt."""
        return self.request.depth is Depth.FULL

    @property
    def is_scanned(self) -> bool:
        """True when the file system is walked."""
        is_shallow = self.request.depth is Depth.RECORDS
        return not is_shallow or any(collector.needs_scan for collector in self.collectors)

    @property
    def needs_claims(self) -> bool:
        """True when packages must say which paths they own."""
        needs_owners = any(collector.needs_owners for collector in self.collectors)
        return needs_owners or self.request.depth is not Depth.RECORDS

    @property
    def early_reads(self) -> tuple[str, ...]:
        """The paths that collectors read before or without a walk, as patterns."""
        readers = (c for c in self.supported if c.claims is not None or not self.is_scanned)
        return tuple(sorted({p for c in readers if not c.needs_scan for p in c.reads}))

    @property
    def reads(self) -> tuple[str, ...]:
        """The files that are read whole, as globs."""
        reads = (glob for collector in self.supported for glob in collector.reads)
        return (*reads, *self.read_later)

    @property
    def supported(self) -> tuple[Collector, ...]:
        """The collectors that will read anything: the target has what they need."""
        every = (*self.collectors, *self.claimants)
        return tuple(c for c in every if c.needs <= self.target.capabilities)


def _is_chosen(collector: Collector, request: Request) -> bool:
    names = {collector.name, *collector.sections}
    if names & request.skip:
        return False
    return not request.only or bool(names & request.only)


def _hashed(request: Request, chosen: Iterable[Collector]) -> GlobSet:
    if request.depth is Depth.FULL:
        return EVERYTHING
    if request.only:
        digests = (glob for collector in chosen for glob in collector.digests)
        return GlobSet(digests, but_not=_COMPILED)
    return GlobSet(CONFIG_PATHS, but_not=_COMPILED, always=request.files)
