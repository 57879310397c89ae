"""How environments are named: every form a TARGET can have, and what it means."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS: Mapping[str, str] = {
    "host": "this machine",
    "docker:NAME": "a container, running or stopped, of Docker or podman",
    "image:REF": "an image in that engine",
    "oci:PATH[:TAG]": "an OCI layout, a directory or a tar, or an archive of `docker save`",
    "dir:PATH": "a root file system in a directory",
    "ssh:[USER@]HOST[:PORT]": "another machine, which needs no envlock: HOST as `ssh` knows it",
    "pid:N": "a running process, and the root it sees: a service, a chroot, a container",
    "kube:FILE#POD/CONTAINER": "a container of a pod in what `kubectl get pods -o json` printed",
    "recorded:FILE": "a recording that `envlock capture --record` made",
}
"""Form -> what it is, of one environment."""

GROUPS: Mapping[str, str] = {
    "compose:PROJECT": "the containers of a compose project, a lock a service (`capture` only)",
    "kube:FILE": "all containers in that file, a lock each (`capture` only)",
}
"""Form -> what it is, of several environments at once."""
