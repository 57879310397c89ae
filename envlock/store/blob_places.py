"""Which repositories of a registry are known to have a blob, so that it need not be sent again.

A file of the store's cache for each host, with a line for each blob and repository, the last ones
first.  It may be wrong or deleted: a registry that does not have what it says gets the blob.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice

from envlock.reading import read_file
from envlock.store.disk import store_errors
from envlock.store.objects import Store
from envlock.writing import replace_file

MOST_PLACES = 50_000
"""Most blobs of a host that are known, each counted for every repository; the oldest go first."""
MOST_TRIED = 2
"""Most repositories that one blob is asked of."""

_FOLDER = "blob-places"
_LARGEST = 32 * 1024 * 1024
_LINE = re.compile(r"(sha256:[0-9a-f]{64}) ([a-z0-9][a-z0-9._/-]{0,254})\Z")


class BlobPlaces:
    """The blobs of one host."""

    def __init__(self, store: Store, host: str) -> None:
        name = hashlib.sha256(host.encode()).hexdigest()[:32]
        self._path = store.cache / _FOLDER / name
        self._places: dict[str, list[str]] = defaultdict(list)
        for digest, repository in self._read():
            self._places[digest].append(repository)

    def others(self, repository: str, digest: str) -> list[str]:
        """Return repositories other than this that are known to have a blob, the last one first."""
        found = self._places.get(digest, ())
        return [each for each in found if each != repository][:MOST_TRIED]

    def note(self, repository: str, digests: Collection[str]) -> None:
        """Note that a repository has blobs.  Raise StoreError."""
        if all(repository in self._places.get(digest, ()) for digest in digests):
            return
        new = [(digest, repository) for digest in sorted(digests)]
        old = (pair for pair in self._read() if pair[1] != repository or pair[0] not in digests)
        lines = [f"{digest} {name}\n" for digest, name in (*new, *old)]
        with store_errors(self._path):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            replace_file(self._path, "".join(lines[:MOST_PLACES]).encode())
        for digest in digests:
            self._places[digest].insert(0, repository)

    def _read(self) -> Iterator[tuple[str, str]]:
        lines: list[str] = []
        with suppress(OSError):
            lines = read_file(self._path, _LARGEST).decode("ascii", "replace").splitlines()
        for match in map(_LINE.match, islice(lines, MOST_PLACES)):
            if match:
                yield match[1], match[2]
