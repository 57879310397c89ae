"""Environment variables and what is run: of a container, an image, or the session on a host."""

from __future__ import annotations

import json
from collections.abc import Iterator

from envlock.capture.redact import redact_environ, redact_text
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.process import ProcessConfig
from envlock.model.record import Record
from envlock.target.base import Capability

_OWN_LABELS = "io.envlock."


def collect(view: View) -> Iterator[Record]:
    """Yield a record for each variable, and the run configuration where there is one."""
    process = view.process()
    if process is None:
        return
    yield from redact_environ(
        process.environ, view.env_allow, view.env_deny, is_session=process.is_session
    )
    for where, why in process.unreadable.items():
        view.gap(where, why)
    facts = _facts(process)
    if facts:
        yield Record("process", "", facts)


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
    sections=("env", "process"),
    reads=(),
    needs=frozenset({Capability.ENVIRON}),
    collect=collect,
    sources=("OCI image-spec, config.md", "environ(7)"),
)
