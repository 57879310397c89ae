"""Fetch artifacts: ask each source in turn, and verify each file against its locked digest.

The sources of different kinds of artifacts are asked at the same time, since they are different
hosts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import (
    ArtifactSource,
    NothingListedError,
    UnreachableSourceError,
)
from envlock.materialize.artifacts.sources.cache import keep
from envlock.materialize.artifacts.sources.program import ended_by_interrupts
from envlock.materialize.artifacts.verify import is_locked_file
from envlock.secrets.redact import redact_text
from envlock.store.disk import store_errors

_MOST_LINES = 5
"""Most lines that are kept of what one source says."""
_LONGEST_LINE = 300


class Offer(NamedTuple):
    """A source, and the scheme of the kind it serves; empty when it may have any."""

    source: ArtifactSource
    scheme: str = ""


class Place(NamedTuple):
    """A source that was asked: its name, the scheme it serves, and what it said about failures."""

    name: str
    scheme: str
    said: tuple[str, ...]


class Fetched(NamedTuple):
    """The path of each artifact found, the number downloaded, and the artifacts no source has.

    `places` are the sources that were asked.  `no_network` is a reason when there are sources on
    the network and none of them answered, and empty otherwise.
    """

    paths: Mapping[Artifact, Path]
    downloaded: int
    missing: tuple[Artifact, ...]
    places: tuple[Place, ...]
    no_network: str = ""


def fetch(
    wanted: Sequence[Artifact],
    offers: Sequence[Offer],
    cache: Path,
    *,
    offline: bool,
    when_interrupted: Callable[[], None] = lambda: None,
) -> Fetched:
    """Find every artifact, asking sources in order; new files are moved into `cache`.

    First those that may have any kind of artifact, in their order, then those of each kind.  A file
    whose digest is not the locked one does not count, so the next source is asked.  With `offline`
    only local sources are asked.  When the work is interrupted, `when_interrupted` is called to end
    what other threads do.  Raise StoreError when the cache cannot be written.
    """
    with store_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
        general = _Round(wanted, cache, offline=offline)
        general.ask([offer for offer in offers if not offer.scheme])
        left = general.missing()
        schemes = dict.fromkeys(offer.scheme for offer in offers if offer.scheme)
        rounds = {
            scheme: _Round([a for a in left if a.scheme == scheme], cache, offline=offline)
            for scheme in schemes
        }
        with (
            ThreadPoolExecutor(max(1, len(rounds))) as pool,
            ended_by_interrupts(when_interrupted) as interrupted,
        ):
            asked = {
                scheme: [offer for offer in offers if offer.scheme == scheme] for scheme in schemes
            }
            for done in [pool.submit(rounds[s].ask, asked[s], interrupted) for s in schemes]:
                done.result()
    parts = (general, *rounds.values())
    paths = {artifact: path for part in parts for artifact, path in part.paths.items()}
    return Fetched(
        paths,
        sum(part.downloaded for part in parts),
        tuple(artifact for artifact in wanted if artifact not in paths),
        tuple(place for part in parts for place in part.places),
        _no_network(parts),
    )


def _no_network(parts: Sequence[_Round]) -> str:
    unreachable = [reason for part in parts for reason in part.unreachable]
    return unreachable[0] if unreachable and not any(part.answered for part in parts) else ""


class _Round:
    """Sources that are asked one after the other for what the earlier ones lack.

    `unreachable` are the reasons of sources on the network that did not answer, `answered` counts
    the others.
    """

    def __init__(self, wanted: Sequence[Artifact], cache: Path, *, offline: bool) -> None:
        self._wanted = wanted
        self._cache = cache
        self._offline = offline
        self.paths: dict[Artifact, Path] = {}
        self.downloaded = 0
        self.places: list[Place] = []
        self.unreachable: list[str] = []
        self.answered = 0

    def missing(self) -> list[Artifact]:
        """Return what no source had so far."""
        return [artifact for artifact in self._wanted if artifact not in self.paths]

    def ask(self, offers: Sequence[Offer], interrupted: Event | None = None) -> None:
        """Ask sources until nothing is missing, or the work is interrupted."""
        for offer in offers:
            missing = self.missing()
            if not missing or (interrupted is not None and interrupted.is_set()):
                return
            if offer.source.is_local or not self._offline:
                self._ask(offer, missing)

    def _ask(self, offer: Offer, missing: Sequence[Artifact]) -> None:
        source = offer.source
        said: list[str] = []
        with tempfile.TemporaryDirectory(dir=self._cache, prefix=".fetch-") as into:
            try:
                found = source.fetch(missing, Path(into), said.append)
            except UnreachableSourceError as error:
                found = {}
                said.append(error.message)
                self.unreachable.append(error.message)
            except NothingListedError as error:
                found = {}
                said.append(error.message)
            except SourceError as error:
                found = {}
                said.append(error.message)
                self.answered += not source.is_local
            else:
                self.answered += not source.is_local
            self._take(found, Path(into), said)
        self.places.append(Place(source.name, offer.scheme, _lines(said)))

    def _take(self, found: Mapping[Artifact, Path], into: Path, said: list[str]) -> None:
        """Take what is right, and keep what is new; a new file may be that of two artifacts."""
        right: dict[Path, list[Artifact]] = {}
        for artifact, path in found.items():
            if is_locked_file(artifact, path):
                right.setdefault(path, []).append(artifact)
            else:
                said.append(f"{artifact} is another file than the locked one")
        for path, artifacts in right.items():
            is_new = path.is_relative_to(into)
            there = keep(artifacts[0], path, self._cache) if is_new else path
            self.paths |= dict.fromkeys(artifacts, there)
            self.downloaded += is_new


def _lines(said: Sequence[str]) -> tuple[str, ...]:
    """Return the first different lines of what a source said, without what may be secret."""
    lines = (" ".join(line.split())[:_LONGEST_LINE] for text in said for line in text.splitlines())
    different = [line for line in dict.fromkeys(map(redact_text, lines)) if line]
    more = len(different) - _MOST_LINES
    return (*different[:_MOST_LINES], *((f"and {more} more lines",) if more > 0 else ()))
