"""How a container of a pod is started, beyond its command: limits, privileges, probes, mounts.

Source: Kubernetes API, Container v1 core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from envlock.secrets.arguments import redact_arguments

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_FLAGS = {
    "privileged": "privileged",
    "readOnlyRootFilesystem": "read_only",
    "runAsNonRoot": "run_as_non_root",
}


def container_settings(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of a container; what it does not state is left out."""
    security = spec.get("securityContext") or {}
    capabilities = security.get("capabilities") or {}
    found = {fact: "true" if security.get(name) else "" for name, fact in _FLAGS.items()}
    found["cap_add"] = _words(capabilities.get("add"))
    found["cap_drop"] = _words(capabilities.get("drop"))
    if security.get("allowPrivilegeEscalation") is False:
        found["no_new_privileges"] = "true"
    found["seccomp"] = str((security.get("seccompProfile") or {}).get("type") or "")
    for kind, values in (spec.get("resources") or {}).items():
        for name, value in (values or {}).items() if isinstance(values, dict) else ():
            found[f"{kind}_{name}"] = str(value)
    for name in _PROBES:
        found[name] = _probe(spec.get(name) or {})
    found["mounts"] = " ".join(
        sorted(f"{path}{':ro' if is_read_only else ''}" for path, is_read_only in mounts(spec))
    )
    return {name: value for name, value in found.items() if value}


def mounts(spec: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield where something is mounted over the files of the image, and whether read-only."""
    for mount in spec.get("volumeMounts") or ():
        yield str(mount["mountPath"]), bool(mount.get("readOnly"))


def _words(values: Any) -> str:
    names = {str(value).upper().removeprefix("CAP_") for value in values or ()}
    return " ".join(sorted(names))


def _probe(probe: Mapping[str, Any]) -> str:
    """Return a probe as JSON, its command without secrets."""
    shown = {name: value for name, value in probe.items() if name != "httpGet"}
    if "httpGet" in probe:
        hidden = "httpHeaders"
        shown["httpGet"] = {k: v for k, v in probe["httpGet"].items() if k != hidden}
    if "exec" in shown:
        command = redact_arguments([str(word) for word in shown["exec"].get("command") or ()])
        shown["exec"] = {"command": list(command)}
    return json.dumps(shown, sort_keys=True, separators=(",", ":")) if shown else ""
