"""Validation of the answer of the NVML probe (`envlock.targets.local.nvml`).

A JSON object: ``driver`` with the facts of the driver, ``gpus`` with one object of facts for each
GPU, including its ``model``, or ``error`` with the reason why NVML does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from envlock.model.document import parse_json
from envlock.model.record import Facts

_DRIVER_FACTS = ("branch", "cuda", "nvml")
_GPU_FACTS = ("compute-capability", "inforom", "mig", "persistence", "ecc")
_MAX_VALUE = 200
_MAX_GPUS = 1024


class NvmlAnswer(NamedTuple):
    """Facts of the driver, and of GPUs by model, with all values where GPUs of a model differ."""

    driver: Facts
    gpus: Mapping[str, Facts]


NO_ANSWER = NvmlAnswer({}, {})


def parse_nvml(raw: bytes) -> NvmlAnswer:
    """Return the answer of the probe.  Raise ValueError with the reason when there is none."""
    try:
        document = parse_json(raw)
    except ValueError:
        raise ValueError("the probe gave no answer") from None
    if not isinstance(document, dict) or "error" in document:
        reason = _text(document.get("error")) if isinstance(document, dict) else ""
        raise ValueError(reason or "the probe gave no answer")
    found: dict[str, dict[str, set[str]]] = {}
    gpus = document.get("gpus")
    for gpu in gpus[:_MAX_GPUS] if isinstance(gpus, list) else ():
        facts = _facts(gpu, ("model", *_GPU_FACTS))
        model = facts.pop("model", "")
        if model:
            values = found.setdefault(model, {})
            for name, value in facts.items():
                values.setdefault(name, set()).add(value)
    merged = {
        model: {name: " ".join(sorted(texts)) for name, texts in values.items()}
        for model, values in found.items()
    }
    return NvmlAnswer(_facts(document.get("driver"), _DRIVER_FACTS), merged)


def _facts(value: object, names: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    texts = {name: _text(value.get(name)) for name in names}
    return {name: text for name, text in texts.items() if text}


def _text(value: object) -> str:
    return " ".join(value.split())[:_MAX_VALUE] if isinstance(value, str) else ""
