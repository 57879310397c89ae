"""Where the artifacts of a lock are looked for, in which order, and what to say of the missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.fetch import Fetched, Offer, fetch
from envlock.materialize.artifacts.kinds import apk, conda, deb, gem, pacman, rpm
from envlock.materialize.artifacts.sources import apk as apk_sources
from envlock.materialize.artifacts.sources import conda as conda_sources
from envlock.materialize.artifacts.sources import gem as gem_sources
from envlock.materialize.artifacts.sources import pacman as pacman_sources
from envlock.materialize.artifacts.sources import rpm as rpm_sources
from envlock.materialize.artifacts.sources.archive import ArchiveSource
from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest
from envlock.materialize.artifacts.sources.cache import CacheSource
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.sources.registry import RegistrySource
from envlock.materialize.artifacts.sources.snapshot import SnapshotSource
from envlock.materialize.artifacts.table import ROWS
from envlock.model.lock import Lock
from envlock.registry.reference import Reference
from envlock.store.objects import Store
from envlock.store.partial_file import partial_folder

_REPOSITORIES = {
    rpm.KIND.scheme: rpm_sources.repositories,
    apk.KIND.scheme: apk_sources.repositories,
    pacman.KIND.scheme: pacman_sources.repositories,
    conda.KIND.scheme: conda_sources.channels,
    gem.KIND.scheme: gem_sources.servers,
}
"""Scheme -> function that yields the repositories of a lock which envlock itself asks."""
HINT = "run `envlock vendor` on a machine that has them, or name a directory in materialize.wheels"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Which sources are asked, besides those that each kind has by itself.

    - `offline`: ask no source on the network.
    - `directories`: directories of package files of any kind, asked before other sources.
    - `registries`: tags of registries that `envlock vendor` sent packages to, asked next.
    - `mirrors`: URLs of further package mirrors.
    - `snapshots`: URLs of services that keep every version of Debian packages.
    - `archives`: templates of addresses, see `envlock.materialize.artifacts.sources.archive`.
    """

    offline: bool = False
    directories: tuple[Path, ...] = ()
    registries: tuple[Reference, ...] = ()
    mirrors: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()


def obtain(wanted: Sequence[Artifact], lock: Lock, store: Store, options: SourceOptions) -> Fetched:
    """Find artifacts: the store, directories, then the sources of each kind from near to far.

    New files go into the cache of the store.  Raise StoreError when it cannot be written.
    """
    cache = artifact_cache(store)
    offers = [Offer(CacheSource(path=cache))]
    offers += [Offer(DirectorySource(name=str(path), path=path)) for path in options.directories]
    offers += [
        Offer(RegistrySource(reference=each, partial=partial_folder(store)))
        for each in options.registries
    ]
    with closing(Downloads(partial=partial_folder(store))) as downloads:
        for kind, sources in ROWS:
            of_kind = [artifact for artifact in wanted if artifact.scheme == kind.scheme]
            if of_kind:
                request = SourceRequest(lock, of_kind, store.cache, options.mirrors)
                near = sources(request)
                far = _far_sources(request, kind.scheme, options, downloads)
                offers += [Offer(source, kind.scheme) for source in (*near, *far)]
        first: dict[tuple[str, ...], Artifact] = {}
        for artifact in wanted:  # two interpreters may have the same wheel
            first.setdefault(_file_of(artifact), artifact)
        got = fetch(
            list(first.values()),
            offers,
            cache,
            offline=options.offline,
            when_interrupted=downloads.stop,
        )
    return got._replace(
        paths={a: got.paths[same] for a in wanted if (same := first[_file_of(a)]) in got.paths},
        missing=tuple(a for a in wanted if first[_file_of(a)] not in got.paths),
    )


def _file_of(artifact: Artifact) -> tuple[str, ...]:
    return (artifact.scheme, artifact.filename, *artifact.proofs)


def _far_sources(
    request: SourceRequest, scheme: str, options: SourceOptions, downloads: Downloads
) -> Iterator[ArtifactSource]:
    """Yield what envlock itself asks over the network for packages of a kind, services last."""
    if scheme in _REPOSITORIES:
        yield from _REPOSITORIES[scheme](request, downloads)
    if scheme == deb.KIND.scheme:
        for url in options.snapshots:
            yield SnapshotSource(url=url, downloads=downloads)
    for template in options.archives:
        yield ArchiveSource(template=template, downloads=downloads)


def artifact_cache(store: Store) -> Path:
    """Return the directory of the artifacts that were fetched."""
    return store.cache / "artifacts"


def remove_wrong(wrong: Iterable[Artifact], got: Fetched, store: Store) -> None:
    """Remove from the cache what is another package than its name says.

    Without a digest in the lock, only opening a file shows that.  One that is right for another
    artifact stays.  Raise OSError.
    """
    wrong_ones = frozenset(wrong)
    right = {path for artifact, path in got.paths.items() if artifact not in wrong_ones}
    for path in {got.paths[artifact] for artifact in wrong_ones} - right:
        if path.is_relative_to(artifact_cache(store)):
            path.unlink()


def told_missing(missing: Sequence[Artifact], got: Fetched) -> Iterator[str]:
    """Yield a line for each artifact that no source has; one line for all without a network."""
    if missing and got.no_network:
        counts = Counter(artifact.scheme for artifact in missing)
        kinds = ", ".join(f"{count:,} {scheme}" for scheme, count in sorted(counts.items()))
        yield f"no network: packages that are not on this machine: {kinds} ({got.no_network})"
        return
    yield from (f"{artifact}: in no source" for artifact in missing)


def told_places(missing: Sequence[Artifact], got: Fetched) -> Iterator[str]:
    """Yield where the missing artifacts were looked for, and what these places said."""
    for scheme in sorted({artifact.scheme for artifact in missing}):
        asked = [place.name for place in got.places if place.scheme in ("", scheme)]
        yield f"asked for {scheme}: {', '.join(asked)}"
    for place in () if got.no_network else got.places:
        yield from (f"{place.name}: {line}" for line in place.said)
