"""Packages at addresses that follow from what they are: archives of releases, servers of a company.

An address is a template with fields in braces: ``{filename}``, ``{scheme}``, and what the kind
knows of a package, such as ``{name}``, ``{version}``, ``{arch}``, ``{source}``, ``{sha256}``.  For
the pools of Debian there are ``{prefix}``, the directory above that of a source package (its
first letter, or four of a library), and ``{noepoch}``, the version as files
in a pool have it; for the archive of Arch ``{letter}``, the first letter of the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import (
    Tell,
    UnreachableSourceError,
    own_place,
    tell_failures,
)
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.verify import is_locked_file

_FIELD = re.compile(r"\{([a-z0-9]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSource:
    """One template of addresses."""

    template: str
    downloads: Downloads
    is_local: bool = False

    @property
    def name(self) -> str:
        """The template."""
        return self.template

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download packages; one for which a field is not known is passed over.

        What fails for one package is told.  Raise SourceError when nothing was had and the server
        failed, `UnreachableSourceError` when it does not answer.
        """
        found: dict[Artifact, Path] = {}
        failures: list[SourceError] = []
        for artifact in wanted:
            url = address(self.template, artifact)
            if not url:
                continue
            path = own_place(artifact, into)
            is_right = partial(is_locked_file, artifact) if artifact.proofs else None
            try:
                if self.downloads.file(url, path, is_right):
                    found[artifact] = path
            except UnreachableSourceError:
                if not found:
                    raise
                break
            except SourceError as error:
                failures.append(error)
        tell_failures(failures, found, tell)
        return found


def address(template: str, artifact: Artifact) -> str:
    """Return the address of a package, empty where the template has a field that it lacks.

    >>> from envlock.materialize.artifacts.kinds.deb import Deb
    >>> deb = Deb("libx1", "1:2-3", "amd64", "libx")
    >>> address("https://example.org/pool/{prefix}/{source}/{name}_{noepoch}_{arch}.deb", deb)
    'https://example.org/pool/libx/libx/libx1_2-3_amd64.deb'
    """
    known: dict[str, Any] = dict(cast("Any", artifact)._asdict())
    known |= {"filename": artifact.filename, "scheme": artifact.scheme}
    source = str(known.get("source") or known.get("name") or "")
    known["prefix"] = source[:4] if source.startswith("lib") else source[:1]
    known["letter"] = str(known.get("name") or "")[:1]
    known["noepoch"] = str(known.get("version") or "").rpartition(":")[2]
    if not all(known.get(field) for field in _FIELD.findall(template)):
        return ""
    return _FIELD.sub(lambda match: quote(str(known[match[1]]), safe=""), template)
