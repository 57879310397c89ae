"""Query the NVIDIA Management Library (NVML) and print the result as JSON; run as a program.

Needs the optional library ``nvidia-ml-py``.  What identifies a device (serial number, UUID, bus
address) is not queried.  Source: NVML API reference; `envlock.formats.hardware.nvml` describes the
result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any


def main() -> int:
    """Print the result, or an object with the one key ``error``."""
    import pynvml

    try:
        pynvml.nvmlInit()
        answer = {"driver": _driver(pynvml), "gpus": list(_gpus(pynvml))}
        pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)
    return 0


def _driver(nvml: Any) -> dict[str, str]:
    ask = _asker(nvml)
    cuda = ask(nvml, "nvmlSystemGetCudaDriverVersion_v2")
    return {
        "cuda": f"{cuda // 1000}.{cuda % 1000 // 10}" if isinstance(cuda, int) else "",
        "nvml": _text(ask(nvml, "nvmlSystemGetNVMLVersion")),
        "branch": _branch(nvml, ask),
    }


def _branch(nvml: Any, ask: Callable[..., Any]) -> str:
    answer = ask(nvml, "nvmlSystemGetDriverBranch")
    return _text(getattr(answer, "branch", answer))


def _gpus(nvml: Any) -> Iterator[dict[str, str]]:
    ask = _asker(nvml)
    for index in range(nvml.nvmlDeviceGetCount()):
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        capability = ask(nvml, "nvmlDeviceGetCudaComputeCapability", device)
        yield {
            "model": _text(ask(nvml, "nvmlDeviceGetName", device)),
            "compute-capability": ".".join(map(str, capability)) if capability else "",
            "inforom": _text(ask(nvml, "nvmlDeviceGetInforomImageVersion", device)),
            "mig": _switch((ask(nvml, "nvmlDeviceGetMigMode", device) or [None])[0]),
            "ecc": _switch((ask(nvml, "nvmlDeviceGetEccMode", device) or [None])[0]),
            "persistence": _switch(ask(nvml, "nvmlDeviceGetPersistenceMode", device)),
        }


def _asker(nvml: Any) -> Callable[..., Any]:
    def ask(library: Any, name: str, *arguments: Any) -> Any:
        """Return the result of a function, None where the driver or device does not support it."""
        try:
            return getattr(library, name)(*arguments)
        except (nvml.NVMLError, AttributeError):
            return None

    return ask


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _switch(value: object) -> str:
    return {0: "off", 1: "on"}.get(value, "") if isinstance(value, int) else ""


if __name__ == "__main__":
    sys.exit(main())
