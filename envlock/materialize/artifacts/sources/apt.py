"""Debian packages from the host's own apt, with its proxies, certificates and credentials.

The host's apt is asked as it is configured, then the same program with other sources: those of the
captured environment, and mirrors from the settings.  For these it runs in a private state
directory, as any user, and changes nothing on the host.  The signatures of their indexes are not
checked, because nothing an index says is relied on: each package is verified against the lock.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.sources.base import (
    ArtifactSource,
    NothingListedError,
    SourceRequest,
    Tell,
    UnreachableSourceError,
)
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.program import run_program
from envlock.model.lock import Lock

_TIMEOUT_SECONDS = 1800
_ARCHIVES = Path("/var/cache/apt/archives")
_URL = re.compile(r"(?:mirror\+|tor\+)?https?://[!-Z^-~]+\Z")
_PATIENCE = ("-oAcquire::Retries=2", "-oAcquire::http::Timeout=30", "-oAcquire::https::Timeout=30")
_NOISE = (
    "W: Download is performed unsandboxed",
    "W: No sandbox user",
    "W: Some index files failed to download",
    "E: Some index files failed to download",
    "E: Unable to fetch some archives",
)
_UNREACHABLE = (
    "Temporary failure resolving",
    "Could not resolve",
    "Could not connect",
    "Cannot initiate the connection",
    "Unable to connect",
    "Network is unreachable",
    "No route to host",
    "Connection timed out",
    "connection timed out",
)
"""What apt's http method says when nothing answers (methods/connect.cc)."""
_WORD = re.compile(r"[A-Za-z0-9./_-]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class AptSource:
    """apt with some options.

    `updates`: its indexes are private and must be downloaded before the first question.
    """

    name: str
    options: tuple[str, ...] = ()
    updates: bool = False
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that its indexes list into `into`.

        What apt says about failures is told.
        """
        debs = [artifact for artifact in wanted if isinstance(artifact, Deb)]
        if not debs:
            return {}
        update = self._run("apt-get", "update", cwd=into) if self.updates else _NOTHING_RAN
        known = self._known(debs, into)
        if not known and update.failures:
            raise _failed("apt-get update failed", update.failures)
        for line in update.failures:
            tell(line)
        if not known and not self.updates:
            raise NothingListedError("its indexes list none of these versions")
        if not known:
            return {}
        # Packages that vanished from the pool do not hold up the others.
        done = self._run("apt-get", "download", "--", *map(_specifier, known), cwd=into)
        found: dict[Artifact, Path] = {}
        found |= {deb: path for deb in known if (path := into / deb.filename).is_file()}
        if not found and done.failures:
            raise _failed("apt-get download failed", done.failures)
        for line in done.failures:
            tell(line)
        return found

    def _known(self, debs: Sequence[Deb], cwd: Path) -> list[Deb]:
        shown = self._run("apt-cache", "show", "--", *map(_specifier, debs), cwd=cwd).output
        found = set()
        for stanza in shown.split("\n\n"):
            fields = dict(
                line.split(": ", 1)
                for line in stanza.splitlines()
                if line.startswith(("Package: ", "Version: ", "Architecture: "))
            )
            found.add((fields.get("Package"), fields.get("Version"), fields.get("Architecture")))
        return [deb for deb in debs if (deb.name, deb.version, deb.arch) in found]

    def _run(self, program: str, verb: str, *operands: str, cwd: Path) -> _Ran:
        argv = [program, "-q", *self.options, *_PATIENCE, verb, *operands]
        try:
            env = {**os.environ, "LC_ALL": "C.UTF-8"}
            done = run_program(argv, cwd=cwd, timeout=_TIMEOUT_SECONDS, env=env)
        except FileNotFoundError as error:
            raise SourceError("apt is not installed here", where=program) from error
        told = [
            line for line in done.stderr.splitlines() if line.startswith(("E: ", "W: ", "Err:"))
        ]
        told = [line for line in told if not line.startswith(_NOISE)]
        if done.returncode and not told:
            told = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        return _Ran(done.stdout, tuple(dict.fromkeys(told)))


class _Ran(NamedTuple):
    """What a program of apt printed, and the lines of it that tell of failures."""

    output: str
    failures: tuple[str, ...]


_NOTHING_RAN = _Ran("", ())


def _failed(what: str, lines: Sequence[str]) -> SourceError:
    """Return the error of an apt that gave nothing: unreachable when nothing answered."""
    error = UnreachableSourceError if all(map(is_unreachable, _causes(lines))) else SourceError
    return error(f"{what}: {next(filter(is_unreachable, lines), lines[0])}")


def _causes(lines: Sequence[str]) -> list[str]:
    """Return the lines that name a cause: those at the end only say that something failed."""
    return [line for line in lines if "Failed to fetch" in line] or list(lines)


def is_unreachable(line: str) -> bool:
    """True for a message of apt that says that a host did not answer at all."""
    return any(words in line for words in _UNREACHABLE)


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:
    """Return the sources of Debian packages from near to far.

    They are apt's cache, the captured sources, this machine's apt, and each of the mirrors with the
    suites of the captured sources.
    """
    found: list[ArtifactSource] = [
        DirectorySource(name="apt's cache", path=_ARCHIVES, by_content=False)
    ]
    captured = apt_lines(request.lock)
    if captured:
        found.append(private_apt("the captured apt sources", captured, request))
    found.append(AptSource(name="this machine's apt", options=("-oAPT::Sandbox::User=root",)))
    found += [
        private_apt(mirror, mirror_lines(mirror, request.lock), request)
        for mirror in request.mirrors
    ]
    return found


def private_apt(name: str, lines: Sequence[str], request: SourceRequest) -> AptSource:
    """Return apt with other sources, in a state directory of its own below the cache.

    `lines` are entries of sources.list(5) in one-line style, without options.
    """
    key = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    state = request.cache / "apt" / key
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    listing = state / "sources.list"
    listing.write_text("".join(f"{_trusted(line)}\n" for line in lines))
    architectures = _architectures(request)
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
    return AptSource(name=name, options=tuple(flags), updates=True)


def apt_lines(lock: Lock) -> list[str]:
    """Return the binary sources of a lock in the one-line style of sources.list(5).

    Options are left out.  A lock may come from anyone, so apt is given only words that cannot be
    anything else, and only transports over HTTP: its ssh and copy methods run or read things here.
    """
    found = (
        (facts.get("uri", ""), facts.get("suite", ""), *facts.get("components", "").split(" "))
        for facts in lock.sections.get("apt-source", {}).values()
        if facts.get("type") == "deb" and facts.get("enabled") == "true"
    )
    return [
        f"deb {' '.join(words).strip()}"
        for words in found
        if _URL.match(words[0]) and all(_WORD.match(word) for word in words[1:])
    ]


def mirror_lines(mirror: str, lock: Lock) -> list[str]:
    """Return the sources of a lock with another URL, each suite once.

    Of a lock without sources it is the suite of its release.  Which suites a mirror has is not
    known before apt asks it.
    """
    suites = [line.split(" ", 2)[2] for line in apt_lines(lock) if line.count(" ") > 1]
    suites = suites or [f"{lock.get('os').get('codename', 'stable')} main"]
    return [f"deb {mirror} {suite}" for suite in dict.fromkeys(suites)]


def _architectures(request: SourceRequest) -> tuple[str, ...]:
    """Return the architectures of the wanted packages, that of the captured system first."""
    wanted = {deb.arch for deb in request.wanted if isinstance(deb, Deb)} - {"all"}
    own = request.lock.get("os").get("arch", "")
    native = [own] if own in wanted else []
    return (*native, *sorted(wanted - {own})) or ("amd64",)


def _trusted(line: str) -> str:
    kind, rest = line.split(" ", 1)
    return f"{kind} [trusted=yes] {rest}"


def _specifier(deb: Deb) -> str:
    return (
        f"{deb.name}:{deb.arch}={deb.version}" if deb.arch != "all" else f"{deb.name}={deb.version}"
    )
