"""npm packages from the host's own npm, with its registries, proxies and credentials.

npm's cache is addressed by content (cacache), so a tarball is found there by its digest alone.  It
is looked for there first; what is missing, npm downloads into a cache of its own.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.npm import NpmPackage
from envlock.materialize.artifacts.sources.base import (
    ArtifactSource,
    SourceRequest,
    Tell,
    UnreachableSourceError,
)
from envlock.materialize.artifacts.sources.program import run_program

_RETRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
_TIMEOUT_SECONDS = 1800
_AT_ONCE = 200
"""How many packages one command is given: its arguments stay far below what a system allows."""
_UNREACHABLE = (
    "ECONNREFUSED",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
)
"""How npm calls that a host did not answer at all."""
_URL = re.compile(r"https?://[!-~]{1,500}\Z")
_WORD = re.compile(r"[!-&(-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmCache:
    """A cache of npm: the directory that has ``_cacache`` in it, None for that of this machine."""

    name: str = "npm's cache"
    path: Path | None = None
    is_local: bool = True

    def fetch(
        self,
        wanted: Sequence[Artifact],
        into: Path,
        tell: Tell,  # noqa: ARG002
    ) -> Mapping[Artifact, Path]:
        """Return the tarballs in the cache; nothing is copied."""
        packages = [artifact for artifact in wanted if isinstance(artifact, NpmPackage)]
        if not packages:
            return {}
        cache = self.path or Path(_configured(["cache"], into)["cache"])
        return {package: path for package in packages if (path := cached(package, cache)).is_file()}


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmRegistry:
    """The npm on PATH."""

    name: str = "this machine's npm"
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download tarballs into a cache below `into`.

        The address of a tarball follows from its name and version, so that no index is read; what
        is not there, npm is asked for by name.  Raise UnreachableSourceError when no registry
        answers.
        """
        packages = [artifact for artifact in wanted if isinstance(artifact, NpmPackage)]
        if not packages:
            return {}
        cache = into / "npm"
        keys = {each: f"@{each.scope}:registry" if each.scope else "registry" for each in packages}
        registries = _configured(sorted({"registry", *keys.values()}), into)
        for name_of in (lambda each: _address(each, registries, keys[each]), _by_name):
            left = [each for each in packages if not _has(each, cache)]
            for start in range(0, len(left), _AT_ONCE):
                batch = left[start : start + _AT_ONCE]
                _add({name_of(each): each for each in batch}, cache, into, tell)
        return {each: cached(each, cache) for each in packages if _has(each, cache)}


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the sources of npm packages."""
    return [NpmCache(), NpmRegistry()]


def cached(package: NpmPackage, cache: Path) -> Path:
    """Return where a cache of npm has the tarball with the digest of a package."""
    algorithm, _, digest = package.integrity.partition(":")
    return cache / "_cacache/content-v2" / algorithm / digest[:2] / digest[2:4] / digest[4:]


def _has(package: NpmPackage, cache: Path) -> bool:
    return cached(package, cache).is_file()


def _by_name(package: NpmPackage) -> str:
    return f"{package.full_name}@{package.version}"


def _address(package: NpmPackage, registries: Mapping[str, str], key: str) -> str:
    """Return the address of a tarball as registries form it, or its name without a registry."""
    registry = next((r for r in (registries[key], registries["registry"]) if _URL.match(r)), "")
    if not registry:
        return _by_name(package)
    file = f"{package.name}-{package.version}.tgz"
    return f"{registry.rstrip('/')}/{package.full_name}/-/{file}"


def _add(wanted: Mapping[str, NpmPackage], cache: Path, cwd: Path, tell: Tell) -> None:
    """Download into a cache of npm, by address or name.

    npm stops at the first one that a registry refuses; the others are then asked for again.
    """
    left = dict(wanted)
    while left := {name: each for name, each in left.items() if not _has(each, cache)}:
        done = _run("cache", "add", f"--cache={cache}", *_RETRIES, "--", *left, cwd=cwd)
        if done.returncode == 0:
            break
        refused = left.keys() & {word.strip(".,") for word in _WORD.findall(done.stderr)}
        if not refused:
            reason = _reason(done.stderr)
            if any(code in done.stderr for code in _UNREACHABLE):
                raise UnreachableSourceError(reason)
            tell(reason)
            break
        tell(f"npm has no {', '.join(sorted(refused))}")
        left = {name: each for name, each in left.items() if name not in refused}


def _reason(stderr: str) -> str:
    lines = [line.removeprefix("npm error ").strip() for line in stderr.splitlines()]
    told = [line for line in lines if "Error:" in line or "reason:" in line]
    return f"npm failed: {(told or lines or ['no message'])[0]}"


def _configured(keys: Sequence[str], cwd: Path) -> Mapping[str, str]:
    """Return the settings of npm with these keys, empty where there is none."""
    shown = _run("config", "get", "--", *keys, cwd=cwd).stdout
    lines = [f"{keys[0]}={shown}"] if len(keys) == 1 else shown.splitlines()
    found = dict(line.strip().partition("=")[::2] for line in lines)
    return {key: value if (value := found.get(key, "")) != "undefined" else "" for key in keys}


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    try:
        argv = ["npm", "--loglevel=error", "--no-update-notifier", *arguments]
        return run_program(argv, cwd=cwd, timeout=_TIMEOUT_SECONDS)
    except FileNotFoundError as error:
        raise SourceError("npm is not installed here", where="npm") from error
