"""One repository of a registry: blobs and manifests, verified both ways.

Source: OCI distribution-spec 1.1.  What a server says about content is not believed: bytes are
hashed while they are received, and a manifest is read back after it was sent.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, NamedTuple

from envlock.errors import ManifestRefusedError, RegistryError
from envlock.model.document import parse_json
from envlock.registry.credentials import Credentials, find_credentials
from envlock.registry.reference import Reference, is_digest
from envlock.registry.tokens import Authorizer, scope_of
from envlock.registry.transport import (
    ANSWER_LIMIT,
    MOST_TRIES,
    NO_BODY,
    Answer,
    Body,
    HostSettings,
    Transport,
)

PIECE = 1024 * 1024
MOST_RESUMES = 3
"""How often a download goes on where the connection broke."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
ACCEPTED = (
    OCI_MANIFEST,
    OCI_INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_OTHER_FORM = frozenset({405, 406, 415, 422})
"""Answers by which registries that know only images refuse a manifest without naming a code."""
_FORM_CODES = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})


class Manifest(NamedTuple):
    """A manifest as it was received: its bytes, its digest, its media type."""

    content: bytes
    digest: str
    media_type: str

    @property
    def document(self) -> Mapping[str, Any]:
        """The parsed document.  Raise RegistryError when it is no JSON object."""
        try:
            found = parse_json(self.content)
        except ValueError as error:
            raise RegistryError("the manifest is not JSON", where=self.digest) from error
        if not isinstance(found, dict):
            raise RegistryError("the manifest is not an object", where=self.digest)
        return found


class Repository:
    """One repository; connections, tokens and what was learnt of the server are shared.

    Use `Repository.open`; close it after use.
    """

    def __init__(
        self, reference: Reference, transport: Transport, credentials: Credentials
    ) -> None:
        self.reference = reference
        self._transport = transport
        self._authorizer = Authorizer(transport, credentials)
        self._base = ""

    @classmethod
    def open(
        cls,
        reference: Reference,
        environ: Mapping[str, str] | None = None,
        settings: HostSettings | None = None,
    ) -> Repository:
        """Return the repository of a reference, with the credentials of this user."""
        environ = dict(os.environ) if environ is None else environ
        if settings is None:
            settings = HostSettings.of_host(reference.host, is_plain=reference.is_loopback)
        transport = Transport(host=reference.host, settings=settings, environ=environ)
        found = find_credentials(reference.host, reference.repository, environ)
        return cls(reference, transport, found)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    # Manifests

    def manifest(self, wanted: str = "") -> Manifest:
        """Return the manifest of a tag or digest, by default that of the reference.

        Raise RegistryError when there is none, or when it has another digest than `wanted`.
        """
        wanted = wanted or self.reference.wanted
        answer = self.call("GET", f"manifests/{wanted}", headers={"Accept": ", ".join(ACCEPTED)})
        if answer.status != 200:
            raise self.refused(answer, f"there is no {wanted}")
        digest = digest_of(answer.content)
        if is_digest(wanted) and digest != wanted:
            raise RegistryError("the manifest does not match its digest", where=wanted)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Manifest(answer.content, digest, media_type)

    def digest(self, tag: str) -> str:
        """Return the digest of a tag, empty where there is none; the manifest is not verified."""
        headers = {"Accept": ", ".join(ACCEPTED)}
        answer = self.call("HEAD", f"manifests/{tag}", headers=headers)
        found = answer.headers.get("docker-content-digest", "")
        if answer.status != 200:
            return ""
        return found if is_digest(found) else self.manifest(tag).digest

    def put_manifest(self, content: bytes, media_type: str, tag: str = "") -> str:
        """Store a manifest by its digest, and under a tag if given; return its digest.

        What it refers to must be there.  It is read back: raise RegistryError when the server
        holds other bytes, ManifestRefusedError when it takes none of this form.
        """
        digest = digest_of(content)
        answer = self.call(
            "PUT",
            f"manifests/{tag or digest}",
            headers={"Content-Type": media_type},
            body=Body.of(content),
            actions="pull,push",
        )
        if _refuses_form(answer):
            error = self.refused(answer, "the manifest was not accepted")
            raise ManifestRefusedError(error.message, where=self.where, hint=error.hint)
        if answer.status not in (201, 200, 204):
            raise self.refused(answer, "the manifest was not accepted")
        if self.manifest(tag or digest).digest != digest:
            raise RegistryError("the registry holds another manifest than was sent", where=tag)
        return digest

    # Blobs

    def size_of(self, digest: str) -> int | None:
        """Return the size of a blob in bytes, None where the registry does not have it."""
        answer = self.call("HEAD", f"blobs/{digest}")
        if answer.status == 200:
            text = answer.headers.get("content-length", "")
            return int(text[:18]) if text.isdecimal() else 0
        if answer.status in (404, 400):
            return None
        raise self.refused(answer, f"cannot ask for {digest}")

    def blob(self, digest: str, size: int, before: Iterable[bytes] = ()) -> Iterator[bytes]:
        """Yield the content of a blob; where a connection breaks, go on from there.

        `before` is what was received of it earlier; what follows that is yielded.  Raise
        RegistryError when it has another size, or at its end when its digest is wrong.
        """
        hashed, received = hashlib.sha256(), 0
        for piece in before:
            hashed.update(piece)
            received += len(piece)
        for attempt in range(MOST_RESUMES + 1):
            if received == size and received:
                break
            is_last = attempt == MOST_RESUMES
            for piece in self._pieces(digest, received, is_last=is_last):
                received += len(piece)
                if received > size:
                    raise RegistryError(f"blob {digest} is larger than stated", where=self.where)
                hashed.update(piece)
                yield piece
            if received == size:
                break
        if received != size:
            raise RegistryError(f"blob {digest} ended early", where=self.where)
        if hashed.hexdigest() != digest.removeprefix("sha256:"):
            raise RegistryError(f"blob {digest} does not match its digest", where=self.where)

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        """Return a part of a blob, fewer bytes at its end; nothing of it is verified."""
        headers = {"Range": f"bytes={offset}-{offset + size - 1}"}
        with closing(self._open(f"blobs/{digest}", headers)) as response:
            if response.status == 416:
                return b""
            if response.status not in (200, 206):
                raise self.refused(Answer(response.status, {}, b"", ""), f"there is no {digest}")
            return self._part(response, offset if response.status == 200 else 0, size)

    def _part(self, response: Any, skip: int, size: int) -> bytes:
        """Return the next bytes of a response after those to skip, which are not kept."""
        from urllib3.exceptions import HTTPError

        content = b""
        try:
            while len(content) < size and (
                piece := response.read(min(PIECE, skip or size - len(content)))
            ):
                content += b"" if skip else piece
                skip -= min(skip, len(piece))
        except (HTTPError, OSError) as error:
            raise RegistryError("the connection broke", where=self.where) from error
        return content

    def document(self, digest: str, size: int) -> bytes:
        """Return the content of a small blob, verified."""
        if size > ANSWER_LIMIT:
            raise RegistryError(f"blob {digest} is too large", where=self.where)
        return b"".join(self.blob(digest, size))

    def _pieces(self, digest: str, start: int, *, is_last: bool) -> Iterator[bytes]:
        """Yield the content of a blob from an offset on, up to where the connection breaks."""
        from urllib3.exceptions import HTTPError

        headers = {"Range": f"bytes={start}-"} if start else {}
        with closing(self._open(f"blobs/{digest}", headers)) as response:
            if response.status not in (200, 206):
                told = b""
                with suppress(HTTPError, OSError):  # what is said of a refusal may be cut
                    told = response.read(PIECE) or b""
                answer = Answer(response.status, {}, told, "")
                raise self.refused(answer, f"there is no blob {digest}")
            skip = start if response.status == 200 else 0
            try:
                while piece := response.read(PIECE):
                    yield piece[skip:]
                    skip = max(0, skip - len(piece))
            except (HTTPError, OSError) as error:
                if is_last:
                    raise RegistryError(
                        f"the connection broke while blob {digest} was read", where=self.where
                    ) from error

    # Requests

    @property
    def where(self) -> str:
        """What messages name: the host and the repository."""
        return f"{self.reference.host}/{self.reference.repository}"

    @property
    def base(self) -> str:
        """The URL of the registry: with TLS, or plain where that is allowed and nothing else is."""
        if not self._base:
            self._base = self._find_base()
        return self._base

    @property
    def authentication(self) -> str:
        """How the registry wants to be asked, ``bearer`` or ``basic``; empty for anybody."""
        return self._authorizer.scheme

    def _find_base(self) -> str:
        address = f"{self.reference.host}/v2/"
        if self._transport.settings.is_plain:
            with suppress(RegistryError):
                return self._greet("https", address, tries=1)
            return self._greet("http", address)
        return self._greet("https", address)

    def _greet(self, scheme: str, address: str, tries: int = MOST_TRIES) -> str:
        """Return the URL of the registry if it answers; learn how it wants to be asked."""
        answer = self._transport.request("GET", f"{scheme}://{address}", tries=tries)
        if answer.status == 401:
            self._authorizer.learn(answer, ())
        return f"{scheme}://{self.reference.host}"

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = NO_BODY,
        actions: str = "pull",
        scopes: tuple[str, ...] = (),
        tries: int = MOST_TRIES,
    ) -> Answer:
        """Send a request, authorized; `path` is one below the repository, or a whole URL."""
        url = path if "://" in path else f"{self.base}/v2/{self.reference.repository}/{path}"
        scopes = scopes or (scope_of(self.reference.repository, actions),)
        is_again = False
        while True:
            answer = self._transport.request(
                method,
                url,
                headers={**self._authorization(url, scopes), **(headers or {})},
                body=body,
                tries=tries,
            )
            if answer.status != 401 or is_again or not self._authorizer.learn(answer, scopes):
                return answer
            is_again = True

    def _open(self, path: str, headers: Mapping[str, str]) -> Any:
        """Open a response of the repository, authorized; its body is still to be read."""
        url = f"{self.base}/v2/{self.reference.repository}/{path}"
        scopes = (scope_of(self.reference.repository, "pull"),)
        for _ in range(2):
            response = self._transport.open(
                "GET", url, headers={**self._authorization(url, scopes), **headers}
            )
            if response.status != 401:
                break
            named = {str(k).lower(): str(v) for k, v in response.headers.items()}
            if not self._authorizer.learn(Answer(401, named, b"", url), scopes):
                break
            response.close()
        return response

    def _authorization(self, url: str, scopes: tuple[str, ...]) -> Mapping[str, str]:
        """Return the header for a request, none for another host than the registry's."""
        return self._authorizer.header(scopes) if url.startswith(f"{self.base}/") else {}

    def refused(self, answer: Answer, what: str) -> RegistryError:
        """Return the error for an answer that is none of the expected ones."""
        told = _errors(answer.content)
        hint = ""
        if answer.status in (401, 403):
            hint = f"run `docker login {self.reference.host}` with an account that may do this"
        elif answer.status == 404:
            hint = "look at the names of repository and tag; some registries want it made first"
        text = f"{what} ({answer.status}{f': {told}' if told else ''})"
        return RegistryError(text, where=self.where, hint=hint)


def digest_of(content: bytes) -> str:
    """Return the digest of bytes, ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _refuses_form(answer: Answer) -> bool:
    """True when a registry says of a manifest that it takes none of this form.

    What else it refuses, an unknown repository or a blob that is not there, has codes of its own.
    """
    codes = error_codes(answer)
    if codes:
        return answer.status in {400, *_OTHER_FORM} and codes <= _FORM_CODES
    return answer.status in _OTHER_FORM


def error_codes(answer: Answer) -> set[str]:
    """Return the codes of the errors that a registry names, of its error document."""
    return {code for code, _ in _told(answer.content) if code}


def _errors(content: bytes) -> str:
    """Return the codes and messages that a registry's error document has, on one line."""
    texts = [f"{code} {message}".strip() for code, message in _told(content)[:3]]
    return " ".join("; ".join(texts).split())[:300]


def _told(content: bytes) -> list[tuple[str, str]]:
    """Return the code and the message of each error of a registry's error document."""
    try:
        errors = parse_json(content).get("errors") or []
        return [(str(e.get("code", "")), str(e.get("message", ""))) for e in errors]
    except (ValueError, AttributeError, TypeError):
        return []
