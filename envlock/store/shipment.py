"""What travels with a lock: its bytes, its file tree, and the content that no package has.

A shipment is an OCI artifact: a manifest that lists blobs.  It travels in a file
(`envlock.store.bundle`) or to a registry.  The same lock, sent to somebody who has nothing, always
gives the same blobs.  Somebody who has an earlier version gets what changed, as a delta
(`envlock.store.deltas`), and a manifest that lists the blobs of that version again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple, Never

from envlock.errors import StoreError
from envlock.model.document import parse_json
from envlock.model.splice import blob_in, kept_digests, lines_of
from envlock.store.deltas import LARGEST_DELTA, fits, write_delta
from envlock.store.frames import frame
from envlock.store.manifests import (
    ARTIFACT_TYPE,
    CONTENT,
    DELTA_TYPE,
    EMPTY_TYPE,
    IMAGE_CONFIG_TYPE,
    IMAGE_LAYER_TYPE,
    LOCK_TYPE,
    MANIFEST_TYPE,
    OBJECT_TYPE,
    PACK_TYPE,
    PACKAGES_TYPE,
    PACKED_OBJECT_TYPE,
    PACKED_TREE_TYPE,
    REAL_TYPE,
    SIZE,
    TITLE,
    Described,
)
from envlock.store.objects import Store
from envlock.store.packs import LARGE, divide, write_pack

EMPTY = b"{}"

MOST_HELD = 64 * 1024 * 1024
"""How many bytes of packs are kept in memory between counting and sending them."""
LARGEST_PACKED = 64 * 1024 * 1024
"""A larger object travels as it is, in bytes: its digest is known without compressing it."""
LARGEST_SHARE = 0.25
"""A version that adds more than this share of the earlier one, in bytes, travels whole."""

_TREE_LEVEL, _OBJECT_LEVEL = 9, 3
_WORTH = 0.9
"""An object is compressed if that leaves less than this share of it."""


class Blob(NamedTuple):
    """One blob of a shipment.

    `digest` (``sha256:<hex>``) and `size` in bytes are those of the blob, `open` opens it from the
    start, `name` is the file name of a package.  `content` and `unpacked` are digest (hex) and size
    of what a compressed one holds, else empty; of a delta, of the tree in it.
    """

    media_type: str
    digest: str
    size: int
    open: Callable[[], BinaryIO]
    name: str = ""
    content: str = ""
    unpacked: int = 0

    @classmethod
    def of(cls, media_type: str, content: bytes) -> Blob:
        """Return a blob that is in memory."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return cls(media_type, digest, len(content), lambda: io.BytesIO(content))


class Shipment(NamedTuple):
    """A manifest and its blobs, the configuration first; none of them is there twice."""

    manifest: bytes
    blobs: tuple[Blob, ...]
    objects: int
    """How many objects the packs and large blobs hold."""

    @property
    def size(self) -> int:
        """The size of all blobs in bytes."""
        return sum(blob.size for blob in self.blobs)


class BaseGoneError(StoreError):
    """A blob of an earlier version is not where it was, so the whole must be sent."""


class Base(NamedTuple):
    """An earlier version, which the other side has.

    `tree` is its file tree (hex); empty where this store does not have that.  `objects` are the
    digests (hex) of what the other side has.  `layers` are blobs of that version, which the new
    manifest must list as well; none where the other side keeps what it has anyway.  `later` are
    objects that such blobs have though the tree does not need them.
    """

    tree: str
    objects: frozenset[str]
    layers: tuple[Blob, ...] = ()
    later: frozenset[str] = frozenset()


NOTHING_THERE = Base("", frozenset())


class Extent(NamedTuple):
    """What a shipment has besides the lock's own content, and what the other side has already.

    `packages` are published files.
    """

    packages: Sequence[Blob] = ()
    base: Base = NOTHING_THERE


def pack_shipment(
    lockfile: bytes,
    tree: str,
    store: Store,
    annotations: Mapping[str, str],
    extent: Extent = Extent(),  # noqa: B008
) -> Shipment:
    """Return what travels with a lock.

    `tree` is the address of its file tree (hex), empty for a lock without one.  Raise StoreError
    naming how much is missing when the store does not have everything.
    """
    layers = [Blob.of(LOCK_TYPE, lockfile)]
    new: Mapping[str, int] = {}
    if tree:
        raw, base = store.read(tree), extent.base
        needed = kept_digests(raw)[0]
        new = _sizes(needed - base.objects, store)
        added = _added(raw, tree, new, base, store)
        if base.layers and not _is_worth(added, needed, base):
            new, base = _sizes(needed, store), NOTHING_THERE
            added = _added(raw, tree, new, base, store)
        layers += [each for each in base.layers if _is_needed(each, needed, base)]
        layers += added
    layers += _sorted(extent.packages)
    return _shipment(ARTIFACT_TYPE, layers, len(new), annotations)


def ship_again(
    lockfile: bytes, layers: Sequence[Described], annotations: Mapping[str, str]
) -> Shipment:
    """Return the shipment of a lock that has these layers elsewhere; they cannot be opened here."""
    blobs = [Blob.of(LOCK_TYPE, lockfile), *map(listed, layers[1:])]
    return _shipment(ARTIFACT_TYPE, blobs, 0, annotations)


def listed(layer: Described) -> Blob:
    """Return a layer of a manifest as a blob, which cannot be opened."""
    is_packed = layer.content != layer.digest.removeprefix("sha256:")
    content, unpacked = (layer.content, layer.unpacked) if is_packed else ("", 0)
    return Blob(
        layer.media_type, layer.digest, layer.size, _no_content, layer.name, content, unpacked
    )


def _no_content() -> Never:
    raise BaseGoneError(
        "a blob of an earlier version is not there any more", hint="push it again with --whole"
    )


def _added(raw: bytes, tree: str, new: Mapping[str, int], base: Base, store: Store) -> list[Blob]:
    """Return the blobs of a tree and of new objects, against a base where one helps."""
    if tree in base.objects and not new:
        return []
    if base.tree:
        old = _old_versions(raw, store.read(base.tree), new, base, store)
        alone = {s: size for s, size in new.items() if size >= LARGE and s not in old}
        objects = {tree: len(raw), **{s: new[s] for s in sorted(new) if s not in alone}}
        bases = {base.tree: store.size(base.tree), **{s: store.size(s) for s in old.values()}}
        if tree not in base.objects and fits(bases, objects):
            made = write_delta(bases, objects, store.read)
            if len(made) <= LARGEST_DELTA:
                delta = Blob.of(DELTA_TYPE, made)._replace(content=tree, unpacked=len(raw))
                return [*_alone(alone, store), delta]
    packed = [] if tree in base.objects else [_packed(PACKED_TREE_TYPE, tree, raw, _TREE_LEVEL)]
    alone = {s: size for s, size in new.items() if size >= LARGE}
    return [*packed, *_packs(divide(new), store), *_alone(alone, store)]


def _old_versions(
    raw: bytes, old: bytes, new: Collection[str], base: Base, store: Store
) -> dict[str, str]:
    """Return, for new objects, the object that was at the same path in the old tree: both hex."""
    known = frozenset(lines_of(old))
    changed = [line for line in lines_of(raw) if line not in known]
    paths = {line.partition(b"\t")[0] for line in changed}
    before = {p: line for line in known if (p := line.partition(b"\t")[0]) in paths}
    found: dict[str, str] = {}
    for line in changed:
        now, then = blob_in(line), blob_in(before.get(line.partition(b"\t")[0], b""))
        if now and then and now[0] in new and then[0] in base.objects and store.has(then[0]):
            found.setdefault(now[0], then[0])
    return found


def _is_worth(added: Sequence[Blob], needed: frozenset[str], base: Base) -> bool:
    """True when a version should travel as what it adds to the base, not whole.

    It adds little, and at least half of the base is still of use.
    """
    sent, there = (sum(blob.size for blob in blobs) for blobs in (added, base.layers))
    return sent <= LARGEST_SHARE * there and 2 * len(needed & base.objects) >= len(base.objects) - 1


def _is_needed(layer: Blob, needed: frozenset[str], base: Base) -> bool:
    """True unless a layer is an object that came after the base, and is of no use any more."""
    sha256 = layer.content or layer.digest.removeprefix("sha256:")
    return sha256 in needed or sha256 not in base.later


def pack_packages(packages: Iterable[Blob]) -> Shipment:
    """Return a shipment of packages alone, sorted by name and digest."""
    return _shipment(PACKAGES_TYPE, _sorted(packages), 0, {})


def as_image(shipment: Shipment) -> Shipment:
    """Return a shipment in the form of an image, for a registry that takes nothing else.

    It has the same blobs but for the configuration.  Their media types are in annotations.
    """
    document = parse_json(shipment.manifest)
    layers = [
        {
            **layer,
            "mediaType": IMAGE_LAYER_TYPE,
            "annotations": {**layer.get("annotations", {}), REAL_TYPE: layer["mediaType"]},
        }
        for layer in document["layers"]
    ]
    described = {
        "architecture": "unknown",
        "config": {},
        "os": "unknown",
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    config = Blob.of(IMAGE_CONFIG_TYPE, _compact(described))
    del document["artifactType"]
    manifest = _compact({**document, "config": _descriptor(config), "layers": layers})
    return Shipment(manifest, (config, *shipment.blobs[1:]), shipment.objects)


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _sorted(packages: Iterable[Blob]) -> list[Blob]:
    return sorted(packages, key=lambda blob: (blob.name, blob.digest))


def _shipment(
    kind: str, layers: Sequence[Blob], objects: int, annotations: Mapping[str, str]
) -> Shipment:
    config = Blob.of(EMPTY_TYPE, EMPTY)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": kind,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
        "annotations": {"io.envlock.format": "1", **annotations},
    }
    manifest = _compact(document)
    different = {blob.digest: blob for blob in (config, *layers)}
    return Shipment(manifest, tuple(different.values()), objects)


def _sizes(digests: frozenset[str], store: Store) -> dict[str, int]:
    missing = sorted(sha256 for sha256 in digests if not store.has(sha256))
    if missing:
        raise StoreError(
            f"{len(missing)} of {len(digests)} files of this lock are not in this store",
            where=f"sha256:{missing[0]}",
            hint="run it on the machine that captured the lock, or capture again",
        )
    return {sha256: store.size(sha256) for sha256 in digests}


def _packs(divided: Iterable[Sequence[str]], store: Store) -> Iterator[Blob]:
    """Yield packs; the first ones stay in memory, others are made again when they are opened."""
    held = 0
    for digests in divided:
        blob = Blob.of(PACK_TYPE, write_pack(digests, store.read))
        held += blob.size
        if held > MOST_HELD:
            blob = blob._replace(open=partial(_open_pack, digests, store))
        yield blob


def _open_pack(digests: Sequence[str], store: Store) -> BinaryIO:
    return io.BytesIO(write_pack(digests, store.read))


def _alone(sizes: Mapping[str, int], store: Store) -> Iterator[Blob]:
    """Yield blobs of one object each; the first ones stay in memory, as those of packs do."""
    held = 0
    for sha256, size in sorted(sizes.items()):
        blob = Blob(OBJECT_TYPE, f"sha256:{sha256}", size, partial(store.stream, sha256))
        if size <= LARGEST_PACKED:
            packed = _packed(PACKED_OBJECT_TYPE, sha256, store.read(sha256), _OBJECT_LEVEL)
            if packed.size < size * _WORTH:
                held += packed.size
                blob = packed
                if held > MOST_HELD:
                    blob = blob._replace(open=partial(_open_packed, sha256, store))
        yield blob


def _packed(media_type: str, sha256: str, content: bytes, level: int) -> Blob:
    made = Blob.of(media_type, frame(content, level))
    return made._replace(content=sha256, unpacked=len(content))


def _open_packed(sha256: str, store: Store) -> BinaryIO:
    return io.BytesIO(frame(store.read(sha256), _OBJECT_LEVEL))


def _descriptor(blob: Blob) -> dict[str, Any]:
    described = {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
    noted = {TITLE: blob.name} if blob.name else {}
    if blob.content:
        noted |= {CONTENT: f"sha256:{blob.content}", SIZE: str(blob.unpacked)}
    return described | ({"annotations": noted} if noted else {})
