"""From a lock to an image: plan, fetch, rebuild, normalise, layers, write.

Every reason why the rebuild is impossible is collected before anything is written, and all are
reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.fetch import Fetched
from envlock.materialize.artifacts.obtain import (
    HINT,
    SourceOptions,
    obtain,
    remove_wrong,
    told_missing,
    told_places,
)
from envlock.materialize.artifacts.plan import Plan, make_plan, missing_artifacts
from envlock.materialize.artifacts.table import KINDS
from envlock.materialize.image.description import FLATTENED, Built, image_of
from envlock.materialize.image.kept_layers import KeptLayers
from envlock.materialize.image.layers import DEFAULT_BUDGET, package_groups, split
from envlock.materialize.sinks.layout import known_layers, write_layout
from envlock.materialize.tree.lost_files import LostFile, lost_files
from envlock.materialize.tree.normalise import (
    IMAGE_LOCK_PATH,
    Normalised,
    image_epoch,
    normalise,
    with_lock,
)
from envlock.materialize.tree.rebuild import Rebuild
from envlock.materialize.tree.rules import Rule
from envlock.materialize.tree.state_rules import state_rules
from envlock.model.lock import Lock
from envlock.model.state import lost_state
from envlock.model.tree import Row, Tree
from envlock.store.disk import store_errors
from envlock.store.objects import Store
from envlock.writing import ScratchDirectory

_WITH_CONTENT = ("blob ", *(kind.prefix for kind in KINDS.values()))
_KEEPING_TIMES = ("blob ", *(k.prefix for k in KINDS.values() if k.file_time is None))

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What to build, and from what.

    - `directory`: where to write the OCI layout.
    - `tag`: the reference name in its index.
    - `layers`: the most layers the image may have.
    - `sources`: where to take packages from.
    - `user_rules`: rules that apply before the built-in ones of the normaliser.
    - `flatten_times`: no file is newer than the newest of a package.
    - `jobs`: how many artifacts to open at once.
    """

    directory: Path
    tag: str = "latest"
    layers: int = DEFAULT_BUDGET
    sources: SourceOptions = field(default_factory=SourceOptions)
    user_rules: tuple[Rule, ...] = ()
    flatten_times: bool = False
    jobs: int = 2


class Assembled(NamedTuple):
    """A written image: its digests, its rows and what was left out, and the number of artifacts.

    `downloaded` artifacts came from a source now, `reused` ones were in the cache or a directory.
    `lost` are the files of the image that name what it does not have.
    """

    built: Built
    normalised: Normalised
    downloaded: int
    reused: int
    lost: Sequence[LostFile] = ()


def assemble(
    lock: Lock, lockfile: bytes, tree: Tree, store: Store, options: BuildOptions, progress: Progress
) -> Assembled:
    """Rebuild `lock` into an OCI layout.

    `lockfile` are the bytes of the lock, which become a file of the image.  Raise MaterializeError
    with all blockers when the rebuild is impossible; then nothing was written.
    """
    epoch = image_epoch(tree)
    rules = (*options.user_rules, *state_rules(lock))
    normalised = _normalise(tree, epoch, store, rules, flatten=options.flatten_times)
    normalised = with_lock(normalised, lockfile, epoch)
    plan = make_plan(normalised.rows, lock, store, normalised.contents)
    progress("fetching packages", 0, 0)
    got = obtain(list(plan.artifacts), lock, store, options.sources)
    missing = missing_artifacts(plan, got.missing, store)
    blockers = [*plan.blockers, *told_missing(missing, got)]
    kept = KeptLayers(store)
    rebuild = Rebuild(store, normalised.contents, options.jobs, kept.find)
    try:
        progress("opening packages", 0, 0)
        faults = rebuild.prepare(plan, got.paths)
        blockers += chain.from_iterable(faults.values())
        remove_wrong(faults, got, store)
        if blockers:
            raise _blocked(blockers, missing, got)
        progress("writing layers", 0, 0)
        layers = split(normalised.rows, package_groups(lock), options.layers)
        image = image_of(
            lock, layers, lockfile=lockfile, epoch=epoch, flattened=options.flatten_times
        )
        known = known_layers(layers, options.directory, kept)
        built = write_layout(options.directory, image, rebuild, known=known, tag=options.tag)
    finally:
        rebuild.close()
    reused = len(got.paths) - got.downloaded
    return Assembled(built, normalised, got.downloaded, reused, _lost(normalised, lock, store))


def plan_of(lock: Lock, tree: Tree, store: Store, user_rules: Sequence[Rule] = ()) -> Plan:
    """Return the plan of a rebuild, without doing it."""
    rules = (*user_rules, *state_rules(lock))
    normalised = _normalise(tree, image_epoch(tree), store, rules)
    return make_plan(normalised.rows, lock, store, normalised.contents)


def lost_in_image(
    lock: Lock, tree: Tree, store: Store, user_rules: Sequence[Rule] = ()
) -> list[LostFile]:
    """Return the files of an image of `tree` that name what it does not have, by path."""
    rules = (*user_rules, *state_rules(lock))
    return _lost(_normalise(tree, image_epoch(tree), store, rules), lock, store)


def with_sources_of(lock: Tree, seen: Tree) -> Tree:
    """Return the tree of an image with the sources that a lock states for equal files.

    Whoever captures the image may know other packages than who captured the lock.  A source that
    fixes the time of a file is not taken over, so that the times in the image are checked.
    """
    stated = {
        row.entry.path: row
        for row in lock.rows
        if row.entry.sha256 and row.source.startswith(_KEEPING_TIMES)
    }
    return Tree(
        tuple(
            row._replace(source=stated[row.entry.path].source)
            if row.entry.path in stated
            and row.entry.sha256 == stated[row.entry.path].entry.sha256
            and row.source.startswith(_WITH_CONTENT)
            else row
            for row in seen.rows
        )
    )


def in_image(
    tree: Tree,
    epoch: int,
    store: Store,
    user_rules: Sequence[Rule] = (),
    *,
    flatten: bool = False,
) -> Tree:
    """Return the tree of an image of `tree`, without the lockfile that the image contains.

    `flatten`: the times of the image were flattened.
    """
    directory = IMAGE_LOCK_PATH.rpartition("/")[0]
    rows = tuple(row for row in tree.rows if not f"{row.entry.path}/".startswith(f"{directory}/"))
    return Tree(_normalise(Tree(rows), epoch, store, user_rules, flatten=flatten).rows)


def as_images(
    trees: tuple[Tree, Tree],
    lock: Lock,
    labels: Mapping[str, str],
    store: Store,
    user_rules: Sequence[Rule] = (),
) -> tuple[Tree, Tree]:
    """Return the tree of `lock` and that of its image as an image with these labels holds them."""
    rules = (*user_rules, *state_rules(lock))
    epoch, flatten = image_epoch(trees[0]), FLATTENED in labels
    both = (trees[0], with_sources_of(*trees))
    left, right = (in_image(tree, epoch, store, rules, flatten=flatten) for tree in both)
    return left, right


@contextmanager
def layout_directory(store: Store) -> Iterator[Path]:
    """Yield where to build a layout that is only needed until the body ends.

    Raise StoreError when the cache of the store cannot be written.
    """
    scratch = ScratchDirectory(store.cache.absolute(), "layout")
    with store_errors(store.cache):
        scratch.create()
    try:
        yield scratch.path / "image"
    finally:
        scratch.close()


def _normalise(
    tree: Tree, epoch: int, store: Store, user_rules: Sequence[Rule], *, flatten: bool = False
) -> Normalised:
    def read(row: Row) -> bytes:
        return store.read(row.entry.sha256)

    return normalise(tree, epoch=epoch, read=read, user_rules=user_rules, flatten=flatten)


def _lost(normalised: Normalised, lock: Lock, store: Store) -> list[LostFile]:
    def read(row: Row) -> bytes | None:
        given = normalised.contents.get(row.entry.path)
        is_held = given is None and store.has(row.entry.sha256)
        return store.read(row.entry.sha256) if is_held else given

    return lost_files(normalised, lost_state(lock), read)


def _blocked(
    blockers: Sequence[str], missing: Sequence[Artifact], got: Fetched
) -> MaterializeError:
    count = len(blockers)
    return MaterializeError(
        f"cannot rebuild: {count} problem{'s' if count > 1 else ''}; nothing was written",
        blockers=(*blockers, *told_places(missing, got)),
        hint=HINT if missing else "capture again, or materialize where it was captured",
    )
