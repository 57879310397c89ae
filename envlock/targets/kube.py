"""The containers of Kubernetes pods, from the output of ``kubectl get pods -o json``.

The cluster is not contacted.  A container has the run configuration of its pod (image, command,
variables) and the files of its image, where a local engine has that.  Variables from a Secret are
secret; a variable that is defined outside the pod has no value and is a gap.  Init containers are
ignored.  Source: Kubernetes API reference, Pod v1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from envlock.errors import TargetError
from envlock.model.document import parse_json
from envlock.model.process import HIDDEN, ProcessConfig
from envlock.model.tree import Entry
from envlock.reading import read_file
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan, Target
from envlock.targets.groups import Group, Service
from envlock.targets.kube_settings import container_settings, mounts
from envlock.targets.stream.image import ImageTarget

_HASH_LABEL = "pod-template-hash"
_LIMIT = 64 * 1024 * 1024


class Container(NamedTuple):
    """One container of a pod.

    `owner` is the controller of the pod, such as a ReplicaSet, without its hash; `spec` is the
    container in the API, and `image_id` the exact image that runs, empty when unknown.
    """

    owner: str
    pod: str
    name: str
    spec: Mapping[str, Any]
    image_id: str


def open_pods(operand: str) -> Group:
    """Return the containers in a file, grouped by controller and name of container."""
    path = Path(operand)
    services: dict[str, list[str]] = {}
    for container in _containers(path):
        reference = f"kube:{path}#{container.pod}/{container.name}"
        services.setdefault(f"{container.owner}-{container.name}", []).append(reference)
    found = (Service(name, tuple(sorted(replicas))) for name, replicas in sorted(services.items()))
    return Group(path.name.partition(".")[0], tuple(found))


class KubeTarget:
    """One container of a pod; `image` is the target of its image, None when no engine has it."""

    walks_before_reading = False

    def __init__(self, reference: str, container: Container, image: Target | None) -> None:
        self.reference = reference
        self._container = container
        self._image = image
        self.capabilities = image.capabilities if image else frozenset({Capability.ENVIRON})

    @classmethod
    def connect(cls, operand: str) -> KubeTarget:
        """Return the container ``FILE#POD/CONTAINER``.  Raise TargetError when there is none."""
        name, _, wanted = operand.rpartition("#")
        for container in _containers(Path(name)):
            if f"{container.pod}/{container.name}" == wanted:
                return cls(f"kube:{operand}", container, _local_image(container))
        raise TargetError(
            "no such container in the file",
            where=f"kube:{operand}",
            hint="write kube:FILE#POD/CONTAINER",
        )

    @property
    def is_streaming(self) -> bool:
        """The same as for the image."""
        return self._image is not None and self._image.is_streaming

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch the matching files of the image."""
        if self._image is not None:
            self._image.preload(patterns)

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the image; what is mounted over its files is a gap."""
        for path, _ in mounts(self._container.spec):
            plan.on_gap(path, "a volume mounted here, not captured")
        if self._image is not None:
            yield from self._image.scan(plan)
            return
        plan.on_gap("/", "no local engine has the image")
        plan.on_walk_finished()

    def stat(self, path: str) -> Entry:
        """Return one path of the image."""
        return self._files().stat(path)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory of the image."""
        return self._files().names(path)

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of the image."""
        return self._files().read(path, limit)

    def open(self, path: str) -> BinaryIO:
        """Open a file of the image."""
        return self._files().open(path)

    def process(self) -> ProcessConfig:
        """Return the run configuration: that of the image, overridden by the pod."""
        image = self._image.process() if self._image is not None else None
        try:
            return _process(self._container, image or ProcessConfig())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(self.reference) from error

    def close(self) -> None:
        """Release the image."""
        if self._image is not None:
            self._image.close()

    def _files(self) -> Target:
        if self._image is None:
            raise FileNotFoundError(2, "no local engine has the image")
        return self._image


def _containers(path: Path) -> list[Container]:
    reference = f"kube:{path}"
    try:
        raw = read_file(path, _LIMIT)
    except OSError as error:
        raise TargetError(
            f"the file cannot be read: {error.strerror}",
            where=reference,
            hint="write it with `kubectl get pods -o json > FILE`",
        ) from error
    try:
        document = parse_json(raw)
        listed = document.get("items", [document])
        found = [one for pod in listed if pod["kind"] == "Pod" for one in _of_pod(pod)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _damaged(reference) from error
    if not found:
        raise TargetError("the file holds no pod", where=reference)
    return found


def _of_pod(pod: Mapping[str, Any]) -> Iterator[Container]:
    metadata = pod["metadata"]
    owners = metadata.get("ownerReferences") or [{"name": metadata["name"]}]
    suffix = (metadata.get("labels") or {}).get(_HASH_LABEL, "")
    owner = str(owners[0]["name"]).removesuffix(f"-{suffix}")
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    images = {status["name"]: str(status.get("imageID") or "") for status in statuses}
    for spec in pod["spec"]["containers"]:
        name = str(spec["name"])
        yield Container(owner, str(metadata["name"]), name, spec, images.get(name, ""))


def _damaged(reference: str) -> TargetError:
    return TargetError(
        "not the output of `kubectl get pods -o json`",
        where=reference,
        hint="write it with `kubectl get pods -o json > FILE`",
    )


def _image_names(container: Container) -> list[str]:
    """Return the names by which an engine may have the image, the most exact first."""
    exact = container.image_id.rpartition("://")[2]
    return [name for name in (exact, str(container.spec.get("image") or "")) if name]


def _local_image(container: Container) -> Target | None:
    for name in _image_names(container):
        try:
            return ImageTarget.connect(name)
        except TargetError:
            continue
    return None


def _process(container: Container, image: ProcessConfig) -> ProcessConfig:
    spec = container.spec
    environ, unreadable = dict(image.environ), {}
    for source in spec.get("envFrom") or ():
        for kind in ("configMapRef", "secretRef"):
            if kind in source:
                where = f"{kind} {source[kind].get('name', '')}"
                unreadable[where] = "variables that are defined outside the pod"
    for variable in spec.get("env") or ():
        name, source = str(variable["name"]), variable.get("valueFrom")
        environ[name] = str(variable.get("value") or "") if source is None else HIDDEN
        if source is not None and "secretKeyRef" not in source:
            unreadable[f"env {name}"] = "a value that is defined outside the pod"
    command, arguments = spec.get("command"), spec.get("args")
    ports = tuple(
        f"{int(port['containerPort'])}/{str(port.get('protocol') or 'TCP').lower()}"
        for port in spec.get("ports") or ()
    )
    user = (spec.get("securityContext") or {}).get("runAsUser")
    names = _image_names(container)
    return replace(
        image,
        image=names[0] if names else "",
        entrypoint=tuple(map(str, command)) if command else image.entrypoint,
        cmd=tuple(map(str, arguments or ())) if arguments or command else image.cmd,
        ports=ports or image.ports,
        user=image.user if user is None else str(user),
        workdir=str(spec.get("workingDir") or "") or image.workdir,
        environ=environ,
        settings={**image.settings, **container_settings(spec)},
        unreadable=unreadable,
    )
