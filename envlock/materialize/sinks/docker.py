"""Load an image into a Docker engine, sending only the layers that it lacks.

A Docker engine with the classic store looks for the chain of a layer before it opens the layer's
file, so an archive may omit what the engine has (moby image/tarexport/load.go).  Podman and the
containerd store need every file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envlock.errors import MaterializeError, TargetError
from envlock.materialize.image.description import LABEL_PREFIX, Built
from envlock.materialize.sinks.archive import archive_chunks

if TYPE_CHECKING:
    from docker import DockerClient

_LOOKED_AT = 20
"""The most images of the engine whose layers are compared."""


class Loaded(NamedTuple):
    """A loaded image: its id in the engine, the bytes sent, the layers that were not sent."""

    image_id: str
    bytes_sent: int
    layers_reused: int


def connect() -> DockerClient:
    """Return a client, without time limits, of the engine that the environment variables name.

    During a load the engine is silent while it unpacks, for longer than any useful limit.  Raise
    TargetError when no engine answers.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=None)  # type: ignore[arg-type]  # requests: no limit
        client.ping()
    except DockerException as error:
        raise _unreachable(error) from error
    return client


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSink:
    """The Docker engine that the environment variables name; `tag` names the image, if given.

    `client` connects to it.
    """

    tag: str = ""
    directory: None = None
    client: Callable[[], DockerClient] = connect

    def deliver(self, layout: Path, built: Built) -> str:
        """Load the image."""
        loaded = load(self.client(), layout, built, tag=self.tag)
        return f"loaded {self.tag or loaded.image_id}"


def load(client: DockerClient, layout: Path, built: Built, *, tag: str = "") -> Loaded:
    """Load the image in the directory `layout` into the engine, named `tag` if given.

    Afterwards the id that the engine computed is compared with `built`.  Raise MaterializeError
    when the engine refuses the image or has another one; TargetError when it stops answering.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        return _load(client, layout, built, tag)
    except (DockerException, RequestException) as error:
        raise _unreachable(error) from error


def _load(client: DockerClient, layout: Path, built: Built, tag: str) -> Loaded:
    if _is_classic(client):
        if _layers_of(client, built.image_id) is not None:
            return Loaded(_name(client, built, tag), 0, len(built.layers))
        known = _longest_known_chain(client, built, tag)
        if known:
            omit = [layer.diff_id for layer in built.layers[:known]]
            sent = _Counter(archive_chunks(layout, tag=tag, omit=omit))
            if not _send(client, sent):
                return Loaded(_verify(client, built, tag), sent.count, known)
    sent = _Counter(archive_chunks(layout, tag=tag))
    if refusal := _send(client, sent):
        hint = "free space where the engine keeps its images" if "no space" in refusal else ""
        raise MaterializeError(f"the Docker engine refused the image: {refusal}", hint=hint)
    return Loaded(_verify(client, built, tag), sent.count, 0)


class _Counter:
    """Iterates over chunks and counts their bytes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.count += len(chunk)
            yield chunk


def _send(client: DockerClient, chunks: Iterable[bytes]) -> str:
    """Send an archive; return the error message of the engine, or nothing.

    The SDK raises neither for an error inside the answer nor for one instead of it.
    """
    refusal = ""
    for answer in _api(client).load_image(iter(chunks), quiet=True):
        if isinstance(answer, dict):
            detail = answer.get("errorDetail") or {}
            refusal = detail.get("message") or answer.get("error") or answer.get("message", "")
        if refusal:
            break
    return refusal


def _is_classic(client: DockerClient) -> bool:
    """True for a Docker engine (not Podman) with the classic store (not containerd's)."""
    components: list[dict[str, Any]] = client.version().get("Components") or [{}]
    status = client.info().get("DriverStatus") or ()
    containerd = any("io.containerd.snapshotter" in str(value) for _, value in status)
    return components[0].get("Name") == "Engine" and not containerd


def _longest_known_chain(client: DockerClient, built: Built, tag: str) -> int:
    """Return how many of the lowest layers the engine has, in `tag` and in images by envlock."""
    labelled = _api(client).images(
        filters={"label": f"{LABEL_PREFIX}environment-digest"}, quiet=True
    )
    names = [*([tag] if tag else []), *itertools.islice(labelled, _LOOKED_AT)]
    ours = [layer.diff_id for layer in built.layers]
    longest = 0
    for name in names:
        theirs = _layers_of(client, name) or ()
        pairs = zip(ours, theirs, strict=False)
        shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        longest = max(longest, shared)
    return longest


def _layers_of(client: DockerClient, name: str) -> tuple[str, ...] | None:
    found = _inspect(client, name)
    return None if found is None else tuple(found.get("RootFS", {}).get("Layers") or ())


def _inspect(client: DockerClient, name: str) -> dict[str, Any] | None:
    from docker.errors import ImageNotFound

    try:
        found: dict[str, Any] = _api(client).inspect_image(name)
    except ImageNotFound:
        return None
    return found


def _api(client: DockerClient) -> Any:
    """Return the low-level client, whose type stubs are incomplete."""
    return client.api


def _name(client: DockerClient, built: Built, tag: str) -> str:
    """Tag an image that the engine has; return its id."""
    if tag:
        repository, _, version = tag.rpartition(":")
        if not repository or "/" in version:
            repository, version = tag, "latest"
        _api(client).tag(built.image_id, repository, version)
    return _verify(client, built, tag)


def _verify(client: DockerClient, built: Built, tag: str) -> str:
    """Return the id of the image in the engine.  Raise MaterializeError when it is another one."""
    ours = (built.image_id, built.manifest_digest)
    for name in (tag,) if tag else ours:
        found = _inspect(client, name)
        if found is not None and found["Id"] in ours:
            return str(found["Id"])
    raise MaterializeError(
        "the Docker engine does not hold the image that was sent",
        where=tag or built.image_id,
    )


def _unreachable(error: Exception) -> TargetError:
    return TargetError(
        f"the Docker engine does not answer: {error}", hint="start it, or set DOCKER_HOST"
    )


def open_sink(_value: str, tag: str) -> DockerSink:
    """Return the sink for an option's value and the name of the image; see `SinkRow.open`."""
    return DockerSink(tag=tag)
