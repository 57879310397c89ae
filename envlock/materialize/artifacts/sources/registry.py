"""Packages that `envlock vendor` sent to a registry: the blobs of one manifest, with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import LockfileError, RegistryError, SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import Tell, UnreachableSourceError
from envlock.registry.client import Repository
from envlock.registry.reference import Reference
from envlock.registry.transport import NoAnswerError
from envlock.store.shipment import Described, parse_packages


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySource:
    """One tag of a registry."""

    reference: Reference
    is_local: bool = False

    @property
    def name(self) -> str:
        """The reference."""
        return str(self.reference)

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that the manifest lists, each verified by its digest."""
        found: dict[Artifact, Path] = {}
        try:
            with closing(Repository.open(self.reference)) as repository:
                packages = parse_packages(repository.manifest().content, self.name)
                for artifact in wanted:
                    package = package_of(artifact, packages)
                    if package is not None:
                        found[artifact] = _download(repository, package, into / artifact.filename)
        except NoAnswerError as error:
            raise UnreachableSourceError(error.message) from error
        except (RegistryError, LockfileError) as error:
            if not found:
                raise SourceError(error.message) from error
            tell(error.message)
        return found


def package_of(artifact: Artifact, packages: Sequence[Described]) -> Described | None:
    """Return the package with the digest of an artifact, or with its name without SHA-256."""
    if any(proof.startswith("sha256:") for proof in artifact.proofs):
        return next((each for each in packages if each.digest in artifact.proofs), None)
    return next((each for each in packages if artifact.is_named(each.name)), None)


def _download(repository: Repository, package: Described, path: Path) -> Path:
    with path.open("wb") as stream:
        for piece in repository.blob(package.digest, package.size):
            stream.write(piece)
    return path
