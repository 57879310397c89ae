"""How a container was started: what goes beyond the defaults of the engine."""

import pytest

from envlock.targets.stream.run_config import health_options, host_settings, run_configuration

DEFAULTS = {
    "ShmSize": 67108864,
    "Ulimits": [],
    "Memory": 0,
    "MemorySwap": 0,
    "NanoCpus": 0,
    "PidsLimit": None,
    "CapAdd": None,
    "Privileged": False,
    "ReadonlyRootfs": False,
    "NetworkMode": "bridge",
    "IpcMode": "private",
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "Runtime": "runc",
    "SecurityOpt": None,
    "MaskedPaths": ["/proc/kcore"],
    "CgroupnsMode": "host",
    "Dns": [],
}


def test_defaults_are_no_facts():
    assert host_settings(DEFAULTS) == {}


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("ShmSize", 1 << 30, ("shm_size", "1GiB")),
        ("Memory", 512 << 20, ("memory", "512MiB")),
        ("MemorySwap", -1, ("memory_swap", "unlimited")),
        ("NanoCpus", 1_500_000_000, ("cpus", "1.5")),
        ("CpuQuota", 50_000, ("cpus", "0.5")),
        ("PidsLimit", 100, ("pids_limit", "100")),
        (
            "Ulimits",
            [{"Name": "nofile", "Soft": 256, "Hard": 512}],
            ("ulimits", "nofile=256:512"),
        ),
        ("CapAdd", ["CAP_SYS_PTRACE", "NET_ADMIN"], ("cap_add", "NET_ADMIN SYS_PTRACE")),
        ("CapDrop", ["NET_RAW"], ("cap_drop", "NET_RAW")),
        ("Privileged", True, ("privileged", "true")),
        ("ReadonlyRootfs", True, ("read_only", "true")),
        ("SecurityOpt", ["no-new-privileges"], ("security", "no-new-privileges")),
        ("Sysctls", {"net.core.somaxconn": "512"}, ("sysctls", "net.core.somaxconn=512")),
        ("Tmpfs", {"/run": "size=64m"}, ("tmpfs", "/run=size=64m")),
        ("NetworkMode", "host", ("network_mode", "host")),
        ("NetworkMode", "container:0123", ("network_mode", "container")),
        ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 3},
         ("restart", "on-failure:3")),
        ("PortBindings", {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
         ("published", "8080:80/tcp")),
        ("DeviceRequests", [{"Driver": "nvidia", "Count": -1}], ("gpus", "nvidia:all")),
        ("Devices", [{"PathOnHost": "/dev/kvm", "PathInContainer": "/dev/kvm",
                      "CgroupPermissions": "rwm"}], ("devices", "/dev/kvm:rwm")),
        ("Runtime", "nvidia", ("runtime", "nvidia")),
        ("DeviceCgroupRules", ["c 1:3 r"], ("device_cgroup_rules", "c 1:3 r")),
        ("MaskedPaths", [], ("system_paths", "unconfined")),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_a_fact(name, value, fact):
    assert host_settings({**DEFAULTS, name: value}) == dict([fact])


def test_name_servers_are_told_by_digest_and_in_their_order():
    one, other, searched = (
        host_settings({"Dns": dns, "DnsSearch": search})["dns"]
        for dns, search in (
            (["192.0.2.1", "192.0.2.2"], []),
            (["192.0.2.2", "192.0.2.1"], None),
            ([], ["b", "a"]),
        )
    )
    assert one.startswith("2 sha256:")
    assert one != other
    assert searched == host_settings({"DnsSearch": ["a", "b"]})["dns"]


def test_what_a_build_on_an_image_runs_is_a_fact():
    process = run_configuration({"OnBuild": ["RUN make", "COPY . /srv"]})
    assert process.settings == {"on_build": "RUN make; COPY . /srv"}


def test_mounts_have_no_source():
    mounts = [
        {"Type": "bind", "Source": "/home/ada/secret-place", "Destination": "/srv", "RW": False},
        {"Type": "volume", "Name": "0123", "Destination": "/data", "RW": True},
    ]
    assert host_settings({}, mounts) == {"mounts": "bind:/srv:ro volume:/data"}


def test_hosts_and_profiles_are_told_by_digest():
    found = host_settings({"ExtraHosts": ["db:10.1.2.3"], "SecurityOpt": ['seccomp={"a": 1}']})
    assert "10.1.2.3" not in str(found)
    assert found["extra_hosts"].startswith("1 sha256:")
    assert found["security"].startswith("seccomp=sha256:")


def test_a_health_check_keeps_its_times():
    health = {"Test": ["CMD", "/bin/true"], "Interval": 30 * 10**9, "Timeout": 5 * 10**8,
              "Retries": 3}  # fmt: skip
    process = run_configuration({"Healthcheck": health})
    assert process.healthcheck == ("CMD", "/bin/true")
    assert process.healthcheck_times == "Interval=30s Timeout=0.5s Retries=3"
    found = health_options(process.healthcheck_times)
    assert {"Test": ["CMD", "/bin/true"], **found} == health
