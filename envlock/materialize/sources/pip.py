"""Wheels through the host's own pip: its indexes, certificates and credentials.

pip is asked for exactly the file that was installed: the wheel's own tags are given as the
platform, so the answer does not depend on the machine that asks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.materialize.artifact import Artifact, Wheel

_TIMEOUT_SECONDS = 1800


class _Tags(NamedTuple):
    python: str
    abi: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PipSource:
    """The pip of this interpreter, or the first on PATH."""

    name: str = "this machine's pip"
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:
        """Download wheels into `into`; a wheel that pip cannot find does not stop the others."""
        wheels = sorted(artifact for artifact in wanted if isinstance(artifact, Wheel))
        if not wheels:
            return {}
        pip = _pip()
        for tags, group in groupby(sorted(wheels, key=_tags), key=_tags):
            batch = list(group)
            if not _download(pip, tags, batch, into) and len(batch) > 1:
                for wheel in batch:
                    _download(pip, tags, [wheel], into)
        return {wheel: path for wheel in wheels if (path := into / wheel.filename).is_file()}


def _download(pip: Sequence[str], tags: _Tags, wheels: Sequence[Wheel], into: Path) -> bool:
    argv = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(into)]
    argv += ["--disable-pip-version-check", *_platform(tags)]
    argv += [f"{wheel.name}=={wheel.version}" for wheel in wheels]
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, cwd=into
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError("pip download did not end", hint="check the network") from error
    return done.returncode == 0


def _pip() -> Sequence[str]:
    mine = [sys.executable, "-m", "pip"]
    if subprocess.run([*mine, "--version"], capture_output=True, check=False).returncode == 0:
        return mine
    found = shutil.which("pip") or shutil.which("pip3")
    if found is None:
        raise SourceError(
            "pip is not installed here", hint="install pip, or give a wheel directory"
        )
    return [found]


def _tags(wheel: Wheel) -> _Tags:
    """Return the tags of a wheel file name: name-version[-build]-python-abi-platform.whl."""
    *_, python, abi, platform = wheel.filename.removesuffix(".whl").split("-")
    return _Tags(python, abi, platform)


def _platform(tags: _Tags) -> Iterator[str]:
    first = tags.python.split(".")[0]
    yield from ("--implementation", first[:2])
    digits = first[2:]
    # A wheel for any Python 3 is offered to every interpreter; abi3 wheels to newer ones too.
    yield from ("--python-version", f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits)
    for abi in tags.abi.split("."):
        yield from ("--abi", abi)
    for platform in tags.platform.split("."):
        yield from ("--platform", platform)
