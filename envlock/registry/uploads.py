"""Upload a blob to a repository: skipped where it is there, mounted where it may be, else sent.

One PUT with the whole content is tried first.  Only where that fails is it sent in chunks, the last
one with the closing PUT, since some registries refuse an empty one.  Source: OCI distribution-spec
1.1, "Pushing blobs".
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol
from urllib.parse import urljoin, urlsplit

from envlock.errors import RegistryError
from envlock.registry.client import Repository, digest_of
from envlock.registry.tokens import scope_of
from envlock.registry.transport import Answer, Body

CHUNK = 8 * 1024 * 1024
"""Size of a chunk in bytes; a registry's ``OCI-Chunk-Min-Length`` makes it larger."""
LARGEST_CHUNK = 64 * 1024 * 1024
MOST_REFUSALS = 2
"""After so many blobs that were not mounted where they were known to be, none is tried any more."""
MOST_STARTS = 3
"""How often an upload begins anew after it was lost."""

_MORE_PATIENCE = frozenset({408, 413, 500, 502, 503, 504})
"""Answers to a whole blob after which chunks may work."""
_STORED = frozenset({201, 204, 200})
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})\Z")


class Sent(StrEnum):
    """What became of a blob."""

    PRESENT = "present"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


def put_blob(
    repository: Repository,
    digest: str,
    body: Body,
    *,
    mount_from: Iterable[str] = (),
    chunk: int = CHUNK,
) -> Sent:
    """Make sure that a repository holds a blob; say whether anything had to be sent.

    `mount_from` are repositories of the same host that may hold it, `chunk` is the size in bytes of
    the chunks that it is sent in where it must be.  Raise RegistryError when the
    registry refuses it, or holds something of another size afterwards.
    """
    if repository.size_of(digest) == body.size:
        return Sent.PRESENT
    for other in mount_from:
        if mount(repository, digest, other) and repository.size_of(digest) == body.size:
            return Sent.MOUNTED
    failure: RegistryError | None = None
    for _ in range(MOST_STARTS):
        try:
            _send(repository, digest, body, chunk)
        except _LostUploadError as error:
            failure = error
            continue
        if repository.size_of(digest) != body.size:
            raise RegistryError(f"the registry does not hold {digest} after its upload")
        return Sent.UPLOADED
    raise RegistryError(
        f"the upload of {digest} was lost {MOST_STARTS} times",
        where=repository.where,
        hint="push again: what was stored is not sent again",
    ) from failure


class _LostUploadError(RegistryError):
    """An upload that the registry no longer knows, or that makes no progress."""


class Uploads(NamedTuple):
    """How many blobs were sent, mounted or there, the bytes that were sent, and whose they are."""

    counts: Mapping[str, int]
    sent_bytes: int
    sent: frozenset[str] = frozenset()


class Places(Protocol):
    """What is known of which repositories of a host have which blobs."""

    def others(self, repository: str, digest: str) -> Sequence[str]:
        """Return repositories other than this that may have a blob."""

    def note(self, repository: str, digests: Collection[str]) -> None:
        """Note that a repository has blobs."""


def put_blobs(
    repository: Repository, blobs: Iterable[tuple[str, Body]], places: Places | None = None
) -> Uploads:
    """Make sure that a repository holds blobs, given by digest and content; see `put_blob`.

    A blob that another repository of the host is known to have is mounted.  After a few refusals no
    more is tried: some registries never mount, or not for this user.
    """
    counts: Counter[str] = Counter()
    sent: dict[str, int] = {}
    there: set[str] = set()
    refused, name = 0, repository.reference.repository
    for digest, body in blobs:
        others = places.others(name, digest) if places and refused < MOST_REFUSALS else ()
        done = put_blob(repository, digest, body, mount_from=others)
        counts[done.value] += 1
        there.add(digest)
        if done is Sent.UPLOADED:
            sent[digest] = body.size
            refused += bool(others)
    if places:
        places.note(name, there)
    return Uploads(counts, sum(sent.values()), frozenset(sent))


def mount(repository: Repository, digest: str, other: str) -> bool:
    """Take a blob over from another repository of this host; False where that is refused."""
    own = scope_of(repository.reference.repository, "pull,push")
    path = f"blobs/uploads/?mount={digest}&from={other}"
    try:
        answer = repository.call("POST", path, scopes=(own, scope_of(other, "pull")))
    except RegistryError:
        return False
    if answer.status == 202:  # it opened an upload instead
        repository.call("DELETE", upload_location(answer), actions="pull,push", tries=1)
    return answer.status == 201


def _send(repository: Repository, digest: str, body: Body, chunk: int) -> None:
    try:
        answer = repository.call(
            "PUT",
            _closing(_begin(repository), digest),
            headers={"Content-Type": "application/octet-stream"},
            body=body,
            actions="pull,push",
            tries=1,
        )
    except RegistryError:
        answer = None
    if answer is not None and answer.status in _STORED:
        return
    if answer is not None and answer.status not in _MORE_PATIENCE and answer.status != 404:
        raise repository.refused(answer, f"blob {digest} was not accepted")
    if repository.size_of(digest) == body.size:
        return  # stored, though the answer was lost
    _send_chunks(repository, digest, body, chunk)


def _send_chunks(repository: Repository, digest: str, body: Body, chunk: int) -> None:
    """Send a blob in chunks.  Raise `_LostUploadError` when it must begin anew."""
    answer = _started(repository)
    size = _chunk_size(answer, chunk)
    location, at, stuck = upload_location(answer), 0, 0
    with body.open() as stream:
        while body.size - at > size:
            answer = _patch(repository, location, stream, at, size)
            if answer.status not in (201, 202, 204, 416):
                raise _LostUploadError("the registry lost the upload", where=repository.where)
            location = upload_location(answer, location)
            reached = _reached(answer, at + size)
            stuck = stuck + 1 if reached <= at else 0
            if stuck > 1 or reached > body.size:
                raise _LostUploadError("the upload makes no progress", where=repository.where)
            at = reached
        last = _slice(stream, at, body.size - at)
        answer = repository.call(
            "PUT",
            _closing(location, digest),
            headers=_chunk_headers(at, last.size),
            body=last,
            actions="pull,push",
            tries=1,
        )
    if answer.status not in _STORED:
        raise _LostUploadError(f"the upload was refused ({answer.status})", where=repository.where)


def put_in_chunks(repository: Repository, begun: Answer, content: bytes, size: int) -> Answer:
    """Send content as one chunk of `size` bytes and the rest; return the last answer.

    That is an answer of another status than 201, 202 or 204 where something was not accepted.
    """
    body = Body.of(content)
    location = upload_location(begun)
    with body.open() as stream:
        answer = repository.call(
            "PATCH",
            location,
            headers=_chunk_headers(0, size),
            body=_slice(stream, 0, size),
            actions="pull,push",
            tries=1,
        )
        if answer.status not in (201, 202, 204):
            return answer
        rest = _slice(stream, size, body.size - size)
    return repository.call(
        "PUT",
        _closing(upload_location(answer, location), digest_of(content)),
        headers=_chunk_headers(size, rest.size),
        body=rest,
        actions="pull,push",
        tries=1,
    )


def _patch(repository: Repository, location: str, stream: BinaryIO, at: int, size: int) -> Answer:
    """Send one chunk; where the connection breaks, ask how far the upload came."""
    try:
        answer = repository.call(
            "PATCH",
            location,
            headers=_chunk_headers(at, size),
            body=_slice(stream, at, size),
            actions="pull,push",
            tries=1,
        )
        if answer.status != 416:
            return answer
    except RegistryError:
        pass
    return repository.call("GET", location, actions="pull,push")


def _begin(repository: Repository) -> str:
    return upload_location(_started(repository))


def _started(repository: Repository) -> Answer:
    """Open an upload.  Raise RegistryError when this user may not, or the name is unknown."""
    answer = repository.call("POST", "blobs/uploads/", actions="pull,push")
    if answer.status != 202:
        raise repository.refused(answer, "cannot upload")
    return answer


def upload_location(answer: Answer, default: str = "") -> str:
    """Return where an upload goes on: relative addresses are those of the request."""
    location = answer.headers.get("location", "")
    if not location and not default:
        raise RegistryError("the registry names no place for the upload")
    return urljoin(answer.url, location) if location else default


def _closing(location: str, digest: str) -> str:
    return f"{location}{'&' if urlsplit(location).query else '?'}digest={digest}"


def _chunk_size(answer: Answer, chunk: int) -> int:
    least = answer.headers.get("oci-chunk-min-length", "")
    return max(chunk, min(int(least[:12]) if least.isdecimal() else 0, LARGEST_CHUNK))


def _reached(answer: Answer, expected: int) -> int:
    """Return the offset that the upload came to: the server's word, not our own count."""
    match = _RANGE.match(answer.headers.get("range", ""))
    if match is None:
        return expected if answer.status in (201, 202, 204) else 0
    end = int(match[1])
    return end + 1 if end else 0


def _chunk_headers(at: int, size: int) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Range": f"{at}-{at + size - 1}",
    }


def _slice(stream: BinaryIO, at: int, size: int) -> Body:
    stream.seek(at)
    content = stream.read(size)
    if len(content) != size:
        raise RegistryError("the file to upload became shorter")
    return Body(size, lambda: io.BytesIO(content))
