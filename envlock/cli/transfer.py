"""What the verbs that send and receive locks share: what travels, the search for secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.operands import read_lock_bytes, shown_path
from envlock.cli.scan_contents import Found, Unsearched, scan_content, shown_name
from envlock.cli.scan_recording import Hit
from envlock.errors import SecretRefusedError
from envlock.lockfile.reader import parse_lock
from envlock.model.digest import digests
from envlock.model.lock import Lock, tree_address
from envlock.model.state import kept_data
from envlock.model.tree import REDACTED, Tree
from envlock.store.manifests import PACKAGE_TYPE, Described, Origin
from envlock.store.objects import Store
from envlock.store.shipment import Extent, Shipment, pack_shipment
from envlock.store.unpacking import read_lock_of, unpack_shipment

if TYPE_CHECKING:
    from envlock.config.load import Config

_FEW = 5
_PIECE = 1 << 20


class Parcel(NamedTuple):
    """A lock with everything that travels with it; `tree` is None for a lock without one."""

    name: str
    lock: Lock
    lockfile: bytes
    tree: Tree | None
    shipment: Shipment


def pack(
    operand: str,
    config: Config,
    store: Store,
    extent: Extent = Extent(),  # noqa: B008
) -> Parcel:
    """Return what travels with the lock of an operand, searched for secrets.

    Packages are not searched: others published them.
    Raise StoreError when this store does not have all of it, SecretRefusedError for a secret.
    """
    raw = read_lock_bytes(operand, config)
    parcel = pack_lock(
        operand, raw, parse_lock(raw, where=shown_path(operand, config)), store, extent
    )
    refuse_secrets(parcel.name, parcel.lockfile, parcel.lock, parcel.tree, store)
    return parcel


def pack_lock(
    name: str,
    raw: bytes,
    lock: Lock,
    store: Store,
    extent: Extent = Extent(),  # noqa: B008
) -> Parcel:
    """Return what travels with a lock, whose file has the bytes `raw`; secrets may be in it.

    Raise StoreError when this store does not have all of it.
    """
    address = tree_address(lock)
    shipment = pack_shipment(raw, address, store, lock_annotations(lock), extent)
    tree = Tree.from_bytes(store.read(address)) if address else None
    return Parcel(name, lock, raw, tree, shipment)


def lock_annotations(lock: Lock) -> Mapping[str, str]:
    """Return the annotations of the manifest of a lock."""
    found = digests(lock)
    return {"io.envlock.environment": found.environment, "io.envlock.host": found.host}


def contents(parcel: Parcel) -> Iterator[str]:
    """Yield lines that say what travels: counts, bytes, classes of files."""
    yield f"lock {parcel.name}: {len(parcel.lockfile):,} bytes"
    if parcel.tree is None:
        yield "no file tree: it can be compared, not rebuilt"
        return
    yield from told_of_tree(parcel.tree, parcel.lock)
    packages = [blob.size for blob in parcel.shipment.blobs if blob.media_type == PACKAGE_TYPE]
    if packages:
        yield f"packages, as published: {len(packages):,} files, {sum(packages):,} bytes"
    packed = f"{len(parcel.shipment.blobs):,} blobs, {parcel.shipment.size:,} bytes"
    yield f"in all: {packed}; no secret was found in what was captured"


def told_of_tree(tree: Tree, lock: Lock) -> Iterator[str]:
    """Yield lines that say how many paths there are, and what is kept by value or whole."""
    classes: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for row in tree.rows:
        if row.source.startswith(("blob ", REDACTED)):
            classes[row.file_class.value] += 1
            sizes[row.file_class.value] += row.entry.size
    yield f"file tree: {len(tree.rows):,} paths"
    for name in sorted(classes, key=lambda each: (-sizes[each], each)):
        yield f"  by value, {name}: {classes[name]:,} files, {sizes[name]:,} bytes"
    for data in kept_data(lock):
        yield f"  kept whole and not searched for secrets: {data.path} ({data.engine})"


def refuse_secrets(name: str, lockfile: bytes, lock: Lock, tree: Tree | None, store: Store) -> None:
    """Raise SecretRefusedError for a secret in anything that would travel, and say where.

    Also for what cannot be searched.  `name` is what messages call the lock, `lockfile` its bytes.
    Data of services is not searched: it was asked for, and is kept whole with all its secrets.
    """
    found = list(islice(_reasons(name, lockfile, lock, tree, store), _FEW + 1))
    if not found:
        return
    hits = [each for each in found[:_FEW] if isinstance(each, Hit)]
    more = " and more" if len(found) > _FEW else ""
    if not hits:
        told = [
            f"{each.file}: {each.reason}" for each in found[:_FEW] if isinstance(each, Unsearched)
        ]
        raise SecretRefusedError(
            f"what cannot be searched for secrets does not travel: {'; '.join(told)}{more}",
            where=name,
            hint="mend the file, or leave its path out with capture.ignore, and capture again",
        )
    told = [f"{hit.file}: {hit.place} ({hit.rule})" for hit in hits]
    raise SecretRefusedError(
        f"a secret would travel: {'; '.join(told)}{more}",
        where=name,
        hint="remove it there and capture again; `envlock scan` searches the lock and the store",
    )


def _reasons(
    name: str, lockfile: bytes, lock: Lock, tree: Tree | None, store: Store
) -> Iterator[Found]:
    yield from _of_content(name, "/lock", 0o644, [lockfile])
    if tree is None:
        return
    yield from _of_content("file tree", "/tree", 0o644, [tree.to_bytes()])
    seen: set[str] = set()
    kept = kept_data(lock)
    for row in tree.rows:
        if any(data.covers(row.entry.path) for data in kept):
            continue
        kind, _, sha256 = row.source.partition(" ")
        if kind not in ("blob", REDACTED.strip()) or sha256 in seen:
            continue
        seen.add(sha256)
        with store.stream(sha256) as stream:
            pieces = iter(lambda: stream.read(_PIECE), b"")
            path = row.entry.path
            yield from _of_content(path, path, row.entry.mode, pieces)


def _of_content(name: str, path: str, mode: int, chunks: Iterable[bytes]) -> Iterator[Found]:
    """Yield why a content must not travel.

    An archive inside it that cannot be opened is no reason; that itself is not searched is one.
    """
    shown = shown_name(name)
    for each in scan_content(shown, path, mode, chunks):
        if isinstance(each, Hit) or each.file == shown:
            yield each


def unpack(layers: tuple[Described, ...], origin: Origin, store: Store) -> tuple[bytes, Lock, int]:
    """Return the lock of a shipment, and how many objects were new to the store."""
    raw = read_lock_of(layers, origin)
    lock = parse_lock(raw, where=origin.name)
    address = tree_address(lock)
    new = unpack_shipment(layers, origin, address, store) if address else 0
    return raw, lock, new
