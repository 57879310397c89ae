"""Programs of envlock that ask a library no file can answer for, each in a process of its own.

A broken driver can hang or crash whoever asks it; a process can be given up.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple, Protocol, runtime_checkable


class Probe(NamedTuple):
    """A module that is run, the library it needs (else it is not run), seconds it may take."""

    module: str
    library: str
    seconds: float


PROBES = {"nvml": Probe("envlock.targets.local.nvml", "pynvml", 10.0)}
_MAX_ANSWER = 1024 * 1024


@runtime_checkable
class SupportsProbe(Protocol):
    """A target that is the machine envlock runs on."""

    def probe(self, name: str) -> bytes | None:
        """Return what the probe `name` prints, or None where it cannot be run.

        Raise ValueError when it fails or does not end in time.
        """


def run_probe(probe: Probe) -> bytes | None:
    """Run a probe of this machine; see `Probing.probe`."""
    if find_spec(probe.library) is None:
        return None
    try:
        # -P: the current folder is not searched for the library.
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
