"""Packages that `envlock vendor` sent to a registry: the blobs of one manifest, with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import LockfileError, RegistryError, SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import (
    Tell,
    UnreachableSourceError,
    own_place,
)
from envlock.materialize.artifacts.sources.download import LARGEST_PACKAGE
from envlock.materialize.artifacts.verify import is_locked_file
from envlock.registry.client import Repository
from envlock.registry.reference import Reference
from envlock.registry.transport import NoAnswerError
from envlock.store.kept_blobs import kept_blob
from envlock.store.manifests import Described, parse_packages


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySource:
    """One tag of a registry.

    What was received of a large package stays in `partial`, if given, when this run is killed.
    """

    reference: Reference
    partial: Path | None = None
    is_local: bool = False

    @property
    def name(self) -> str:
        """The reference."""
        return str(self.reference)

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that the manifest lists, each verified by its digest.

        What is wrong with one of them is told, and the others are downloaded.
        """
        found: dict[Artifact, Path] = {}
        try:
            with closing(Repository.open(self.reference)) as repository:
                packages = parse_packages(repository.manifest().content, self.name)
                for artifact in wanted:
                    for package in packages_of(artifact, packages):
                        path = own_place(artifact, into)
                        is_there = self._download(repository, package, path, tell)
                        if is_there and is_locked_file(artifact, path):
                            found[artifact] = path
                            break
                        path.unlink(missing_ok=True)
        except NoAnswerError as error:
            raise UnreachableSourceError(error.message) from error
        except (RegistryError, LockfileError) as error:
            raise SourceError(error.message) from error
        return found

    def _download(self, repository: Repository, package: Described, path: Path, tell: Tell) -> bool:
        """Write a package to a file; False, and the reason told, when it is damaged or missing."""
        if package.size > LARGEST_PACKAGE:
            tell(f"{package.name or package.digest}: it has more than {LARGEST_PACKAGE:,} bytes")
            return False
        try:
            with path.open("wb") as stream:
                stream.writelines(self._pieces(repository, package))
        except NoAnswerError:
            raise
        except RegistryError as error:
            tell(f"{package.name or package.digest}: {error.message}")
            return False
        return True

    def _pieces(self, repository: Repository, package: Described) -> Iterator[bytes]:
        if self.partial is None:
            return repository.blob(package.digest, package.size)
        return kept_blob(repository, package.digest, package.size, self.partial)


def packages_of(artifact: Artifact, packages: Sequence[Described]) -> list[Described]:
    """Return the package with the SHA-256 of an artifact, without one all that have its name."""
    if any(proof.startswith("sha256:") for proof in artifact.proofs):
        return [each for each in packages if each.digest in artifact.proofs][:1]
    return [each for each in packages if artifact.is_named(each.name)]
