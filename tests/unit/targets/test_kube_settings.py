"""How a container of a pod is started: limits, privileges, probes and mounts."""

import json

from envlock.targets.kube_settings import container_settings, mounts

SPEC = {
    "resources": {"limits": {"memory": "512Mi", "cpu": "500m"}, "requests": {"memory": "64Mi"}},
    "securityContext": {
        "readOnlyRootFilesystem": True,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "livenessProbe": {"exec": {"command": ["mysqladmin", "ping", "-pZx81spectrum"]}},
    "readinessProbe": {
        "httpGet": {
            "path": "/ready",
            "port": 80,
            "httpHeaders": [{"name": "Authorization", "value": "Bearer Zx81spectrum"}],
        },
        "periodSeconds": 5,
    },
    "volumeMounts": [
        {"name": "code", "mountPath": "/srv/app"},
        {"name": "conf", "mountPath": "/etc/app", "readOnly": True},
    ],
}


def test_what_a_container_states_is_a_fact():
    found = container_settings(SPEC)
    assert "Zx81spectrum" not in str(found)
    probe = json.loads(found.pop("readinessProbe"))
    assert probe == {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 5}
    assert json.loads(found.pop("livenessProbe"))["exec"]["command"][:2] == ["mysqladmin", "ping"]
    assert found == {
        "limits_memory": "512Mi",
        "limits_cpu": "500m",
        "requests_memory": "64Mi",
        "read_only": "true",
        "no_new_privileges": "true",
        "cap_add": "NET_BIND_SERVICE",
        "cap_drop": "ALL",
        "seccomp": "RuntimeDefault",
        "mounts": "/etc/app:ro /srv/app",
    }


def test_what_is_mounted_hides_files():
    assert list(mounts(SPEC)) == [("/srv/app", False), ("/etc/app", True)]
    assert container_settings({}) == {}
