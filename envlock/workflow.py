"""The main job, in the order a reader meets it: capture -> lock -> diff -> materialize -> verify.

Each function names the steps; the wings do the work, and are imported by the functions that need
them, so that a diff of two files loads neither capture nor materialize.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from envlock.errors import InconclusiveError, MaterializeError, StoreError
from envlock.model.facts import Part, part_of
from envlock.model.lock import Lock
from envlock.model.tree import Tree
from envlock.targets.kinds import is_image, open_target

if TYPE_CHECKING:
    from envlock.capture.request import Request
    from envlock.capture.result import Capture
    from envlock.capture.setup import Tuning
    from envlock.diff.drift import DriftReport
    from envlock.diff.engine import Options
    from envlock.materialize.assemble import Assembled, BuildOptions
    from envlock.materialize.tree.rules import Rule
    from envlock.store.objects import Store

Progress = Callable[[str, int, int], None]

_SHA256 = "sha256:"


class Environment(NamedTuple):
    """A lock with a name for people and, when it was just captured, its file tree.

    `known_as` is the name that policy knows it by (``dev``), empty when that is `name`.
    """

    name: str
    lock: Lock
    tree: Tree | None = None
    known_as: str = ""


def capture_target(
    reference: str,
    request: Request,
    store: Store,
    progress: Progress,
    *,
    keep: bool = False,
    recording: BinaryIO | None = None,
    own: Sequence[Path] = (),
    tuning: Tuning | None = None,
) -> Capture:
    """Capture a target, but not the files and folders that are envlock's `own` work.

    With `keep`, what a rebuild needs stays in the store for good.  With `recording`, everything
    the collectors were told is written there (see `envlock.capture.recording`).
    """
    from contextlib import closing
    from dataclasses import replace

    from envlock.capture.engine import capture
    from envlock.capture.recording import Recorder
    from envlock.capture.registry import collectors
    from envlock.capture.setup import DEFAULT_TUNING
    from envlock.store.refs import set_ref
    from envlock.store.statcache import StatCache

    with (
        closing(open_target(reference)) as target,
        StatCache(store.stat_cache, target.reference) as cache,
    ):
        recorder = Recorder(target, request.env_allow, request.env_deny) if recording else None
        captured = capture(
            target,
            collectors(),
            request,
            store=store,
            cache=cache,
            progress=progress,
            recorder=recorder,
            own=own,
            tuning=tuning or DEFAULT_TUNING,
        )
        if recorder is not None and recording is not None:
            captured = replace(captured, left_out=recorder.write(recording))
        address = tree_address(captured.lock)
        if keep and address:
            set_ref(store, f"tree {address}", trees=[address])
        if keep or not address:
            captured.remember()
    return captured


def tree_address(lock: Lock) -> str:
    """Return the hex digest by which the store knows the file tree of `lock`, or nothing."""
    return lock.get("tree").get("object", "").removeprefix(_SHA256)


def load_tree(lock: Lock, store: Store) -> Tree | None:
    """Return the file tree of `lock`, or None when this store does not hold it."""
    from envlock.store.refs import use_ref

    address = tree_address(lock)
    if not address or not store.has(address):
        return None
    use_ref(store, f"tree {address}")
    try:
        return Tree.from_bytes(store.read(address))
    except ValueError as error:
        raise StoreError(str(error), where=f"{_SHA256}{address}") from error


def require_tree(lock: Lock, store: Store) -> Tree:
    """Return the file tree of `lock`.  Raise MaterializeError saying why there is none."""
    tree = load_tree(lock, store)
    if tree is not None:
        return tree
    if tree_address(lock):
        raise MaterializeError(
            "the file tree of this lock is not in this store",
            where=f"{_SHA256}{tree_address(lock)}",
            hint="materialize where it was captured, or copy that store",
        )
    raise MaterializeError(
        "the lock has no file tree to rebuild from", hint="capture a host with --deep"
    )


def materialize(
    lock: Lock, lockfile: bytes, store: Store, options: BuildOptions, progress: Progress
) -> Assembled:
    """Rebuild a lock into the OCI layout that `options` names."""
    from envlock.materialize.assemble import assemble

    return assemble(lock, lockfile, require_tree(lock, store), store, options, progress)


def compare_environments(
    left: Environment,
    right: Environment,
    options: Options,
    store: Store,
    base: Environment | None = None,
) -> DriftReport:
    """Compare two environments, file by file where both trees are at hand and differ.

    With `base`, which was before both, the report tells who moved.  Trees of the same content
    are looked through as well when anything else in them differs: how
    many logs and caches are hidden is part of the answer.
    """
    from dataclasses import replace

    from envlock.diff.engine import compare
    from envlock.diff.side import Side
    from envlock.diff.three_way import with_base

    left_tree = right_tree = None
    if options.all or left.lock.get("tree") != right.lock.get("tree"):
        left_tree = left.tree or load_tree(left.lock, store)
        right_tree = right.tree or load_tree(right.lock, store)
    options = replace(
        options,
        left_name=left.name,
        right_name=right.name,
        environments=(left.known_as, right.known_as),
    )
    report = compare(
        left.lock, right.lock, left_tree=left_tree, right_tree=right_tree, options=options
    )
    if base is None:
        return report
    base_tree = (base.tree or load_tree(base.lock, store)) if left_tree and right_tree else None
    return with_base(
        report,
        Side(base.name, base.lock, base_tree),
        Side(left.name, left.lock, left_tree),
        Side(right.name, right.lock, right_tree),
    )


class Verified(NamedTuple):
    """The verdict of a verification, and what else is worth saying."""

    report: DriftReport
    remarks: tuple[str, ...]


def verify(
    left: Environment,
    reference: str,
    request: Request,
    store: Store,
    progress: Progress,
    user_rules: Sequence[Rule] = (),
) -> Verified:
    """Capture `reference` again and compare it with a lock.

    Both sides are brought to what an image can hold: host facts, secret variables and what the
    normaliser leaves out are not compared.  An image must be exact in every class of file and in
    the times of files; a running container may log and cache.  Raise InconclusiveError when the
    file tree of the lock is not at hand.
    """
    from contextlib import closing

    from envlock.diff.engine import Options, compare
    from envlock.diff.times import with_times
    from envlock.materialize.assemble import in_image
    from envlock.materialize.tree.normalise import image_epoch

    tree = left.tree or load_tree(left.lock, store)
    if tree is None:
        raise InconclusiveError(
            "only a lock with its file tree can be verified",
            where=left.name,
            hint="verify where it was captured, or capture a host with --deep",
        )
    with closing(open_target(reference)) as target:
        process = target.process()
    captured = capture_target(reference, request, store, progress)
    is_exact = is_image(reference)
    wanted = in_image(tree, image_epoch(tree), store, user_rules)
    found = in_image(captured.tree or Tree(()), image_epoch(tree), store, user_rules)
    report = compare(
        for_image(left.lock),
        for_image(captured.lock),
        left_tree=wanted,
        right_tree=found,
        options=Options(left_name=left.name, right_name=reference, all=is_exact),
    )
    left_out = len(tree.rows) - len(wanted.rows)
    remarks = [f"{len(wanted.rows):,} paths compared; {left_out:,} are left out on purpose"]
    if is_exact:
        report = with_times(report, wanted, found)
        remarks += _check_labels(left.lock, process.labels if process else {})
    return Verified(report, tuple(remarks))


def for_image(lock: Lock) -> Lock:
    """Return what of a lock an image can hold.

    It holds no host facts, no variables without a value, and every password is locked.
    """
    sections = {
        name: {
            key: facts for key, facts in entries.items() if name != "env" or "secret" not in facts
        }
        for name, entries in lock.sections.items()
        if part_of(name) is not Part.HOST and name != "login"
    }
    return Lock(sections={name: e for name, e in sections.items() if e}, version=lock.version)


def _check_labels(lock: Lock, labels: Mapping[str, str]) -> list[str]:
    from envlock.materialize.image.description import LABEL_PREFIX
    from envlock.model.digest import digests

    label = f"{LABEL_PREFIX}environment-digest"
    stated, actual = labels.get(label), digests(lock).environment
    if stated is None:
        return ["the image carries no envlock labels"]
    if stated != actual:
        return [f"the image is labelled {stated}, the lock is {actual}"]
    return [f"the image's label agrees: {actual}"]


def reader_of(store: Store) -> Callable[[str], bytes | None]:
    """Return a function from a digest (hex) to the content, or None where it is not held."""

    def read(sha256: str) -> bytes | None:
        return store.read(sha256) if store.has(sha256) else None

    return read
