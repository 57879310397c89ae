"""Keep the packages of a lock: gather them while they can be had, and put them into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from envlock.errors import MaterializeError, SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.fetch import Fetched
from envlock.materialize.artifacts.names import own_name
from envlock.materialize.artifacts.obtain import (
    HINT,
    SourceOptions,
    obtain,
    remove_wrong,
    told_missing,
    told_places,
)
from envlock.materialize.artifacts.plan import Plan
from envlock.materialize.artifacts.verify import sha256_of
from envlock.materialize.assemble import plan_of
from envlock.materialize.tree.rebuild import Rebuild
from envlock.materialize.tree.rules import Rule
from envlock.model.lock import Lock
from envlock.model.tree import Tree
from envlock.store.manifests import PACKAGE_TYPE
from envlock.store.objects import Store
from envlock.store.shipment import Blob
from envlock.writing import replacing

_PIECE = 1 << 20
_MARKER = ".made-by-envlock-vendor"
_MARKER_TEXT = b"""\
envlock made this folder: a rebuild searches it for packages, and a capture leaves it out.
"""
Progress = Callable[[str, int, int], None]


class Gathered(NamedTuple):
    """The packages of a lock that could be had, and why others could not."""

    paths: Mapping[Artifact, Path]
    missing: tuple[Artifact, ...]
    reasons: tuple[str, ...]

    def require_all(self, what: str) -> None:
        """Raise MaterializeError, with every reason, when a package is missing.

        `what` says what is the matter: "the folder is not complete".
        """
        if self.reasons:
            count = len(self.missing)
            raise MaterializeError(
                f"{what}: {count:,} package{'s' if count > 1 else ''} cannot be had",
                blockers=self.reasons,
                hint=HINT,
            )


def gather(
    lock: Lock,
    tree: Tree,
    store: Store,
    options: SourceOptions,
    progress: Progress,
    *,
    user_rules: Sequence[Rule] = (),
    jobs: int = 2,
    is_known: Callable[[Artifact], bool] = lambda _artifact: False,
) -> Gathered:
    """Fetch every package that a rebuild of `lock` reads, but for those that are known elsewhere.

    A package of which the lock states no digest is opened, and must have the files of the lock.
    """
    plan = plan_of(lock, tree, store, user_rules)
    progress("fetching packages", 0, 0)
    wanted = [artifact for artifact in plan.artifacts if not is_known(artifact)]
    got = obtain(wanted, lock, store, options)
    progress("opening packages", 0, 0)
    faults = _faults(plan, got, store, jobs)
    missing = (*got.missing, *faults)
    reasons = (
        *told_missing(got.missing, got),
        *chain.from_iterable(faults.values()),
        *(told_places(missing, got) if missing else ()),
    )
    paths = {artifact: path for artifact, path in got.paths.items() if artifact not in faults}
    return Gathered(paths, missing, reasons)


def _faults(plan: Plan, got: Fetched, store: Store, jobs: int) -> Mapping[Artifact, list[str]]:
    """Return what is wrong with packages of which the lock states no digest."""
    unproved = {a: rows for a, rows in plan.artifacts.items() if a in got.paths and not a.proofs}
    rebuild = Rebuild(store, {}, jobs)
    try:
        faults = rebuild.prepare(Plan(unproved, ()), got.paths)
    finally:
        rebuild.close()
    remove_wrong(faults, got, store)
    return faults


class Kept(NamedTuple):
    """How many packages are in a folder now, how many of them are new, and the size of all."""

    packages: int
    new: int
    size: int


def keep_in_folder(paths: Mapping[Artifact, Path], folder: Path) -> Kept:
    """Copy packages into a folder, under the names that they were published with.

    What is there already is not written again; nothing is deleted.  Raise SourceError when the
    folder cannot be written.
    """
    new = size = 0
    with folder_errors(folder):
        make_folder(folder)
        for artifact, path in sorted(paths.items(), key=lambda item: str(item[0])):
            size += path.stat().st_size
            new += _copy(artifact, path, folder)
    return Kept(len(paths), new, size)


def make_folder(folder: Path) -> None:
    """Make a folder for packages, and mark it as such; one with files in it is only used.

    Raise OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is None:
        with replacing(folder / _MARKER) as sink:
            sink.write(_MARKER_TEXT)


def is_made_for_packages(folder: Path) -> bool:
    """True for a folder that `make_folder` made: it holds nothing of the project itself."""
    return (folder / _MARKER).is_file()


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Raise each OSError of the body as a SourceError about a folder of packages."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"cannot keep packages there: {error.strerror or error}",
            where=str(folder),
            hint="free space, or name another directory (locks.vendor, --to)",
        ) from error


def _copy(artifact: Artifact, path: Path, folder: Path) -> bool:
    """Copy one package unless it is there; True when it was written."""
    with path.open("rb") as source:
        pieces = iter(lambda: source.read(_PIECE), b"")
        return keep_file(folder, artifact.filename, _sha256(artifact, path), pieces)


def keep_file(folder: Path, name: str, sha256: str, pieces: Iterable[bytes]) -> bool:
    """Write a package into a folder unless it is there; True when it was written.

    `sha256` is its digest in hex.  Another file of that name stays, and this one gets its digest
    before the name.  Raise OSError.
    """
    there = folder / name
    if there.is_file() and sha256_of(there) != sha256:
        there = folder / own_name(name, sha256)
    if there.is_file() and sha256_of(there) == sha256:
        return False
    with replacing(there) as sink:
        sink.writelines(pieces)
    return True


def as_blobs(paths: Mapping[Artifact, Path]) -> list[Blob]:
    """Return packages as blobs of a shipment, named as they were published.  Raise OSError."""
    return [_blob(artifact, path) for artifact, path in paths.items()]


def _blob(artifact: Artifact, path: Path) -> Blob:
    digest, size = f"sha256:{_sha256(artifact, path)}", path.stat().st_size
    return Blob(PACKAGE_TYPE, digest, size, lambda: path.open("rb"), artifact.filename)


def _sha256(artifact: Artifact, path: Path) -> str:
    """Return the digest of a verified file in hex: the one of the lock where that states it."""
    proofs = (proof.partition(":") for proof in artifact.proofs)
    return next((hexes for name, _, hexes in proofs if name == "sha256"), "") or sha256_of(path)
