"""Why a sandbox could not be made or filled: one sentence and the way on, from what tools said."""

from __future__ import annotations

import re

from envlock.config.declare_table import Declaration
from envlock.errors import ConfigError, EnvlockError, SandboxError, SourceError, StoreError
from envlock.secrets.redact import redact_text

_LONGEST = 300
_UNKNOWN = re.compile(r"E: Unable to locate package (\S+)")
_NO_VERSION = re.compile(r"E: Version '([^']*)' for '([^']*)' was not found")
_NO_CANDIDATE = re.compile(r"E: Package '([^']*)' has no installation candidate")
_NO_PYTHON = re.compile(r"ERROR: No matching distribution found for (\S+)")
_FULL = re.compile(r"No space left on device|You don't have enough free space|ENOSPC")
_GONE = re.compile(
    r"Failed to fetch|Could not resolve|does not have a Release file|Unable to connect"
    r"|Connection refused|Temporary failure|ECONNREFUSED|ENOTFOUND|Max retries|404  Not Found"
)
_NOT_ALLOWED = re.compile(
    r"unshare|newuidmap|/etc/subuid|Operation not permitted|user namespace", re.IGNORECASE
)
_TELLING = re.compile(r"E: |ERROR: |npm ERR! |npm error |dpkg: error|[\w./]*sh: ")
_UNTELLING = re.compile(r"^I: |mmdebstrap failed|command failed")


def no_sandbox(why: str) -> SandboxError:
    """Return the error for a machine on which no sandbox can be made."""
    return SandboxError(
        f"no sandbox can be made here: {why}",
        hint="run `apt-get install mmdebstrap uidmap`, or run envlock as root",
    )


def error_of(said: str, declaration: Declaration) -> EnvlockError:
    """Return the error for what the tools said last; without secrets, and one line."""
    where = f"declare.{declaration.name}"
    if match := _UNKNOWN.search(said) or _NO_CANDIDATE.search(said):
        return ConfigError(
            f"{declaration.origin} has no package {match[1]}",
            where=where,
            hint="see `apt` and `components` in envlock.toml",
        )
    if match := _NO_VERSION.search(said):
        return ConfigError(
            f"{declaration.origin} has no version {match[1]} of {match[2]}",
            where=where,
            hint="remove the version, or name mirrors that have it",
        )
    if match := _NO_PYTHON.search(said):
        return ConfigError(
            f"the index of pip has nothing for {match[1]} here",
            where=where,
            hint="see `python` in envlock.toml, and `pip config list`",
        )
    line = _telling_line(said)
    if _FULL.search(said):
        hint = "make room in the directory of temporary files, or set TMPDIR to another"
        return StoreError("the disk is full", where=where, hint=hint)
    if _GONE.search(said):
        hint = "see `mirrors` in envlock.toml, and whether this machine is connected"
        return SourceError(f"cannot fetch what is declared: {line}", where=where, hint=hint)
    if _NOT_ALLOWED.search(said):
        return no_sandbox(line)
    return SandboxError(
        f"the declaration cannot be installed: {line}",
        where=where,
        hint="the lock is unchanged; see `apt`, `python` and `npm` in envlock.toml",
    )


def _telling_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    useful = [line for line in lines if not _UNTELLING.search(line)]
    telling = [line for line in useful if _TELLING.match(line)]
    text = (telling[:1] or useful[-1:] or ["no reason was given"])[0]
    return redact_text(text.removeprefix("E: "))[:_LONGEST]
