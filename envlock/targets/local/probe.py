"""Probes: programs of envlock that ask a driver library for facts that no file states.

Each runs in a process of its own, because a broken driver can hang or crash its caller.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple, Protocol, runtime_checkable


class Probe(NamedTuple):
    """A module that is run as a program, the library it needs, and its time limit in seconds."""

    module: str
    library: str
    seconds: float


PROBES = {"nvml": Probe("envlock.targets.local.nvml", "pynvml", 10.0)}
_MAX_ANSWER = 1024 * 1024


@runtime_checkable
class SupportsProbe(Protocol):
    """A target that can run probes: the machine that envlock runs on."""

    def probe(self, name: str) -> bytes | None:
        """Return the output of the probe `name`, None where its library is missing.

        Raise ValueError when it fails or exceeds its time limit.
        """


def run_probe(probe: Probe) -> bytes | None:
    """Run a probe of this machine; see `Probing.probe`."""
    if find_spec(probe.library) is None:
        return None
    try:
        # -P: do not search the current directory for the library.
        done = subprocess.run(
            [sys.executable, "-P", "-m", probe.module],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=probe.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"no answer within {probe.seconds:g} seconds") from None
    except OSError as error:
        raise ValueError(f"cannot be run: {error.strerror}") from None
    if done.returncode < 0:
        raise ValueError(f"ended by signal {-done.returncode}")
    if done.returncode or len(done.stdout) > _MAX_ANSWER:
        raise ValueError("the probe failed")
    return done.stdout
