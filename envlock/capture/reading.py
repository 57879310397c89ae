"""Read a target: capture it, add what its applications need, record it, remember it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from envlock.capture.engine import capture
from envlock.capture.known import KnownCapture, Searched
from envlock.capture.known_layers import KnownLayers, UnreadFileError
from envlock.capture.published import Published
from envlock.capture.recording import Recorder, recorded_request
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.capture.setup import DEFAULT_TUNING, Progress, Tuning
from envlock.model.lock import Lock
from envlock.model.scope import Root
from envlock.store.objects import Store
from envlock.store.statcache import StatCache
from envlock.targets.base import Target
from envlock.targets.recorded_scope import RecordedScope
from envlock.targets.stream.known_layer import LayeredTarget


class Scoping(Protocol):
    """Adds to a capture what its applications need: `envlock.workflow.with_scope`."""

    def __call__(
        self,
        captured: Capture,
        request: Request,
        search: Callable[[Lock], Mapping[str, Root]] | None = None,
        recorded: RecordedScope | None = None,
    ) -> tuple[Capture, RecordedScope | None]:
        """Return the capture with it, and what was added; None for nothing."""


def read_target(
    target: Target,
    request: Request,
    store: Store,
    progress: Progress,
    *,
    known: KnownCapture | None,
    recording: BinaryIO | None,
    own: Sequence[Path],
    tuning: Tuning | None,
    read_later: tuple[str, ...],
    scoped: Scoping,
    search: Callable[[Lock], Mapping[str, Root]] | None,
    published: Published | None = None,
    anew: bool = False,
) -> tuple[Capture, bool]:
    """Capture a target, and remember it at `known`; see `envlock.workflow.capture_target`.

    Also return False for a recording, which lacks the content of most files.
    """
    with StatCache(store.stat_cache, target.reference) as cache:
        recorded = recorded_request(target, request)
        request = recorded or request
        recorder = Recorder(target, request) if recording else None
        captured_with = partial(
            capture,
            target,
            collectors(),
            request,
            store=store,
            cache=None if anew else cache,
            progress=progress,
            recorder=recorder,
            own=own,
            tuning=tuning or DEFAULT_TUNING,
            read_later=() if request.only else read_later,
            published=published,
            anew=anew,
        )
        bare = _captured(target, request, store, captured_with, anew=anew or bool(recorder))
        searched = Searched(search)
        captured, scope = scoped(
            bare, request, searched if search else None, getattr(target, "scope", None)
        )
        if known is not None:
            known.save(bare, {searched.name: scope} if scope else {})
        if recorder is not None and recording is not None:
            recorder.scope = scope
            captured = captured.leaving_out(recorder.write(recording))
    return captured, recorded is None


def _captured(
    target: Target,
    request: Request,
    store: Store,
    captured_with: Callable[..., Capture],
    *,
    anew: bool,
) -> Capture:
    """Capture a target; what is known of layers is used unless `anew`, and kept."""
    if anew or request.with_state or not isinstance(target, LayeredTarget):
        return captured_with()
    layers = KnownLayers(store, request)
    target.remember_in(layers)
    captured = None
    with suppress(UnreadFileError):
        captured = captured_with(layers=layers)
    if captured is None or layers.is_given_up:
        target.remember_in(None)
        return captured_with()
    if captured.tree is not None and captured.is_repeatable:
        layers.save(captured.tree, target)
    return captured
