"""An image in a registry: its layers are streamed from there; no engine is needed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from envlock.errors import RegistryError, TargetError
from envlock.model.document import parse_json
from envlock.model.tree import Entry, EntryType
from envlock.registry.client import Manifest, Repository
from envlock.registry.reference import PREFIX, Reference
from envlock.targets.base import ScanPlan
from envlock.targets.stream.decompress import decompressed
from envlock.targets.stream.known_layer import (
    Checked,
    KnownLayer,
    LayerMemory,
    told_again,
    with_new_digests,
)
from envlock.targets.stream.layer_shelf import LayerShelf, shared_shelf
from envlock.targets.stream.oci import ARCHITECTURES, MOST_LAYERS, OciTarget
from envlock.targets.stream.streaming import Read, Room, prefetch, read_members
from envlock.targets.stream.tar_reader import Member

_SMALL = 64 * 1024
"""Largest file, in bytes, of a layer read in part that is kept in memory, for it is asked for."""
_MOST_INDEXES = 3
"""How deep an index may name an index."""


class PulledLayer:
    """A layer of a repository; call it to read it from the start, verified at its end."""

    def __init__(self, repository: Repository, shelf: LayerShelf, digest: str, size: int) -> None:
        self.digest = digest
        self._repository = repository
        self._shelf = shelf
        self._size = size

    def __call__(self) -> Iterator[bytes]:
        """Yield the layer as it is stored there, from the shelf if it was pulled whole before."""
        digest, size = self.digest, self._size
        return self._shelf.layer(digest, size, lambda: self._repository.blob(digest, size))


class RegistryTarget(OciTarget):
    """One image of a registry; `close` ends its connections."""

    def __init__(
        self,
        reference: str,
        layers: Sequence[PulledLayer],
        config: Any,
        repository: Repository,
        digest: str,
        shelf: LayerShelf,
    ) -> None:
        """Read `layers`; `shelf` is closed by `close` unless it is shared."""
        super().__init__(reference, layers, config)
        self._pulled = layers
        self._shelf = shelf
        self._repository = repository
        self._digest = digest
        self._memory: LayerMemory | None = None

    def fixed_id(self) -> str:
        """Return the digest of its manifest, which names its layers and its configuration."""
        return f"manifest {self._digest}"

    def remember_in(self, memory: LayerMemory | None) -> None:
        """Ask `memory` for layers before they are pulled, and tell it of those that were read."""
        self._memory = memory

    def content_of(self, path: str) -> bytes | None:
        """Return the content of a file that was kept for collectors, None for any other."""
        return self._tree.contents.get(path)

    def _layers_read(self, plan: ScanPlan, room: Room) -> Iterator[Iterable[Read]]:
        for source in self._pulled:
            yield self._layer_read(source, plan, room)

    def _layer_read(self, source: PulledLayer, plan: ScanPlan, room: Room) -> Iterator[Read]:
        """Yield what is in a layer, from memory as far as it is known."""
        memory = self._memory
        known = memory.layer(source.digest) if memory is not None else None
        if memory is None or known is None:
            pieces = Checked(source())
            entries = []
            for read in read_members(
                prefetch(decompressed(pieces, self.reference)),
                *(self.reference, plan, room, self._limits),
            ):
                entries.append(read[0])
                yield read
            if memory is not None and plan.digest:
                memory.note(source.digest, KnownLayer(entries, {}, pieces.passed))
            return
        again: list[Entry] = []

        def read_again(paths: Collection[str]) -> Iterator[Read]:
            for read in self._part(source, known, paths, plan, room):
                again.append(read[0])
                yield read

        yield from told_again(known, plan, room, memory.content, read_again)
        if again and plan.digest:
            memory.note(source.digest, with_new_digests(known, again))

    def _part(
        self,
        source: PulledLayer,
        known: KnownLayer,
        paths: Collection[str],
        plan: ScanPlan,
        room: Room,
    ) -> Iterator[Read]:
        """Yield what is at some paths of a known layer; pull no more of it than that takes."""
        pieces, left = Checked(source()), set(paths)
        small = {e.path for e in known.entries if e.path in left and e.size <= _SMALL}
        keeping = replace(plan, retain=lambda path: path in small or plan.retain(path))
        read = read_members(
            decompressed(pieces, self.reference), self.reference, keeping, room, only=paths
        )
        for each in read:
            yield each
            left.discard(each[0].path)
            if not left:
                break
        if not pieces.is_beginning(known.checks):
            raise RegistryError(
                f"blob {source.digest} does not match its digest", where=self.reference
            )

    def _fetch(self, path: str) -> Iterator[Member]:
        entry = self._tree.entries.get(path)
        if entry is not None and entry.type is EntryType.HARDLINK:
            entry = self._tree.entries.get(entry.target)
        content = None
        if self._memory is not None and entry is not None and entry.sha256:
            content = self._memory.content(entry)
        if entry is not None and content is not None:
            yield Member(entry._replace(path=path), iter((content,)))
            return
        if self._memory is not None:
            self._memory.fetched(path)
        yield from super()._fetch(path)

    def _find(self, source: Callable[[], Iterator[bytes]], path: str) -> Member | None:
        if self._memory is not None and isinstance(source, PulledLayer):
            known = self._memory.layer(source.digest)
            if known is not None and path not in known.paths:
                return None
        return super()._find(source, path)

    def close(self) -> None:
        """Release the connections."""
        super().close()
        self._repository.close()
        if self._shelf is not shared_shelf():
            self._shelf.close()


def connect(operand: str) -> OciTarget:
    """Return the image ``//HOST/REPOSITORY:TAG`` of a registry, or ``PATH[:TAG]`` on disk.

    Of several images, it is the one for this architecture.  Raise RegistryError when the registry
    does not have it, TargetError when it is no image.
    """
    if not operand.startswith("//"):
        return OciTarget.connect(operand)
    reference = Reference.parse(f"{PREFIX}{operand.removeprefix('//')}")
    repository = Repository.open(reference)
    try:
        return of_manifest(repository, repository.manifest())
    except BaseException:
        repository.close()
        raise


def of_manifest(repository: Repository, manifest: Manifest) -> RegistryTarget:
    """Return the image that a manifest, or one of the manifests of an index, describes."""
    reference = str(repository.reference)
    shelf = shared_shelf() or LayerShelf()
    try:
        manifest = _chosen(repository, manifest)
        document = manifest.document
        layers = document["layers"]
        config = document["config"]
        if len(layers) > MOST_LAYERS:
            raise TargetError(f"an image of more than {MOST_LAYERS} layers", where=reference)
        sources = [PulledLayer(repository, shelf, str(e["digest"]), int(e["size"])) for e in layers]
        described = parse_json(repository.document(str(config["digest"]), int(config["size"])))
        if not isinstance(described, dict) or "rootfs" not in described:
            raise TargetError(
                "it holds no image", where=reference, hint="a lock is fetched with `envlock pull`"
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TargetError("the image's manifest is damaged", where=reference) from error
    return RegistryTarget(reference, sources, described, repository, manifest.digest, shelf)


def _chosen(repository: Repository, manifest: Manifest) -> Manifest:
    """Return the manifest of one image, for an index the one for this machine."""
    machine = platform.machine()
    architecture = ARCHITECTURES.get(machine, machine)
    for _ in range(_MOST_INDEXES):
        document = manifest.document
        if "manifests" not in document:
            return manifest
        fitting = [
            e
            for e in document["manifests"]
            if (e.get("platform") or {}).get("architecture") == architecture
        ]
        if not fitting:
            known = sorted(
                {(e.get("platform") or {}).get("architecture", "?") for e in document["manifests"]}
            )
            raise TargetError(
                f"no image for {architecture}, only for {', '.join(map(str, known))}",
                where=str(repository.reference),
            )
        manifest = repository.manifest(str(fitting[0]["digest"]))
    raise RegistryError("indexes in indexes", where=str(repository.reference))
