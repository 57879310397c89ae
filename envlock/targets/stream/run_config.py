"""The run configuration of an image or container (OCI image-spec, config.md; Docker Engine API).

How a container was started decides as much as its image: limits, capabilities, mounts, a read-only
root.  What an engine sets when nothing was asked for is left out, so that a container and its image
do not differ by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from envlock.model.process import ProcessConfig
from envlock.targets.base import parse_environ

_SECOND = 10**9
_SHM_DEFAULT = 64 * 1024 * 1024
_TIMES = ("Interval", "Timeout", "StartPeriod", "StartInterval")
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def run_configuration(config: dict[str, Any]) -> ProcessConfig:
    """Return the ``config`` object of an image or container as a ProcessConfig."""
    health = config.get("Healthcheck") or {}
    return ProcessConfig(
        cmd=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        ports=tuple(config.get("ExposedPorts") or ()),
        volumes=tuple(config.get("Volumes") or ()),
        labels=config.get("Labels") or {},
        stop_signal=config.get("StopSignal") or "",
        environ=parse_environ(config.get("Env") or ()),
        healthcheck=tuple(map(str, health.get("Test") or ())),
        healthcheck_times=_times(health),
        shell=tuple(config.get("Shell") or ()),
        settings=_present(
            {
                "stop_timeout": _text(config.get("StopTimeout")),
                "on_build": "; ".join(map(str, config.get("OnBuild") or ())),
            }
        ),
    )


def host_settings(
    host: Mapping[str, Any], mounts: Iterable[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """Return what ``HostConfig`` and ``Mounts`` of a container say beyond the defaults.

    Sources of mounts, addresses and names of hosts identify a machine and are left out.
    """
    values = {name: read(host) for name, read in _READERS.items()}
    values["mounts"] = " ".join(sorted(map(_mount, mounts)))
    return _present(values)


def health_options(times: str) -> dict[str, int]:
    """Return the options of a health check from the text that `run_configuration` makes of them.

    >>> health_options("Interval=30s Retries=3")
    {'Interval': 30000000000, 'Retries': 3}
    """
    pairs = (pair.partition("=") for pair in times.split())
    return {
        name: round(float(value[:-1]) * _SECOND) if value.endswith("s") else int(value)
        for name, _, value in pairs
    }


def _times(health: Mapping[str, Any]) -> str:
    found = [f"{name}={int(health[name]) / _SECOND:g}s" for name in _TIMES if health.get(name)]
    if health.get("Retries"):
        found.append(f"Retries={int(health['Retries'])}")
    return " ".join(found)


def _present(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _text(value: Any) -> str:
    return "" if value in (None, False, 0, "", -1) else str(value)


def _size(value: Any) -> str:
    """Return a number of bytes in the largest unit that is exact."""
    if value == -1:
        return "unlimited"
    number = int(value or 0)
    for unit, name in _UNITS:
        if number and number % unit == 0:
            return f"{number // unit}{name}"
    return str(number or "")


def _words(values: Iterable[Any]) -> str:
    return " ".join(sorted({str(value) for value in values}))


def _capabilities(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda host: _words(
        str(each).upper().removeprefix("CAP_") for each in host.get(name) or ()
    )


def _flag(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda host: "true" if host.get(name) else ""


def _number(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda host: _text(host.get(name))


def _bytes(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda host: _size(host.get(name))


def _mode(name: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a reader of a namespace that is shared: with the host, or another container."""
    kinds = ("host", "none", "container")
    return lambda host: next((k for k in kinds if str(host.get(name) or "").startswith(k)), "")


def _shm_size(host: Mapping[str, Any]) -> str:
    return "" if host.get("ShmSize") == _SHM_DEFAULT else _size(host.get("ShmSize"))


def _swap(host: Mapping[str, Any]) -> str:
    swap, memory = host.get("MemorySwap") or 0, host.get("Memory") or 0
    return "" if swap == 2 * memory else _size(swap)


def _cpus(host: Mapping[str, Any]) -> str:
    if host.get("NanoCpus"):
        return f"{int(host['NanoCpus']) / _SECOND:g}"
    quota, period = int(host.get("CpuQuota") or 0), int(host.get("CpuPeriod") or 100_000)
    return f"{quota / period:g}" if quota > 0 else ""


def _ulimits(host: Mapping[str, Any]) -> str:
    return _words(f"{u['Name']}={u['Soft']}:{u['Hard']}" for u in host.get("Ulimits") or ())


def _security(host: Mapping[str, Any]) -> str:
    return _words(map(_short, host.get("SecurityOpt") or ()))


def _short(option: str) -> str:
    """Return a security option; of a profile that it holds only the digest."""
    name, sign, value = option.partition("=")
    if sign and value.lstrip().startswith("{"):
        return f"{name}=sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return option


def _pairs(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda host: _words(f"{k}={v}" for k, v in (host.get(name) or {}).items())


def _devices(host: Mapping[str, Any]) -> str:
    devices = host.get("Devices") or ()
    return _words(f"{d['PathInContainer']}:{d.get('CgroupPermissions', '')}" for d in devices)


def _gpus(host: Mapping[str, Any]) -> str:
    found = []
    for request in host.get("DeviceRequests") or ():
        count = request.get("Count") or len(request.get("DeviceIDs") or ())
        found.append(f"{request.get('Driver') or 'gpu'}:{'all' if count == -1 else count}")
    return _words(found)


def _restart(host: Mapping[str, Any]) -> str:
    policy = host.get("RestartPolicy") or {}
    name, most = str(policy.get("Name") or ""), policy.get("MaximumRetryCount") or 0
    return "" if name in ("", "no") else f"{name}:{most}" if most else name


def _published(host: Mapping[str, Any]) -> str:
    bindings = (host.get("PortBindings") or {}).items()
    return _words(
        f"{b.get('HostPort') or ''}:{port}" for port, all_ in bindings for b in all_ or ()
    )


def _addresses(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a reader of lists of addresses and names: their number and digest, as they decide."""

    def read(host: Mapping[str, Any]) -> str:
        # The order of name servers decides, that of hosts does not.
        found = [sorted(map(str, host.get(name) or ())) for name in names[1:]]
        found.insert(0, list(map(str, host.get(names[0]) or ())))
        count = sum(map(len, found))
        digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
        return f"{count} sha256:{digest}" if count else ""

    return read


def _extra_hosts(host: Mapping[str, Any]) -> str:
    names = sorted(map(str, host.get("ExtraHosts") or ()))
    digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()
    return f"{len(names)} sha256:{digest}" if names else ""


def _system_paths(host: Mapping[str, Any]) -> str:
    """Return ``unconfined`` where the paths that an engine hides were given free."""
    return "unconfined" if host.get("MaskedPaths") == [] and not host.get("Privileged") else ""


def _runtime(host: Mapping[str, Any]) -> str:
    return "" if host.get("Runtime") in ("runc", "crun", "oci") else _text(host.get("Runtime"))


def _mount(mount: Mapping[str, Any]) -> str:
    read_only = "" if mount.get("RW", True) else ":ro"
    return f"{mount.get('Type') or 'bind'}:{mount['Destination']}{read_only}"


_READERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "shm_size": _shm_size,
    "ulimits": _ulimits,
    "memory": _bytes("Memory"),
    "memory_reservation": _bytes("MemoryReservation"),
    "memory_swap": _swap,
    "cpus": _cpus,
    "cpu_shares": _number("CpuShares"),
    "cpuset": _number("CpusetCpus"),
    "pids_limit": _number("PidsLimit"),
    "oom_kill_disable": _flag("OomKillDisable"),
    "oom_score_adj": _number("OomScoreAdj"),
    "cap_add": _capabilities("CapAdd"),
    "cap_drop": _capabilities("CapDrop"),
    "privileged": _flag("Privileged"),
    "read_only": _flag("ReadonlyRootfs"),
    "init": _flag("Init"),
    "security": _security,
    "sysctls": _pairs("Sysctls"),
    "tmpfs": _pairs("Tmpfs"),
    "devices": _devices,
    "device_cgroup_rules": lambda host: _words(host.get("DeviceCgroupRules") or ()),
    "gpus": _gpus,
    "groups": lambda host: _words(host.get("GroupAdd") or ()),
    "network_mode": _mode("NetworkMode"),
    "ipc_mode": _mode("IpcMode"),
    "pid_mode": _mode("PidMode"),
    "uts_mode": _mode("UTSMode"),
    "userns_mode": _mode("UsernsMode"),
    "system_paths": _system_paths,
    "restart": _restart,
    "published": _published,
    "extra_hosts": _extra_hosts,
    "dns": _addresses("Dns", "DnsSearch", "DnsOptions"),
    "runtime": _runtime,
}
"""Fact -> how it is read from ``HostConfig`` (Docker Engine API, ContainerInspect)."""

HOST_FACTS = frozenset(_READERS) | {"mounts"}
"""Facts of a container that its image does not have."""
