"""The table of target kinds: every form of a TARGET operand, and what follows from it.

A new kind of target is one module, one row of `KINDS` and its tests.  The functions here answer
every question about a reference from that row; no other module looks at its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from envlock.errors import TargetNameError
from envlock.model.depth import Depth

if TYPE_CHECKING:
    from envlock.targets.base import Target
    from envlock.targets.groups import Group

_MEMBER_MARK = "#"
"""What separates a group from one environment in it: ``kube:FILE#POD/CONTAINER``."""


class Form(NamedTuple):
    """A form of reference: how it is written, what it names, and the function that opens it.

    `opener` is ``module:function`` below `envlock.targets`.  It is imported when it is needed, so
    that a diff of two files loads no target; it is called with the operand, which is what follows
    the scheme (without an argument where the form has no operand).
    """

    text: str
    meaning: str
    opener: str

    @property
    def has_operand(self) -> bool:
        """True when something follows the scheme."""
        return ":" in self.text


def _unchanged(operand: str) -> str:
    return operand


def _last_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


class TargetKind(NamedTuple):
    """One row: what the references of one scheme name.

    `one` is the form that names one environment, `group` the form that names several.  A scheme
    that has both tells them apart by the ``#`` in the operand of `one`.

    `is_machine`: its capture reads all files only with ``--deep``; `depth` is what it reads
    otherwise.  `is_image`: it must equal its lock in every file, while a container may write logs.
    `name` suggests the name of a lock from the operand.
    """

    scheme: str
    one: Form | None
    group: Form | None = None
    depth: Depth = Depth.FULL
    is_machine: bool = False
    is_image: bool = False
    name: Callable[[str], str] = _unchanged

    @property
    def prefix(self) -> str:
        """What every reference of this kind begins with: ``docker:``, ``host``."""
        form = self.one or self.group
        return f"{self.scheme}:" if form and form.has_operand else self.scheme

    def is_group(self, operand: str) -> bool:
        """True when the operand names several environments."""
        return self.group is not None and (self.one is None or _MEMBER_MARK not in operand)


KINDS: Mapping[str, TargetKind] = {
    kind.scheme: kind
    for kind in (
        TargetKind(
            "host",
            Form("host", "this machine", "local.filesystem:host"),
            depth=Depth.CONFIG,
            is_machine=True,
        ),
        TargetKind(
            "docker",
            Form(
                "docker:NAME[@ENGINE]",
                "a container, running or stopped, of Docker or podman; ENGINE is a context of "
                "`docker context ls`, or an address: unix://, tcp:// or ssh://",
                "stream.container:ContainerTarget.connect",
            ),
        ),
        TargetKind(
            "image",
            Form(
                "image:REF[@ENGINE]", "an image in that engine", "stream.image:ImageTarget.connect"
            ),
            is_image=True,
        ),
        TargetKind(
            "oci",
            Form(
                "oci:PATH[:TAG]",
                "an OCI layout, a directory or a tar, or an archive of `docker save`; "
                "`oci://HOST/REPOSITORY:TAG` is an image in a registry, or a lock there",
                "stream.registry:connect",
            ),
            is_image=True,
        ),
        TargetKind(
            "dir",
            Form("dir:PATH", "a root file system in a directory", "local.filesystem:directory"),
            name=_last_name,
        ),
        TargetKind(
            "ssh",
            Form(
                "ssh:[USER@]HOST[:PORT]",
                "another machine, which needs no envlock: HOST as `ssh` knows it",
                "remote.ssh:connect",
            ),
            depth=Depth.CONFIG,
            is_machine=True,
        ),
        TargetKind(
            "pid",
            Form(
                "pid:N",
                "a running process, and the root it sees: a service, a chroot, a container",
                "process:ProcessTarget.connect",
            ),
            depth=Depth.CONFIG,
            is_machine=True,
        ),
        TargetKind(
            "compose",
            None,
            group=Form(
                "compose:PROJECT[@ENGINE]",
                "the containers of a compose project, a lock a service (`capture` only)",
                "compose:open_project",
            ),
        ),
        TargetKind(
            "kube",
            Form(
                "kube:FILE#POD/CONTAINER",
                "a container of a pod in what `kubectl get pods -o json` printed",
                "kube:KubeTarget.connect",
            ),
            group=Form(
                "kube:FILE",
                "all containers in that file, a lock each (`capture` only)",
                "kube:open_pods",
            ),
        ),
        TargetKind(
            "recorded",
            Form(
                "recorded:FILE",
                "a recording that `envlock capture --record` made",
                "recorded:RecordedTarget.at",
            ),
            depth=Depth.RECORDS,
        ),
    )
}
"""Scheme -> row, in the order in which help and reference list them."""

TARGET_FORMS: Mapping[str, str] = {
    kind.one.text: kind.one.meaning for kind in KINDS.values() if kind.one is not None
}
"""Form -> meaning, of the references that name one environment."""

GROUP_FORMS: Mapping[str, str] = {
    kind.group.text: kind.group.meaning for kind in KINDS.values() if kind.group is not None
}
"""Form -> meaning, of the references that name several environments at once."""


def split_reference(text: str) -> tuple[TargetKind | None, str]:
    """Return the row and the operand of a reference; no row when `text` is not a reference.

    >>> kind, operand = split_reference("oci:/srv/image:v1")
    >>> kind.scheme, operand
    ('oci', '/srv/image:v1')
    """
    scheme, colon, operand = text.partition(":")
    kind = KINDS.get(scheme)
    return (kind if kind and kind.prefix == scheme + colon else None), operand


def is_target(text: str) -> bool:
    """True when `text` names an environment, or several, rather than a lock."""
    return split_reference(text)[0] is not None


def is_group(reference: str) -> bool:
    """True when `reference` names several environments."""
    kind, operand = split_reference(reference)
    return kind is not None and kind.is_group(operand)


def is_image(reference: str) -> bool:
    """True when `reference` names an image, in an engine or on disk."""
    kind, _ = split_reference(reference)
    return kind is not None and kind.is_image


def capture_depth(reference: str, *, deep: bool) -> Depth:
    """Return how much of a target a capture reads, with or without ``--deep``."""
    kind, _ = split_reference(reference)
    if kind is None or (deep and kind.is_machine):
        return Depth.FULL
    return kind.depth


def suggested_name(reference: str) -> str:
    """Return the text that the name of a lock of `reference` is made from; empty for the host."""
    kind, operand = split_reference(reference)
    return kind.name(operand) if kind else operand


def open_target(reference: str) -> Target:
    """Open the target that `reference` names.

    Raise TargetNameError for a reference of no known form, TargetError when there is no such
    environment or it does not answer.
    """
    kind, operand = split_reference(reference)
    if kind is not None and kind.is_group(operand):
        raise TargetNameError(
            f"{reference} is several environments",
            hint=f"`envlock capture {reference}` writes a lock for each",
        )
    if kind is None or kind.one is None or (kind.one.has_operand and not operand):
        raise TargetNameError(
            f"{reference!r} names no environment", hint=f"targets are {', '.join(TARGET_FORMS)}"
        )
    return cast("Target", load_opener(kind.one)(*filter(None, [operand])))


def open_group(reference: str) -> Group:
    """Return the services of a group.

    Raise TargetNameError when `reference` names no group, TargetError when there is no such group.
    """
    kind, operand = split_reference(reference)
    if kind is None or kind.group is None or not operand:
        raise TargetNameError(
            f"{reference!r} names no group", hint=f"groups are {' and '.join(GROUP_FORMS)}"
        )
    return cast("Group", load_opener(kind.group)(operand))


def load_opener(form: Form) -> Callable[..., Any]:
    """Import and return the function that opens references of a form."""
    module, _, function = form.opener.partition(":")
    opener: Callable[..., Any] = attrgetter(function)(import_module(f"envlock.targets.{module}"))
    return opener
