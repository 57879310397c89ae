"""Environment variables and what is run: of a container, an image, or the session on a host.

Modules that are loaded (module(1), Lmod) belong to the process and not to the machine: they are
variables of one session, so they are compared and are in no digest.  What is installed to be
loaded is in the sections easybuild and spack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.package_folders import version_keys
from envlock.formats.hpc import loaded_modules
from envlock.model.process import ProcessConfig
from envlock.model.record import Record
from envlock.secrets.redact import redact_environ, redact_text
from envlock.secrets.urls import clean_facts
from envlock.targets.base import Capability

_MODULES = ("LOADEDMODULES", "_LMFILES_", "_ModuleTable", "__LMOD_", "__MODULES_")
"""What the names of variables begin with that say which modules are loaded."""
_OWN_LABELS = "io.envlock."


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each variable and loaded module, and for what is run."""
    process = context.process()
    if process is None:
        return
    environ = {k: v for k, v in process.environ.items() if not k.startswith(_MODULES)}
    yield from redact_environ(
        environ, context.env_allow, context.env_deny, is_session=process.is_session
    )
    yield from _modules(process)
    for where, why in process.unreadable.items():
        context.gap(where, why)
    facts = _facts(process)
    if facts:
        yield Record("process", "", facts)


def _modules(process: ProcessConfig) -> Iterator[Record]:
    """Yield the loaded modules, which the variables left out above name."""
    modules = {(m.name, m.version): m for m in loaded_modules(process.environ)}
    for names, key in version_keys(modules).items():
        module = modules[names]
        facts = {"version": module.version, "file": redact_text(module.file)}
        yield Record("module", key, clean_facts(facts) or {"loaded": "true"})


def _facts(process: ProcessConfig) -> dict[str, str]:
    labels = {k: v for k, v in process.labels.items() if not k.startswith(_OWN_LABELS)}
    values = {
        "cmd": _json([redact_text(word) for word in process.cmd]),
        "exe": process.exe,
        "image": process.image,
        "container": process.container,
        "namespaces": " ".join(process.namespaces),
        "entrypoint": _json([redact_text(word) for word in process.entrypoint]),
        "user": process.user,
        "workdir": process.workdir,
        "ports": _json(sorted(process.ports)),
        "volumes": _json(sorted(process.volumes)),
        "labels": _json({key: redact_text(value) for key, value in sorted(labels.items())}),
        "stop_signal": process.stop_signal,
    }
    return {name: value for name, value in values.items() if value}


def _json(value: list[str] | dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) if value else ""


COLLECTOR = Collector(
    name="env",
    sections=("env", "process", "module"),
    reads=(),
    needs=frozenset({Capability.ENVIRON}),
    collect=collect,
    sources=("OCI image-spec, config.md", "environ(7)", "module(1)"),
)
