"""An image in a registry: its layers are streamed from there; no engine is needed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from envlock.errors import RegistryError, TargetError
from envlock.model.document import parse_json
from envlock.registry.client import Manifest, Repository
from envlock.registry.reference import PREFIX, Reference
from envlock.targets.stream.layer_shelf import LayerShelf, shared_shelf
from envlock.targets.stream.oci import ARCHITECTURES, MOST_LAYERS, OciTarget

_MOST_INDEXES = 3
"""How deep an index may name an index."""


class RegistryTarget(OciTarget):
    """One image of a registry; `close` ends its connections."""

    def __init__(
        self,
        reference: str,
        layers: Sequence[Callable[[], Iterator[bytes]]],
        config: Any,
        repository: Repository,
        digest: str,
        shelf: LayerShelf,
    ) -> None:
        """Read `layers`; `shelf` is closed by `close` unless it is shared."""
        super().__init__(reference, layers, config)
        self._shelf = shelf
        self._repository = repository
        self._digest = digest

    def fixed_id(self) -> str:
        """Return the digest of its manifest, which names its layers and its configuration."""
        return f"manifest {self._digest}"

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
        sources = [_source(repository, shelf, str(e["digest"]), int(e["size"])) for e in layers]
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


def _source(
    repository: Repository, shelf: LayerShelf, digest: str, size: int
) -> Callable[[], Iterator[bytes]]:
    return lambda: shelf.layer(digest, size, lambda: repository.blob(digest, size))
