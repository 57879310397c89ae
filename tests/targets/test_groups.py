"""References to several environments: compose projects and pods."""

from __future__ import annotations

import json
import tomllib
import uuid
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import TargetError
from envlock.targets.base import ScanPlan
from envlock.targets.kinds import open_group, open_target

POD = {
    "kind": "Pod",
    "metadata": {
        "name": "web-5d8f9-abcde",
        "labels": {"pod-template-hash": "5d8f9"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d8f9"}],
    },
    "spec": {
        "initContainers": [{"name": "migrate", "image": "app:1"}],
        "containers": [
            {
                "name": "app",
                "image": "registry.example.org/app:1",
                "command": ["serve"],
                "args": ["--token=hunter2hunter2"],
                "workingDir": "/srv",
                "ports": [{"containerPort": 8080}],
                "securityContext": {"runAsUser": 1000},
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [
                    {"name": "LANG", "value": "C.UTF-8"},
                    {"name": "PATH", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "TZ", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
                ],
            }
        ],
    },
    "status": {
        "containerStatuses": [{"name": "app", "imageID": "docker-pullable://app@sha256:12"}]
    },
}


def pod_list(tmp_path, *pods):
    path = tmp_path / "cluster/shop.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"kind": "List", "items": list(pods)}))
    return path


@pytest.mark.docker
def test_each_kind_of_container_in_pods_gets_a_lock(engine, tmp_path, envlock):
    other = json.loads(json.dumps(POD).replace("abcde", "fghij").replace("C.UTF-8", "C"))
    path = pod_list(tmp_path, POD, other)
    ran = envlock("capture", f"kube:{path}")
    assert ran.out == "web-app\n"
    assert f"kube:{path}#web-5d8f9-fghij/app differs from" in ran.err
    lock = tomllib.loads((envlock.folder / "locks/shop-web-app.lock").read_text())
    assert lock["env"] == {
        "LANG": {"value": "C.UTF-8"},
        "PATH": {"secret": "present"},
        "TZ": {"secret": "present"},
    }
    assert lock["process"] == {
        "cmd": '["--token=***"]',
        "entrypoint": '["serve"]',
        "image": "app@sha256:12",
        "ports": '["8080/tcp"]',
        "user": "1000",
        "workdir": "/srv",
    }
    assert lock["coverage"]["env"]["gaps"] == "2"
    assert lock["coverage"]["deb"]["status"] == "unsupported"
    index = json.loads((envlock.folder / "locks/shop.json").read_text())
    assert index["services"]["web-app"]["lock"] == "shop-web-app.lock"
    envlock("capture", f"kube:{path}#nope/app", status=4)
    envlock("diff", f"kube:{path}", f"kube:{path}", status=2)


@pytest.mark.docker
def test_files_of_a_pod_come_from_its_image(debian_image, tmp_path):
    pod = json.loads(json.dumps(POD).replace("registry.example.org/app:1", debian_image))
    path = pod_list(tmp_path, pod)
    with closing(open_target(f"kube:{path}#web-5d8f9-abcde/app")) as target:
        target.preload(["/etc/debian_version"])
        assert target.read("/etc/debian_version")
        assert target.process().entrypoint == ("serve",)


def test_a_container_without_its_image_is_a_gap(tmp_path):
    target = open_target(f"kube:{pod_list(tmp_path, POD)}#web-5d8f9-abcde/app")
    gaps = []
    assert list(target.scan(ScanPlan(on_gap=lambda *gap: gaps.append(gap)))) == []
    assert gaps == [("/", "no local engine has the image")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["items", "kind", "metadata", "spec", "containers", "name", "status"]
                ),
                inner | st.just("Pod"),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_arbitrary_documents_raise_only_target_errors(tmp_path_factory, document):
    path = tmp_path_factory.getbasetemp() / "pods.json"
    path.write_text(json.dumps(document))
    with pytest.raises(TargetError):
        open_group(f"kube:{path}")


@pytest.mark.docker
def test_each_service_of_a_compose_project_gets_a_lock(run_container, debian_image, envlock):
    project = f"shop{uuid.uuid4().hex[:8]}"

    def start(service, number, *options):
        labels = {
            "project": project,
            "service": service,
            "container-number": number,
            **dict(options),
        }
        words = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
        return run_container(debian_image, *words)

    start("web", 10)
    drifted = start("web", 2)
    same = start("web", 1)
    start("db", 1)
    start("task", 1, ("oneoff", "True"))
    drifted.sh("echo 'LANG=C' > /etc/default/locale")
    ran = envlock("capture", f"compose:{project}", "--json", "--only", "locale")
    assert list(ran.json["services"]) == ["db", "web"]
    web = ran.json["services"]["web"]
    assert web["replicas"][:2] == [f"docker:{same.name}", f"docker:{drifted.name}"]
    assert web["differing"] == [f"docker:{drifted.name}"]
    assert f"docker:{drifted.name} differs from docker:{same.name}" in ran.err
    assert sorted(path.name for path in (envlock.folder / "locks").iterdir()) == [
        f"{project}-db.lock",
        f"{project}-web.lock",
        f"{project}.json",
    ]
    envlock("capture", f"compose:{project}", "-o", "x.lock", status=2)
    assert "no container" in envlock("capture", "compose:nope", status=4).err
