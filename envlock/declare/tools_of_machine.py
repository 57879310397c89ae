"""What a sandbox takes from this machine: settings of apt, pip and npm, and certificates."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from envlock.declare.inputs import Inputs
from envlock.errors import ConfigError, SandboxError, SourceError
from envlock.reading import read_file

_LIMIT = 8 << 20
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_APT = re.compile(r'Acquire::(?:https?::[A-Za-z:.-]+|Retries|ForceIPv[46]) "[^"\\]*"')
_PIP = re.compile(
    r"(?:global|install|:env:)\.(index-url|extra-index-url|trusted-host|timeout|proxy)='(.*)'"
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Tools(NamedTuple):
    """What a sandbox needs beside its declaration.

    `files` are put beside the scripts, by name.
    """

    architecture: str
    apt_options: tuple[str, ...]
    lines_of_result: tuple[str, ...]
    files: Mapping[str, bytes]


def tools_of_machine(lines_of_result: list[str]) -> Tools:
    """Read the settings of this machine."""
    files = {}
    for name, path in (("ca.crt", _CERTIFICATES), ("npmrc", os.path.expanduser("~/.npmrc"))):
        if content := _content(path):
            files[name] = content
    if indices := _pip_settings(_output([sys.executable, "-m", "pip", "config", "list"])):
        files["pip.conf"] = indices
    dumped = _output(["apt-config", "dump"])
    options = [line.rstrip(";") for line in dumped.splitlines()]
    machine = platform.machine()
    return Tools(
        architecture=_ARCHITECTURES.get(machine, machine),
        apt_options=tuple(option for option in options if _APT.fullmatch(option)),
        lines_of_result=tuple(lines_of_result),
        files=files,
    )


def install_npm(inputs: Inputs, folder: Path) -> None:
    """Run ``npm ci`` of this machine, without scripts; pack the result into ``npm.tar``.

    Raise SandboxError without npm, SourceError and ConfigError when it fails.  Raise OSError.
    """
    if not shutil.which("npm"):
        raise SandboxError(
            "npm is needed, in the environment or on this machine",
            hint='add "npm" to apt in the declaration, or run `apt-get install npm`',
        )
    place = folder / "npm"
    place.mkdir()
    for name, file in inputs.npm.items():
        (place / name).write_bytes(file.content)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "")[:300]
        if re.search(r"ECONN|ENOTFOUND|ETIMEDOUT|E404|EAI_AGAIN", done.stderr):
            raise SourceError(f"npm cannot fetch: {said}", hint="see `npm config get registry`")
        raise ConfigError(f"npm cannot install: {said}", hint="run `npm install` in the project")
    pack = ["tar", "-C", str(place), "--owner=0", "--group=0", "--numeric-owner", "--sort=name"]
    pack += ["--mode=u+rwX,go=rX", "-cf", str(folder / "npm.tar"), "."]
    subprocess.run(pack, check=True, capture_output=True)
    shutil.rmtree(place)


def codename_of(os_release: Path) -> str:
    """Return the release of this machine, empty if it has none: ``VERSION_CODENAME``."""
    content = _content(str(os_release)).decode("utf-8", "replace")
    match = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", content, re.MULTILINE)
    return match[1] if match else ""


def _content(path: str) -> bytes:
    try:
        return read_file(path, _LIMIT)
    except OSError:
        return b""


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def _pip_settings(listed: str) -> bytes:
    """Return a configuration of pip with the indices of this machine that a sandbox can reach."""
    found: dict[str, str] = {}
    for name, value in _PIP.findall(listed):
        words = [word for word in value.split() if not word.startswith(("file:", "/"))]
        if words:
            found[name] = " ".join(words)
    lines = [f"{name} = {value}\n" for name, value in found.items()]
    return "".join(["[global]\n", *lines]).encode() if lines else b""
