"""Wheels from the host's own pip, with its indexes, certificates and credentials.

pip is asked for exactly the file that was installed: the wheel's own tags are given as the
platform, so the answer does not depend on the machine that asks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.names import Folder
from envlock.materialize.artifacts.sources.base import (
    ArtifactSource,
    SourceRequest,
    Tell,
    UnreachableSourceError,
)
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.program import run_program

_TIMEOUT_SECONDS = 1800


_UNREACHABLE = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "No route to host",
    "Connection refused",
)
"""What pip quotes of urllib3 and the system when nothing answers."""


_PUBLISHED = (
    "manylinux1", "manylinux2010", "manylinux2014", "manylinux_2_17", "manylinux_2_24",
    "manylinux_2_27", "manylinux_2_28", "manylinux_2_31", "manylinux_2_34", "manylinux_2_35",
)  # fmt: skip
"""What indexes call the platform of wheels whose own tag is ``linux_ARCH`` (PEP 600)."""


class _Tags(NamedTuple):
    python: str
    abis: tuple[str, ...]
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipSource:
    """The pip of this interpreter, or the first one on PATH."""

    name: str = "this machine's pip"
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download wheels into `into`.

        All wheels for one interpreter are requested at once, for all their platforms together.
        Where pip chose another file of a release or did not find all of them, the missing ones
        are requested one by one; what pip says of these is told.
        """
        wheels = [artifact for artifact in wanted if isinstance(artifact, Wheel)]
        if not wheels:
            return {}
        pip = _find_pip()
        found: dict[Artifact, Path] = {}
        for python, group in groupby(sorted(wheels, key=_order), key=_python):
            batch = list(group)
            said = _download(pip, _tags(python, batch), batch, into)
            found.update(_named(batch, into))
            if not found and any(map(is_unreachable, said)):
                line = next(filter(is_unreachable, said))
                raise UnreachableSourceError(f"pip download failed: {_cause(line)}")
            for wheel in batch:
                if wheel not in found:
                    for line in _download(pip, _tags(python, [wheel]), [wheel], into):
                        tell(line)
            found.update(_named(batch, into))
        return found


def _named(wheels: Sequence[Wheel], into: Path) -> Mapping[Artifact, Path]:
    """Return the files that pip made of wheels; a file may be that of several."""
    folder = Folder(into)
    found = {wheel: next(folder.named(wheel), None) for wheel in wheels}
    return {wheel: path for wheel, path in found.items() if path is not None}


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the sources of wheels: pip's cache, then pip."""
    return [DirectorySource(name="pip's cache", path=_pip_cache(os.environ)), PipSource()]


def is_built_here(path: Path) -> bool:
    """True for a wheel in pip's cache that pip built of a source distribution: no index has it."""
    return path.is_relative_to(_pip_cache(os.environ) / "wheels")


def _pip_cache(environ: Mapping[str, str]) -> Path:
    """Return the directory of pip's cache, in which the files of wheels are named by digests."""
    home = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/")) / ".cache")
    return Path(environ.get("PIP_CACHE_DIR") or home / "pip")


def _python(wheel: Wheel) -> str:
    return wheel.python


def _order(wheel: Wheel) -> tuple[str, Wheel]:
    return wheel.python, wheel


def _tags(python: str, wheels: Sequence[Wheel]) -> _Tags:
    """Return the tags of all `wheels` together: name-version[-build]-python-abi-platform.whl."""
    parts = [wheel.filename.removesuffix(".whl").split("-") for wheel in wheels]
    abis = {abi for part in parts for abi in part[-2].split(".")} - {"none", "abi3"}
    platforms = {platform for part in parts for platform in part[-1].split(".")} - {"any"}
    plain = [each.removeprefix("linux") for each in platforms if each.startswith("linux_")]
    platforms |= {f"{name}{end}" for end in plain for name in _PUBLISHED}
    return _Tags(python, tuple(sorted(abis)), tuple(sorted(platforms)))


def _download(pip: Sequence[str], tags: _Tags, wheels: Sequence[Wheel], into: Path) -> list[str]:
    """Run pip; return the warnings and errors it printed."""
    argv = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(into)]
    argv += [
        "--disable-pip-version-check",
        "--implementation=cp",
        f"--python-version={tags.python}",
    ]
    argv += [f"--abi={abi}" for abi in tags.abis]
    argv += [f"--platform={platform}" for platform in (*tags.platforms, "any")]
    argv += ["--", *(f"{wheel.name}=={wheel.version}" for wheel in wheels)]
    done = run_program(argv, cwd=into, timeout=_TIMEOUT_SECONDS)
    return [line for line in done.stderr.splitlines() if line.startswith(("ERROR:", "WARNING:"))]


def is_unreachable(line: str) -> bool:
    """True for a message of pip that says that an index did not answer at all."""
    return any(words in line for words in _UNREACHABLE)


def _cause(line: str) -> str:
    """Return the innermost reason of ``... broken by 'NewConnectionError(...)': /path``."""
    return line.partition("': /")[0].rpartition(": ")[2].strip("\"')") or line


def _find_pip() -> Sequence[str]:
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    found = shutil.which("pip") or shutil.which("pip3")
    if found is None:
        raise SourceError(
            "pip is not installed here", hint="install pip, or name a directory of wheels"
        )
    return [found]
