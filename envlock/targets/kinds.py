"""TARGET operands: which words name an environment, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from envlock.errors import TargetNameError
from envlock.targets.base import Target
from envlock.targets.forms import TARGETS
from envlock.targets.groups import is_group


def is_target(text: str) -> bool:
    """True when `text` is a TARGET operand rather than the name or path of a lock."""
    scheme, colon, _ = text.partition(":")
    return text == "host" or (bool(colon) and scheme in _OPENERS)


def open_target(reference: str) -> Target:
    """Open the target that `reference` names.

    Raise TargetNameError for a name of no known form, TargetError when there is no such
    environment or it does not answer.
    """
    if reference == "host":
        from envlock.targets.local.filesystem import host

        return host()
    if is_group(reference):
        raise TargetNameError(
            f"{reference} is several environments",
            hint=f"`envlock capture {reference}` writes a lock for each",
        )
    scheme, _, operand = reference.partition(":")
    opener = _OPENERS.get(scheme)
    if opener is None or not operand:
        raise TargetNameError(
            f"{reference!r} names no environment", hint=f"targets are {', '.join(TARGETS)}"
        )
    return opener(operand)


def _directory(operand: str) -> Target:
    from envlock.targets.local.filesystem import directory

    return directory(Path(operand))


def _container(operand: str) -> Target:
    from envlock.targets.stream.container import ContainerTarget

    return ContainerTarget.connect(operand)


def _image(operand: str) -> Target:
    from envlock.targets.stream.image import ImageTarget

    return ImageTarget.connect(operand)


def _oci(operand: str) -> Target:
    from envlock.targets.stream.oci import OciTarget

    path, _, tag = operand.rpartition(":")
    if path and not Path(operand).exists() and "/" not in tag:
        return OciTarget.at(Path(path), tag)
    return OciTarget.at(Path(operand))


def _process(operand: str) -> Target:
    from envlock.targets.process import ProcessTarget

    return ProcessTarget.connect(operand)


def _kube(operand: str) -> Target:
    from envlock.targets.kube import KubeTarget

    return KubeTarget.connect(operand)


def _recorded(operand: str) -> Target:
    from envlock.targets.recorded import RecordedTarget

    return RecordedTarget.at(Path(operand))


def _ssh(operand: str) -> Target:
    from envlock.targets.remote.ssh import connect

    return connect(operand)


_OPENERS: Mapping[str, Callable[[str], Target]] = {
    "dir": _directory,
    "docker": _container,
    "image": _image,
    "kube": _kube,
    "oci": _oci,
    "pid": _process,
    "recorded": _recorded,
    "ssh": _ssh,
}
