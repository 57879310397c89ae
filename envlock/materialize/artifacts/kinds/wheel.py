"""Read the members of a wheel (a zip archive, PEP 427)."""

from __future__ import annotations

import base64
import csv
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from envlock.errors import SourceError

_CHUNK = 1024 * 1024


class OpenWheel:
    """A wheel with the digests its RECORD states.

    RECORD is only used to find a member: what is read is verified by the caller.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self._digests = self._read_record()
        except (OSError, zipfile.BadZipFile, EOFError, ValueError, csv.Error) as error:
            raise SourceError(
                f"not a complete wheel: {error}", where=str(path), hint="delete it and retry"
            ) from error

    def find(self, member: str, sha256: str) -> str | None:
        """Return the name of the member with this digest: `member` if it is, else any."""
        if self._digests.get(member) == sha256:
            return member
        return next((name for name, digest in self._digests.items() if digest == sha256), None)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member in pieces of at most 1 MiB."""
        with self._zip.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()

    def _read_record(self) -> Mapping[str, str]:
        names = self._zip.namelist()
        record = next(
            (n for n in names if n.endswith(".dist-info/RECORD") and n.count("/") == 1), ""
        )
        if not record:
            raise EOFError("it has no RECORD")
        rows = csv.reader(self._zip.read(record).decode().splitlines())
        return {
            row[0]: _hex(row[1]) for row in rows if len(row) > 1 and row[1].startswith("sha256=")
        }


def _hex(field: str) -> str:
    """Return the hex of a RECORD digest, URL-safe base64 without padding."""
    text = field.removeprefix("sha256=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
