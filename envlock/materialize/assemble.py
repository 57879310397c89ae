"""From a lock to an image: plan, fetch, rebuild, normalise, layers, write.

Nothing is written before the whole rebuild is known to be possible: every reason against it is
gathered first and reported at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.artifact import Artifact, Deb, Wheel
from envlock.materialize.artifacts.fetch import Fetched, fetch
from envlock.materialize.artifacts.plan import make_plan, missing_artifacts
from envlock.materialize.artifacts.sources.apt import captured_apt, host_apt
from envlock.materialize.artifacts.sources.base import ArtifactSource
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.pip import PipSource
from envlock.materialize.image.description import Built, image_of
from envlock.materialize.image.layers import DEFAULT_BUDGET, package_groups, split
from envlock.materialize.sinks.layout import reusable, write_layout
from envlock.materialize.tree.normalise import (
    IMAGE_LOCK_PATH,
    Normalised,
    newest_package,
    normalise,
    with_lock,
)
from envlock.materialize.tree.rebuild import Rebuild
from envlock.materialize.tree.rules import Rule
from envlock.model.lock import Lock
from envlock.model.tree import Row, Tree
from envlock.store.objects import Store

_MIRROR = re.compile(r"(?:mirror\+|tor\+)?https?://[!-Z^-~]+\Z")
_WORD = re.compile(r"[A-Za-z0-9./_-]*\Z")
_APT_ARCHIVES = Path("/var/cache/apt/archives")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build.

    `directory` is where the OCI layout goes, `layers` the most layers it may have.  `wheels` and
    `debs` are directories of package files to look in, `user_rules` what to leave out beyond the
    normaliser's table.  `offline` uses no network.
    """

    directory: Path
    tag: str = "latest"
    layers: int = DEFAULT_BUDGET
    offline: bool = False
    artifact_folders: tuple[Path, ...] = ()
    mirrors: tuple[str, ...] = ()
    user_rules: tuple[Rule, ...] = ()
    jobs: int = 2


class Assembled(NamedTuple):
    """An image as built: its digests, what the rebuild left out and why, and what was fetched."""

    built: Built
    normalised: Normalised
    downloaded: int
    reused: int


def expected(tree: Tree, epoch: int, store: Store, user_rules: Sequence[Rule] = ()) -> Normalised:
    """Return the rows that an image of `tree` has, the lockfile's own aside."""

    def read(row: Row) -> bytes:
        return store.read(row.entry.sha256)

    return normalise(tree, epoch=epoch, read=read, user_rules=user_rules)


def in_image(tree: Tree, epoch: int, store: Store, user_rules: Sequence[Rule] = ()) -> Tree:
    """Return `tree` as an image of it looks, the lock that the image carries aside."""
    folder = IMAGE_LOCK_PATH.rpartition("/")[0]
    rows = tuple(row for row in tree.rows if not f"{row.entry.path}/".startswith(f"{folder}/"))
    return Tree(expected(Tree(rows), epoch, store, user_rules).rows)


def assemble(
    lock: Lock, lockfile: bytes, tree: Tree, store: Store, order: Order, progress: Progress
) -> Assembled:
    """Rebuild `lock` into an OCI layout.

    `lockfile` are the bytes of its file, which travel in the image.  Raise MaterializeError with
    every blocker when it cannot be done; then nothing was written.
    """
    epoch = newest_package(tree)
    normalised = with_lock(expected(tree, epoch, store, order.user_rules), lockfile, epoch)
    plan = make_plan(normalised.rows, lock, store, normalised.contents)
    progress("fetching packages", 0, 0)
    sources = _sources(lock, store, order, plan.artifacts)
    cache = store.cache / "artifacts"
    got = fetch(list(plan.artifacts), sources, cache, offline=order.offline)
    asked = [source.name for source in sources if source.is_local or not order.offline]
    blockers = [*plan.blockers, *missing_artifacts(plan, got.missing, store)]
    rebuild = Rebuild(store, normalised.contents, order.jobs)
    try:
        progress("opening packages", 0, 0)
        faults = rebuild.prepare(plan, got.paths, store.cache / "unpacked")
        blockers += chain.from_iterable(faults.values())
        for artifact in faults:
            # Without a digest in the lock only opening it shows that it is another file.
            if got.paths[artifact].is_relative_to(cache):
                got.paths[artifact].unlink()
        if blockers:
            raise _blocked(blockers, got, asked)
        progress("writing layers", 0, 0)
        layers = split(normalised.rows, package_groups(lock), order.layers)
        image = image_of(lock, layers, lockfile=lockfile, epoch=epoch)
        known = reusable(layers, _layouts(store, order.directory))
        built = write_layout(order.directory, image, rebuild, reuse=known, tag=order.tag)
    finally:
        rebuild.close()
    return Assembled(built, normalised, got.downloaded, len(got.paths) - got.downloaded)


def layouts_folder(store: Store) -> Path:
    """Return where layouts are kept that the user gave no place for."""
    return store.cache / "layouts"


def _layouts(store: Store, directory: Path) -> Iterable[Path]:
    folder = layouts_folder(store)
    yield directory
    if folder.is_dir():
        yield from sorted(folder.iterdir())


def _sources(
    lock: Lock, store: Store, order: Order, wanted: Mapping[Artifact, Sequence[Row]]
) -> list[ArtifactSource]:
    sources: list[ArtifactSource] = [
        DirectorySource(name="envlock's cache", path=store.cache / "artifacts")
    ]
    sources += [DirectorySource(name=str(path), path=path) for path in order.artifact_folders]
    if any(isinstance(artifact, Deb) for artifact in wanted):
        sources += [DirectorySource(name="apt's cache", path=_APT_ARCHIVES), host_apt()]
        lines = [*apt_lines(lock), *order.mirrors]
        if lines:
            others = {a.arch for a in wanted if isinstance(a, Deb)} - {"all"}
            arch = lock.get("os").get("arch", "")
            native = [arch] if arch in others else []
            architectures = (*native, *sorted(others - {arch}))
            key = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
            sources.append(
                captured_apt(lines, architectures or ("amd64",), store.cache / "apt" / key)
            )
    if any(isinstance(artifact, Wheel) for artifact in wanted):
        sources.append(PipSource())
    return sources


def apt_lines(lock: Lock) -> list[str]:
    """Return the captured binary sources in one-line style, options left out.

    A lock may come from anyone: only words that can be nothing else are handed to apt, and of its
    transports only those that fetch over HTTP (its ssh and copy methods run or read things here).
    """
    found = (
        (facts.get("uri", ""), facts.get("suite", ""), *facts.get("components", "").split(" "))
        for facts in lock.sections.get("apt-source", {}).values()
        if facts.get("type") == "deb" and facts.get("enabled") == "true"
    )
    return [
        f"deb {' '.join(words).strip()}"
        for words in found
        if _MIRROR.match(words[0]) and all(_WORD.match(word) for word in words[1:])
    ]


def _blocked(blockers: Sequence[str], got: Fetched, asked: Sequence[str]) -> MaterializeError:
    count = len(blockers)
    also = (f"asked: {', '.join(asked)}", *got.complaints) if got.missing else got.complaints
    return MaterializeError(
        f"{count} thing{'s' if count > 1 else ''} in the way; nothing was written",
        blockers=(*blockers, *also),
        hint="name a folder that has them in envlock.toml: materialize.wheels"
        if got.missing
        else "capture again, or materialize where it was captured",
    )
