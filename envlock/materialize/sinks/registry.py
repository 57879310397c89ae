"""Push an image to a registry; layers that it has are not sent again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import TargetNameError
from envlock.materialize.image.description import Built
from envlock.materialize.image.travel import image_blobs
from envlock.registry.client import OCI_MANIFEST, Repository
from envlock.registry.reference import Reference
from envlock.registry.transport import Body
from envlock.registry.uploads import Places, Sent, put_blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySink:
    """One tag of a registry; `places` says which of its repositories have which blobs."""

    reference: Reference
    places: Places | None = None
    directory: None = None

    def deliver(self, layout: Path, built: Built) -> str:
        """Send configuration and layers, then the manifest, whose digest is that of `built`.

        Raise RegistryError when the registry refuses it, or holds something else afterwards.
        """
        manifest, *parts = image_blobs(layout, built.manifest_digest)
        tag, sent, mounted = self.reference.tag, 0, 0
        with closing(Repository.open(self.reference)) as repository:
            if repository.digest(tag) != manifest.digest:
                blobs = ((part.digest, Body(part.size, part.open)) for part in parts)
                done = put_blobs(repository, blobs, self.places)
                sent, mounted = done.sent_bytes, done.counts.get(Sent.MOUNTED.value, 0)
                with manifest.open() as stream:
                    repository.put_manifest(stream.read(), OCI_MANIFEST, tag)
        more = f", {mounted} layers from other repositories of the host" if mounted else ""
        return f"pushed {self.reference}@{manifest.digest} ({sent:,} bytes sent{more})"


def open_sink(value: str, _tag: str) -> RegistrySink:
    """Return the sink for an option's value; see `SinkRow.open`.

    Raise TargetNameError when the value is no reference to a tag of a registry.
    """
    reference = Reference.parse(value)
    if reference.digest:
        raise TargetNameError("an image is pushed to a tag, not to a digest", where=value)
    return RegistrySink(reference=reference)
