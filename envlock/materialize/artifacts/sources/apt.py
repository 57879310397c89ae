"""Debian packages through the host's own apt: its proxies, certificates and credentials.

Two sources of one kind: the host's apt as it is configured, and the same apt with the sources the
captured environment used.  The second runs in a private state directory, as any user, and changes
nothing of the host.  Its indices are not checked for signatures, because nothing they say is
believed: every file of a package is verified against the lock.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact, Deb

_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class AptSource:
    """apt with some options.  `prepare` is run once before the first question."""

    name: str
    options: tuple[str, ...] = ()
    prepare: bool = False
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:
        """Download what apt knows into `into`."""
        debs = [artifact for artifact in wanted if isinstance(artifact, Deb)]
        if not debs:
            return {}
        if self.prepare:
            self._run("apt-get", "update", cwd=into)
        known = self._known(debs, into)
        if known:
            # One package that vanished from the pool must not keep the others from arriving.
            self._run("apt-get", "download", *map(_specifier, known), cwd=into, check=False)
        return {deb: path for deb in known if (path := into / deb.filename).is_file()}

    def _known(self, debs: Sequence[Deb], cwd: Path) -> list[Deb]:
        shown = self._run("apt-cache", "show", *map(_specifier, debs), cwd=cwd, check=False)
        found = set()
        for stanza in shown.split("\n\n"):
            fields = dict(
                line.split(": ", 1)
                for line in stanza.splitlines()
                if line.startswith(("Package: ", "Version: ", "Architecture: "))
            )
            found.add((fields.get("Package"), fields.get("Version"), fields.get("Architecture")))
        return [deb for deb in debs if (deb.name, deb.version, deb.arch) in found]

    def _run(self, program: str, verb: str, *operands: str, cwd: Path, check: bool = True) -> str:
        argv = [program, "-q", *self.options, verb, *operands]
        try:
            done = subprocess.run(
                argv,
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
                env=None,
            )
        except FileNotFoundError as error:
            raise SourceError("apt is not installed here", where=program) from error
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"{program} {verb} did not end", where=self.name) from error
        if check and done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise SourceError(f"{program} {verb} failed: {lines[-1]}", where=self.name)
        return done.stdout


def host_apt() -> AptSource:
    """Return the host's apt with the indices it has now."""
    return AptSource(name="this machine's apt", options=("-oAPT::Sandbox::User=root",))


def captured_apt(lines: Sequence[str], architectures: Sequence[str], state: Path) -> AptSource:
    """Return apt with the sources of the captured environment, in a state directory of its own.

    `lines` are one-line sources.list entries without options, `state` a directory to keep the
    indices in.
    """
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    listing = state / "sources.list"
    listing.write_text("".join(f"{_trusted(line)}\n" for line in lines))
    options = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": listing,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": architectures[0],
        "APT::Sandbox::User": "root",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Languages": "none",
        "Acquire::Check-Valid-Until": "false",
    }
    flags = [f"-o{key}={value}" for key, value in options.items()]
    flags += [f"-oAPT::Architectures::={arch}" for arch in architectures]
    name = "the captured apt sources"
    return AptSource(name=name, options=tuple(flags), prepare=True)


def _trusted(line: str) -> str:
    kind, rest = line.split(" ", 1)
    return f"{kind} [trusted=yes] {rest}"


def _specifier(deb: Deb) -> str:
    return (
        f"{deb.name}:{deb.arch}={deb.version}" if deb.arch != "all" else f"{deb.name}={deb.version}"
    )
