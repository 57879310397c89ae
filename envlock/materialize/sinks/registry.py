"""Push an image to a registry; layers that it has are not sent again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envlock.errors import TargetNameError
from envlock.materialize.image.description import Built
from envlock.materialize.image.oci import blob_path
from envlock.model.document import parse_json
from envlock.reading import MAX_DOCUMENT, read_file
from envlock.registry.client import OCI_MANIFEST, Repository
from envlock.registry.reference import Reference
from envlock.registry.transport import Body
from envlock.registry.uploads import Sent, put_blob


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySink:
    """One tag of a registry."""

    reference: Reference
    directory: None = None

    def deliver(self, layout: Path, built: Built) -> str:
        """Send configuration and layers, then the manifest, whose digest is that of `built`.

        Raise RegistryError when the registry refuses it, or holds something else afterwards.
        """
        manifest = read_file(blob_path(layout, built.manifest_digest), MAX_DOCUMENT)
        document: dict[str, Any] = parse_json(manifest)
        sent = 0
        with closing(Repository.open(self.reference)) as repository:
            for part in (document["config"], *document["layers"]):
                path = blob_path(layout, part["digest"])
                done = put_blob(repository, part["digest"], Body(part["size"], _opener(path)))
                sent += part["size"] if done is Sent.UPLOADED else 0
            repository.put_manifest(manifest, OCI_MANIFEST, self.reference.tag)
        return f"pushed {self.reference}@{built.manifest_digest} ({sent:,} bytes sent)"


def _opener(path: Path) -> Any:
    return lambda: path.open("rb")


def open_sink(value: str, _tag: str) -> RegistrySink:
    """Return the sink for an option's value; see `SinkRow.open`.

    Raise TargetNameError when the value is no reference to a tag of a registry.
    """
    reference = Reference.parse(value)
    if reference.digest:
        raise TargetNameError("an image is pushed to a tag, not to a digest", where=value)
    return RegistrySink(reference=reference)
