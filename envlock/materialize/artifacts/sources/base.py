"""The seam of artifact sources."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.model.lock import Lock

Tell = Callable[[str], None]
"""Takes one line that a source wants a person to read, for example a message of apt."""


class UnreachableSourceError(SourceError):
    """Nothing of a source answers: there is no network, no such host, no connection."""


class NothingListedError(SourceError):
    """What a source keeps on this machine says that it has nothing; the network was not asked."""


class ArtifactSource(Protocol):
    """Somewhere to get artifacts from.

    A source gives files; whoever asks it verifies their digests.
    """

    @property
    def name(self) -> str:
        """Return its name in messages."""

    @property
    def is_local(self) -> bool:
        """True when it never uses the network."""

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Return the path of each artifact it has; new files are written to `into`.

        Artifacts it does not have are left out, those of other kinds too.  `tell` is given what
        its programs say about failures.  Raise SourceError only when the source as a whole fails,
        `UnreachableSourceError` when nothing answers, `NothingListedError` when nothing was asked.
        """


def own_place(artifact: Artifact, into: Path) -> Path:
    """Return a path below `into` for a download, which no other artifact of its name has.

    Raise OSError.
    """
    return Path(tempfile.mkdtemp(dir=into)) / artifact.filename


def tell_failures(
    failures: Sequence[SourceError], found: Mapping[Artifact, Path], tell: Tell
) -> None:
    """Tell what failed for single packages.

    Raise the first failure where nothing was had: one without any answer if there is such.
    """
    if failures and not found:
        raise next((e for e in failures if isinstance(e, UnreachableSourceError)), failures[0])
    for failure in failures:
        tell(failure.message)


class SourceRequest(NamedTuple):
    """What the sources of one kind of artifact are set up from.

    `wanted` are the artifacts of that kind, `cache` is the store's cache directory, and `mirrors`
    are URLs from the settings.
    """

    lock: Lock
    wanted: Sequence[Artifact]
    cache: Path
    mirrors: Sequence[str] = ()
