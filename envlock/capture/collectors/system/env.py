"""Environment variables, command and loaded modules of a container, image or host session.

Loaded modules (module(1), Lmod) are a property of the process and not of the machine: they are
compared but enter no digest.  Installed modules are in the sections easybuild and spack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.accounts import ACCOUNT_READS
from envlock.capture.discover.package_folders import version_keys
from envlock.capture.discover.process_start import gone_path, start_faults
from envlock.formats.hpc import loaded_modules
from envlock.model.process import ProcessConfig
from envlock.model.record import Record
from envlock.secrets.arguments import redact_arguments, redact_command
from envlock.secrets.redact import redact_environ, redact_labels, redact_text
from envlock.secrets.urls import clean_facts
from envlock.targets.base import Capability

_MODULES = ("LOADEDMODULES", "_LMFILES_", "_ModuleTable", "__LMOD_", "__MODULES_")
"""Prefixes of the variables in which module systems record the loaded modules."""
_OWN_LABELS = "io.envlock."


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each variable and loaded module, and one for the process."""
    process = context.process()
    if process is None:
        return
    environ = {k: v for k, v in process.environ.items() if not k.startswith(_MODULES)}
    for record in redact_environ(
        environ,
        context.env_allow,
        context.env_deny,
        is_session=process.is_session,
        key=context.value_key,
    ):
        gone = gone_path(record.key, record.facts.get("value", ""), context)
        yield record._replace(facts={**record.facts, "gone": gone}) if gone else record
    yield from _modules(process)
    for where, why in process.unreadable.items():
        context.gap(where, why)
    facts = _facts(process) | start_faults(process, context)
    if facts:
        yield Record("process", "", facts)


def _modules(process: ProcessConfig) -> Iterator[Record]:
    """Yield the loaded modules, found in the variables with a prefix of `_MODULES`."""
    modules = {(m.name, m.version): m for m in loaded_modules(process.environ)}
    for names, key in version_keys(modules).items():
        module = modules[names]
        facts = {"version": module.version, "file": redact_text(module.file)}
        yield Record("module", key, clean_facts(facts) or {"loaded": "true"})


def _facts(process: ProcessConfig) -> dict[str, str]:
    labels = {k: v for k, v in process.labels.items() if not k.startswith(_OWN_LABELS)}
    entrypoint, command = redact_command(process.entrypoint, process.cmd)
    values = {
        "cmd": _json(list(command)),
        "exe": process.exe,
        "image": process.image,
        "container": process.container,
        "namespaces": " ".join(process.namespaces),
        "entrypoint": _json(list(entrypoint)),
        "user": process.user,
        "workdir": process.workdir,
        "ports": _json(sorted(process.ports)),
        "volumes": _json(sorted(process.volumes)),
        "labels": _json(redact_labels(dict(sorted(labels.items())))),
        "stop_signal": process.stop_signal,
        "healthcheck": _json(list(redact_arguments(process.healthcheck))),
        "healthcheck_times": process.healthcheck_times,
        "shell": _json(list(redact_arguments(process.shell))),
        **{name: redact_text(value) for name, value in process.settings.items()},
    }
    return {name: value for name, value in values.items() if value}


def _json(value: list[str] | dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) if value else ""


COLLECTOR = Collector(
    name="env",
    sections=("env", "process", "module"),
    reads=ACCOUNT_READS,
    needs=frozenset({Capability.ENVIRON}),
    collect=collect,
    sources=("OCI image-spec, config.md", "environ(7)", "module(1)"),
)
