"""An image to write, made from a lock, and the digests of an image that was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from envlock.errors import MaterializeError
from envlock.materialize.image.layers import Layer
from envlock.materialize.tree.rules import NORMALIZER
from envlock.model.digest import digests
from envlock.model.document import parse_json
from envlock.model.facts import Part, part_of
from envlock.model.lock import Lock
from envlock.model.process import ProcessConfig
from envlock.model.record import Facts
from envlock.model.state import SECTION as STATE
from envlock.model.tree import Tree
from envlock.targets.stream.run_config import HOST_FACTS

LABEL_PREFIX = "io.envlock."
"""Labels with it describe the rebuild itself; a capture leaves them out of section `process`."""

FLATTENED = f"{LABEL_PREFIX}flattened-times"
"""The label of an image whose times were flattened."""

_OF_ORCHESTRATORS = (
    "com.docker.compose.", "com.docker.stack.", "com.docker.swarm.", "desktop.docker.io/",
    "io.containerd.", "io.cri-containerd.", "io.kubernetes.", "io.podman.compose.",
    "io.rancher.", "kubernetes.io/", "org.testcontainers",
)  # fmt: skip
"""Labels by which an orchestrator knows its containers: with them it would take over others."""

_ARCHITECTURES: Mapping[str, tuple[str, str]] = {
    "amd64": ("amd64", ""),
    "x86_64": ("amd64", ""),
    "arm64": ("arm64", "v8"),
    "aarch64": ("arm64", "v8"),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armel": ("arm", "v5"),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "ppc64el": ("ppc64le", ""),
    "ppc64le": ("ppc64le", ""),
    "mips64el": ("mips64le", ""),
    "riscv64": ("riscv64", ""),
    "s390x": ("s390x", ""),
    "loong64": ("loong64", ""),
}
"""Debian and uname names -> architecture and variant as in Go's GOARCH, which OCI uses."""


class Platform(NamedTuple):
    """The platform of an image, in the terms of the OCI image specification."""

    architecture: str
    variant: str = ""
    os: str = "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Everything that makes up an image except the content of its files.

    `created` is in seconds since 1970.  `process.labels` are the image's labels.
    """

    layers: tuple[Layer, ...]
    process: ProcessConfig
    platform: Platform
    created: int


class BuiltLayer(NamedTuple):
    """A written layer: the digest (``sha256:<hex>``) and size of its tar, its package groups."""

    diff_id: str
    size: int
    packages: tuple[str, ...]


class Built(NamedTuple):
    """The digests of a written image, all ``sha256:<hex>``.

    `image_id` is the id of the image in a Docker engine with the classic store: the digest of the
    config.  In an engine with the containerd store the id is the manifest digest.
    """

    manifest_digest: str
    config_digest: str
    image_id: str
    layers: tuple[BuiltLayer, ...]


def image_of(
    lock: Lock, layers: Iterable[Layer], *, lockfile: bytes, epoch: int, flattened: bool = False
) -> Image:
    """Return the image that `lock` describes, labelled with its digests.

    `lockfile` are the bytes of the lock, `epoch` is the creation time in seconds since 1970.
    `flattened`: no file is newer.  Raise MaterializeError when an image cannot have the
    architecture of the lock.
    """
    named = digests(lock)
    process = process_of(lock)
    labels = {
        **process.labels,
        f"{LABEL_PREFIX}environment-digest": named.environment,
        f"{LABEL_PREFIX}host-digest": named.host,
        f"{LABEL_PREFIX}lock-digest": f"sha256:{hashlib.sha256(lockfile).hexdigest()}",
        f"{LABEL_PREFIX}normalizer": NORMALIZER,
        **({FLATTENED: "true"} if flattened else {}),
    }
    return Image(
        layers=tuple(layers),
        process=ProcessConfig(
            cmd=process.cmd,
            entrypoint=process.entrypoint,
            user=process.user,
            workdir=process.workdir,
            ports=process.ports,
            volumes=process.volumes,
            labels=labels,
            stop_signal=process.stop_signal,
            healthcheck=process.healthcheck,
            healthcheck_times=process.healthcheck_times,
            shell=process.shell,
            environ=process.environ,
        ),
        platform=platform_of(lock),
        created=epoch,
    )


def platform_of(lock: Lock) -> Platform:
    """Return the platform of ``os.arch``.  Raise MaterializeError when it is unknown."""
    arch = lock.get("os").get("arch", "")
    if arch not in _ARCHITECTURES:
        raise MaterializeError(
            f"images cannot have architecture {arch!r}" if arch else "the lock has no os.arch",
            hint="capture the environment again with this envlock",
        )
    return Platform(*_ARCHITECTURES[arch])


def process_of(lock: Lock) -> ProcessConfig:
    """Return the run configuration of a lock: section ``process``, and the values of ``env``.

    Variables without a recorded value and labels of an orchestrator are left out.  Raise
    MaterializeError when a fact is not the JSON that its section requires.
    """
    facts = lock.get("process")
    return ProcessConfig(
        cmd=_list(facts, "cmd"),
        entrypoint=_list(facts, "entrypoint"),
        user=facts.get("user", ""),
        workdir=facts.get("workdir", ""),
        ports=_list(facts, "ports"),
        volumes=_list(facts, "volumes"),
        labels=_labels(facts),
        stop_signal=facts.get("stop_signal", ""),
        healthcheck=_list(facts, "healthcheck"),
        healthcheck_times=facts.get("healthcheck_times", ""),
        shell=_list(facts, "shell"),
        environ={
            key: entry["value"]
            for key, entry in lock.sections.get("env", {}).items()
            if "value" in entry
        },
    )


def for_image(lock: Lock, tree: Tree) -> Lock:
    """Return the part of a lock that an image can hold; `tree` is that part of its file tree.

    An image has no host facts and no variables without a value, and all its passwords are locked.
    Data of services is compared by its files, and a file that a rule leaves out or changes is told
    as the tree has it.  Of how it is run it holds what its configuration says, not what a container
    was given, and no label of an orchestrator.
    """
    sections = {
        name: {
            key: facts for key, facts in entries.items() if name != "env" or "secret" not in facts
        }
        for name, entries in lock.sections.items()
        if part_of(name) is not Part.HOST and name not in ("login", STATE)
    }
    process = sections.get("process", {})
    sections["process"] = {
        key: _without_labels(
            {name: value for name, value in facts.items() if name not in HOST_FACTS}
        )
        for key, facts in process.items()
    }
    contents = {row.entry.path: row.entry.sha256 for row in tree.rows}
    sections["file"] = {
        path: _with_content(facts, contents[path])
        for path, facts in sections.get("file", {}).items()
        if path in contents
    }
    sections["tree"] = {
        key: {**facts, "content": tree.content_digest()}
        for key, facts in sections.get("tree", {}).items()
    }
    return Lock(sections={name: e for name, e in sections.items() if e}, version=lock.version)


def _list(facts: Mapping[str, str], name: str) -> tuple[str, ...]:
    value = _json(facts, name, "[]")
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MaterializeError("not a JSON list of strings", where=f"process.{name}")
    return tuple(value)


def _labels(facts: Mapping[str, str]) -> dict[str, str]:
    value = _json(facts, "labels", "{}")
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise MaterializeError("not a JSON object of strings", where="process.labels")
    return {key: text for key, text in value.items() if not key.startswith(_OF_ORCHESTRATORS)}


def _with_content(facts: Facts, sha256: str) -> Facts:
    """Return the facts of a file with the digest of what an image has of it, if that is known."""
    return {**facts, "sha256": sha256} if sha256 and "sha256" in facts else facts


def _without_labels(facts: Facts) -> Facts:
    """Return the facts of a process without the labels that no image has."""
    kept = _labels(facts)
    others = {name: value for name, value in facts.items() if name != "labels"}
    return {**others, "labels": json.dumps(kept, sort_keys=True)} if kept else others


def _json(facts: Mapping[str, str], name: str, default: str) -> object:
    try:
        return parse_json(facts.get(name, default))
    except ValueError as error:
        raise MaterializeError("not JSON", where=f"process.{name}") from error
