"""The loop of envlock in short functions: capture -> lock -> diff -> materialize -> verify.

Read this module first.  The packages `capture`, `diff` and `materialize` do the work; a function
imports them when it runs, so that a diff of two files loads neither capture nor materialize.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from envlock.errors import InconclusiveError, MaterializeError, StoreError
from envlock.model.digest import digests
from envlock.model.lock import Lock, tree_address
from envlock.model.state import StateData, kept_state, lost_state
from envlock.model.tree import Tree
from envlock.store.objects import Store
from envlock.store.refs import set_ref, use_ref
from envlock.targets.base import HasSlowerWay
from envlock.targets.kinds import is_image, open_target

if TYPE_CHECKING:
    from envlock.capture.published import Published
    from envlock.capture.request import Request
    from envlock.capture.result import Capture
    from envlock.capture.setup import Tuning
    from envlock.diff.drift import DriftReport
    from envlock.diff.engine import Options
    from envlock.materialize.assemble import Assembled, BuildOptions
    from envlock.materialize.closure.reduce import Reduced
    from envlock.materialize.tree.rules import Rule
    from envlock.model.process import ProcessConfig
    from envlock.model.scope import Root
    from envlock.model.trace import Trace
    from envlock.scope.pairing import Paired
    from envlock.targets.base import Target
    from envlock.targets.recorded_scope import RecordedScope

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, and the files and bytes since the last call."""

Search = Callable[[Lock], "Mapping[str, Root]"]
"""Returns the roots of applications in a lock that names none, by role; empty for none found."""

_SHA256 = "sha256:"


class Environment(NamedTuple):
    """A lock with a name for people and, if it was just captured, its file tree.

    `policy_name` is the name that policy has for it (``dev``), empty if that is `name`.
    """

    name: str
    lock: Lock
    tree: Tree | None = None
    policy_name: str = ""


def capture_target(
    reference: str,
    request: Request,
    store: Store,
    progress: Progress,
    *,
    keep: bool = False,
    anew: bool = False,
    recording: BinaryIO | None = None,
    own: Sequence[Path] = (),
    tuning: Tuning | None = None,
    search: Search | None = None,
    published: Published | None = None,
) -> Capture:
    """Capture a target; `own` are files and directories of envlock itself, which are left out.

    With `keep`, the store keeps permanently what a rebuild needs, but not what `published` finds in
    a package.  With `anew`, nothing of an earlier capture is relied on.  With `recording`, what the
    collectors read is written there, redacted (see `envlock.capture.recording`).  `search` finds
    roots of applications in the lock of a target that has none of its own.
    """
    from envlock.capture.known import KnownCapture

    with closing(open_target(reference)) as opened:
        target = opened.slower() if anew and isinstance(opened, HasSlowerWay) else opened
        known = None if recording else KnownCapture.of(target, request, store)
        found = known.load(search) if known is not None and not anew else None
        if found is not None:
            captured, _ = with_scope(found[0], request, recorded=found[1])
            return _keep(captured, store, keep=keep)
        from envlock.capture.reading import read_target
        from envlock.scope.engine import READS

        captured, is_whole = read_target(
            target,
            request,
            store,
            progress,
            known=known,
            recording=recording,
            own=own,
            tuning=tuning,
            read_later=READS,
            scoped=with_scope,
            search=search,
            published=published,
            anew=anew,
        )
        return _keep(captured, store, keep=keep and is_whole)


def _keep(captured: Capture, store: Store, *, keep: bool) -> Capture:
    """Remember a capture for the next one, keep its tree permanently if wanted, and return it."""
    address = tree_address(captured.lock)
    if keep and address:
        set_ref(store, f"tree {address}", trees=[address])
    if keep or not address:
        captured.remember()
    return captured


def with_scope(
    captured: Capture,
    request: Request,
    search: Search | None = None,
    recorded: RecordedScope | None = None,
) -> tuple[Capture, RecordedScope | None]:
    """Add what the applications need, or what a recording has of it; return that, None for nothing.

    The target must still be open.  `search` finds roots of what has none, marked as assumed.
    """
    from envlock.model.coverage import Coverage, Status
    from envlock.model.scope import SECTION, scope_records
    from envlock.secrets.records import clean_gap, clean_record
    from envlock.targets.recorded_scope import RecordedScope

    if request.only:
        return captured, None
    if SECTION in request.skip:
        return captured.adding(SECTION, (), Coverage(Status.SKIPPED)), None
    if recorded is None:
        view = captured.view
        if view is None:
            return captured, None
        from envlock.scope.searched import search_scope

        scope = search_scope(
            view, captured.lock, request.roots, search, request.workdir, request.traces, view.gaps
        )
        gaps = tuple(dict.fromkeys(map(clean_gap, scope.coverage.gaps)))
        recorded = RecordedScope(
            tuple(map(clean_record, scope_records(scope.roles))),
            Coverage(scope.coverage.status, gaps),
        )
    return captured.adding(SECTION, recorded.records, recorded.coverage), recorded


def trace_of_run(opened: Collection[str], executed: Collection[str], target: Target) -> Trace:
    """Return the trace of a run on this machine; see `envlock.scope.touched.trace_of`."""
    from envlock.capture.owners import files_with_owners
    from envlock.scope.touched import touched_files, trace_of

    view = files_with_owners(target, lambda files: touched_files(opened, executed, files))
    return trace_of(opened, executed, view)


def load_tree(lock: Lock, store: Store) -> Tree | None:
    """Return the file tree of `lock`, or None if this store does not have it."""
    address = tree_address(lock)
    if not address or not store.has(address):
        return None
    use_ref(store, f"tree {address}")
    try:
        return Tree.from_bytes(store.read(address))
    except ValueError as error:
        raise StoreError(str(error), where=f"{_SHA256}{address}") from error


def require_tree(lock: Lock, store: Store) -> Tree:
    """Return the file tree of `lock`.  Raise MaterializeError with the reason if there is none."""
    tree = load_tree(lock, store)
    if tree is not None:
        return tree
    if tree_address(lock):
        raise MaterializeError(
            "the file tree of this lock is not in this store",
            where=f"{_SHA256}{tree_address(lock)}",
            hint="capture again, or materialize it on the machine that captured it",
        )
    raise MaterializeError(
        "the lock has no file tree, so it cannot be rebuilt", hint="capture the host with --deep"
    )


def materialize(
    lock: Lock, lockfile: bytes, store: Store, options: BuildOptions, progress: Progress
) -> Assembled:
    """Rebuild a lock into the OCI layout that `options` names; `lockfile` are its bytes."""
    from envlock.materialize.assemble import assemble

    return assemble(lock, lockfile, require_tree(lock, store), store, options, progress)


def materialize_role(
    lock: Lock, role: str, store: Store, options: BuildOptions, progress: Progress
) -> tuple[Assembled, Reduced]:
    """Rebuild what one application of a lock needs; also return what that is."""
    from envlock.lockfile.writer import render_lock
    from envlock.materialize.assemble import assemble

    part = reduced(lock, require_tree(lock, store), role, store)
    done = assemble(part.lock, render_lock(part.lock), part.tree, store, options, progress)
    return done, part


def reduced(lock: Lock, tree: Tree, role: str, store: Store) -> Reduced:
    """Return the part of an environment that an image of one application holds."""
    from envlock.materialize.closure.reduce import reduce

    return reduce(lock, tree, role, lambda row: store.read(row.entry.sha256), store.put)


def compare_environments(
    left: Environment,
    right: Environment,
    options: Options,
    store: Store,
    base: Environment | None = None,
    *,
    whole: bool = False,
    joining: bool = False,
) -> DriftReport:
    """Compare two environments, file by file if both trees are in the store and differ.

    With the common ancestor `base` the report says which side changed.  Trees of the same content
    digest are compared too if their records differ, since hidden logs and caches are counted.  The
    applications that the locks name are compared, or with `whole` everything (ADR 28).  With
    `joining` the right side is a machine that is to become like the left (`envlock.scope.pairing`).
    """
    from envlock.diff.drift import Note, NoteKind
    from envlock.diff.engine import compare
    from envlock.model.scope_names import renamed_tree
    from envlock.scope.pairing import Paired, pair

    left_tree = right_tree = None
    if options.all or left.lock.get("tree") != right.lock.get("tree"):
        left_tree = left.tree or load_tree(left.lock, store)
        right_tree = right.tree or load_tree(right.lock, store)
    named = (left.policy_name or left.name, right.policy_name or right.name)
    locks = (left.lock, right.lock)
    paired = Paired(*locks) if whole else pair(*locks, *named, joining=joining)
    left_tree = renamed_tree(left_tree, paired.names[0])
    right_tree = renamed_tree(right_tree, paired.names[1])
    options = replace(
        options,
        left_name=left.name,
        right_name=right.name,
        environments=(left.policy_name, right.policy_name),
        scoping=paired.scoping,
    )
    report = compare(
        paired.left, paired.right, left_tree=left_tree, right_tree=right_tree, options=options
    )
    told = paired.notes if report.changes else ()
    notes = tuple(Note(NoteKind.SCOPE, " ".join(named), text) for text in told)
    report = replace(report, notes=(*notes, *report.notes))
    if base is None:
        return report
    return _since(report, base, store, paired, (left_tree, right_tree))


def _since(
    report: DriftReport,
    base: Environment,
    store: Store,
    paired: Paired,
    trees: tuple[Tree | None, Tree | None],
) -> DriftReport:
    """Return a comparison with the side that changed since the base, named like both sides."""
    from envlock.diff.side import Side
    from envlock.diff.three_way import with_base
    from envlock.model.scope_names import renamed_tree
    from envlock.scope.pairing_base import like

    base_tree = (base.tree or load_tree(base.lock, store)) if all(trees) else None
    lock, names = like(base.lock, paired)
    return with_base(
        report,
        Side(base.name, lock, renamed_tree(base_tree, names)),
        Side(report.left_name, paired.left, trees[0]),
        Side(report.right_name, paired.right, trees[1]),
    )


class DigestLabel(NamedTuple):
    """The environment digest that the label of an image states (or nothing), and the lock's."""

    stated: str
    expected: str


class Verified(NamedTuple):
    """The result of a verification: `compared` and `skipped` count paths of the lock.

    `label` is None unless the target is an image.  `left_out` is data that the lock does not have.
    """

    report: DriftReport
    compared: int
    skipped: int
    label: DigestLabel | None
    left_out: tuple[StateData, ...] = ()


def verify(
    left: Environment,
    reference: str,
    request: Request,
    store: Store,
    progress: Progress,
    user_rules: Sequence[Rule] = (),
    role: str = "",
    published: Published | None = None,
) -> Verified:
    """Capture `reference` again and compare it with a lock.

    Both are reduced to what an image can hold, without host facts, secret variables and paths that
    the normaliser leaves out.  An image must be equal in every class of file and in file times; a
    running container may write logs and caches.  With `role`, it must hold what that application
    needs, no other file.  Raise InconclusiveError if the tree is not stored.
    """
    from envlock.diff.access import with_widened
    from envlock.diff.engine import Options, compare
    from envlock.diff.times import with_times
    from envlock.materialize.assemble import as_images
    from envlock.materialize.closure.reduce import reduce_lock, with_classes_of
    from envlock.materialize.image.description import for_image

    tree = _tree_to_verify(left, store)
    with closing(open_target(reference)) as target:
        process = target.process()
    lock = left.lock
    if role:
        _, lock, tree, _ = reduced(lock, tree, role, store)
    request = replace(request, with_state=kept_state(lock))
    captured = capture_target(reference, request, store, progress, anew=True, published=published)
    found_lock = reduce_lock(captured.lock, lock) if role else captured.lock
    is_exact = is_image(reference)
    whole = captured.tree or Tree(())
    labels = process.labels if process is not None else {}
    wanted, found = as_images((tree, whole), lock, labels, store, user_rules)
    wanted = with_classes_of(found, wanted) if role else wanted
    # A rebuild creates secret files without their content.
    options = Options(
        left_name=left.name, right_name=reference, all=is_exact, unknown_secrets=False
    )
    locks = (for_image(lock, wanted), for_image(found_lock, found))
    report = compare(*locks, left_tree=wanted, right_tree=found, options=options)
    report = with_widened(report, tree, whole)
    report = with_times(report, wanted, found) if is_exact else report
    label = _label(process, lock) if is_exact else None
    skipped = len(tree.rows) - len(wanted.rows)
    return Verified(report, len(wanted.rows), skipped, label, lost_state(lock))


def _label(process: ProcessConfig | None, lock: Lock) -> DigestLabel:
    """Return what the label of an image states, and what it would state if it were made now."""
    from envlock.materialize.image.description import LABEL_PREFIX

    stated = process.labels.get(f"{LABEL_PREFIX}environment-digest") if process else None
    return DigestLabel(stated or "", digests(lock).environment)


def _tree_to_verify(left: Environment, store: Store) -> Tree:
    tree = left.tree or load_tree(left.lock, store)
    if tree is not None:
        return tree
    raise InconclusiveError(
        "the file tree of this lock is not in this store, so it cannot be verified",
        where=left.name,
        hint="verify it on the machine that captured it, or capture the host with --deep",
    )


def reader_of(store: Store) -> Callable[[str], bytes | None]:
    """Return a function that maps a hex digest to its content, None if the store lacks it."""

    def read(sha256: str) -> bytes | None:
        return store.read(sha256) if store.has(sha256) else None

    return read
