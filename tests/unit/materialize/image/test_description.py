"""The configuration and platform of the image of a lock."""

from __future__ import annotations

import hashlib

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.image.description import (
    Platform,
    for_image,
    image_of,
    platform_of,
    process_of,
)
from envlock.model.digest import digests
from envlock.model.lock import Lock
from envlock.model.process import ProcessConfig
from envlock.model.record import Record
from envlock.model.tree import Tree


def lock(*records):
    return Lock.of([Record("os", "", {"id": "debian", "arch": "amd64"}), *records])


def test_image_of_a_lock():
    facts = {
        "cmd": '["nginx","-g","daemon off;"]',
        "entrypoint": '["/entry"]',
        "user": "web",
        "workdir": "/srv",
        "ports": '["80/tcp"]',
        "volumes": '["/data"]',
        "labels": '{"a":"b"}',
        "stop_signal": "SIGQUIT",
    }
    described = lock(
        Record("process", "", facts),
        Record("env", "LANG", {"value": "C.UTF-8"}),
        Record("env", "TOKEN", {"secret": "present"}),
    )
    image = image_of(described, (), lockfile=b"text", epoch=7)
    assert image.process == ProcessConfig(
        cmd=("nginx", "-g", "daemon off;"),
        entrypoint=("/entry",),
        user="web",
        workdir="/srv",
        ports=("80/tcp",),
        volumes=("/data",),
        stop_signal="SIGQUIT",
        environ={"LANG": "C.UTF-8"},
        labels={
            "a": "b",
            "io.envlock.environment-digest": digests(described).environment,
            "io.envlock.host-digest": digests(described).host,
            "io.envlock.lock-digest": f"sha256:{hashlib.sha256(b'text').hexdigest()}",
            "io.envlock.normalizer": "3",
        },
    )
    assert image.platform == Platform("amd64")
    assert image.created == 7


def test_a_lock_without_a_process_has_an_empty_configuration():
    assert process_of(lock()) == ProcessConfig()


@pytest.mark.parametrize(
    ("arch", "platform"),
    [
        ("arm64", ("arm64", "v8", "linux")),
        ("armhf", ("arm", "v7", "linux")),
        ("i386", ("386", "", "linux")),
        ("x86_64", ("amd64", "", "linux")),
    ],
)
def test_architectures(arch, platform):
    assert platform_of(Lock.of([Record("os", "", {"arch": arch})])) == platform


@pytest.mark.parametrize(
    ("facts", "reason"), [({"arch": "vax"}, "'vax'"), ({"id": "x"}, "no os.arch")]
)
def test_unknown_architectures_are_refused(facts, reason):
    with pytest.raises(MaterializeError, match=reason):
        platform_of(Lock.of([Record("os", "", facts)]))


@pytest.mark.parametrize(
    "facts",
    [
        {"cmd": "nginx"},
        {"cmd": '"nginx"'},
        {"ports": "[80]"},
        {"labels": "[]"},
        {"labels": '{"a":1}'},
    ],
)
def test_facts_with_the_wrong_json_are_refused(facts):
    with pytest.raises(MaterializeError, match="JSON"):
        process_of(lock(Record("process", "", facts)))


def test_labels_of_an_orchestrator_are_in_no_image():
    labels = (
        '{"com.docker.compose.project":"shop","io.kubernetes.pod.name":"a","com.example.team":"x"}'
    )
    described = lock(Record("process", "", {"labels": labels}))
    assert process_of(described).labels == {"com.example.team": "x"}
    rebuilt = lock(Record("process", "", {"labels": '{"com.example.team": "x"}'}))
    assert for_image(described, Tree(())) == for_image(rebuilt, Tree(()))
    only = lock(Record("process", "", {"labels": '{"com.docker.compose.project":"shop"}'}))
    assert for_image(only, Tree(())).get("process") == {}
