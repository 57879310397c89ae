"""The sandbox in which a declaration is installed once, by mmdebstrap(1) and its apt."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from envlock.config.declare_table import PYTHON_INPUTS, Declaration
from envlock.declare.image import write_layout
from envlock.declare.inputs import Inputs
from envlock.declare.pins import Pins
from envlock.declare.python_packages import Requirements, requirements_of
from envlock.declare.scripts import (
    EPOCH,
    ROOT_ARCHIVE,
    TOOLS,
    filling,
    finishing,
    names_of_packages,
)
from envlock.declare.solve import pins_that_hold
from envlock.declare.tools_of_machine import Tools, install_npm
from envlock.declare.trouble import error_of, no_sandbox
from envlock.errors import ConfigError, StoreError
from envlock.writing import ScratchDirectory

_LAST = 64 * 1024
"""How many bytes of what a tool says last are looked at for the reason of a failure."""
_KEPT = ("PATH", "HOME", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY")
"""The variables of this process that a sandbox gets: no other may have an effect on it."""
_PURPOSE = "envlock-sandbox"


class Installed(NamedTuple):
    """The OCI layout of what was installed, and the pins that could be held."""

    layout: Path
    pins: Pins


class Sandbox:
    """A temporary directory in which one declaration is installed.

    It is removed at the end, or by the next one when this process is killed.
    """

    def __init__(self, declaration: Declaration, inputs: Inputs, lines: Sequence[str]) -> None:
        self._declaration = declaration
        self._inputs = inputs
        self._lines = lines
        self._scratch = ScratchDirectory(Path(tempfile.gettempdir()), _PURPOSE)

    @property
    def folder(self) -> Path:
        """The temporary directory."""
        return self._scratch.path

    def __enter__(self) -> Self:
        try:
            self._scratch.create()
            # Where user namespaces are used, the root of one is another user.
            self.folder.chmod(0o711)
        except OSError as error:
            raise StoreError(f"cannot create a sandbox: {error.strerror}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scratch.close()

    def install(self, pins: Pins, tools: Tools) -> Installed:
        """Install the declaration; return what is to be captured.

        `pins` keep their versions.  Raise ConfigError for a package that does not exist,
        SourceError for a mirror that does not answer, SandboxError where none can be made.
        """
        wanted = self._requirements()
        try:
            if pins.debian:
                place = self.folder / "apt"
                pins = pins_that_hold(self._declaration, pins, self._lines, tools, place)
                shutil.rmtree(place)
            self._write(wanted, pins, tools)
            npm_path = "" if "npm" in names_of_packages(self._declaration) else self._npm_path()
            if npm_path:
                install_npm(self._inputs, self.folder)
            self._run(self._command(tools, npm_path))
            layout = self.folder / "image"
            layout.mkdir()
            write_layout(self.folder / "root.tar", layout, self._declaration, tools.architecture)
        except OSError as error:
            raise StoreError(
                f"cannot write the sandbox: {error.strerror}",
                where=str(self.folder),
                hint="make room there, or set TMPDIR to a larger disk",
            ) from error
        return Installed(layout, pins)

    def _requirements(self) -> Requirements:
        given = dict(self._declaration.python)
        kind = next((name for name in PYTHON_INPUTS if name in given), "")
        if not kind or self._inputs.python is None:
            return Requirements((), is_complete=False)
        try:
            return requirements_of(kind, self._inputs.python.content)
        except ValueError as error:
            raise ConfigError(
                f"cannot use {self._inputs.python.source}: {error}",
                where=f"declare.{self._declaration.name}.python",
                hint="write the packages with their versions into a requirements file",
            ) from error

    def _write(self, wanted: Requirements, pins: Pins, tools: Tools) -> None:
        """Write everything that the sandbox needs from outside."""
        inside = {
            "fill": filling(self._declaration, is_complete=wanted.is_complete).encode(),
            "finish": finishing().encode(),
            "sources.list": "".join(f"{line}\n" for line in tools.lines_of_result).encode(),
            "requirements": "".join(f"{line}\n" for line in wanted.lines).encode(),
            "constraints": pins.constraints.encode(),
            **{f"npm/{name}": file.content for name, file in self._inputs.npm.items()},
            **tools.files,
        }
        _pack(self.folder / "tools.tar", ((f"{TOOLS}/{n}", c, 0o600) for n, c in inside.items()))
        files = ((place, f.content, f.mode) for place, f in sorted(self._inputs.files.items()))
        _pack(self.folder / "files.tar", files)
        (self.folder / "sources.list").write_text("".join(f"{line}\n" for line in self._lines))
        (self.folder / "preferences").write_text(pins.preferences)
        # Settings of npm and pip may have passwords of mirrors.
        for path in self.folder.iterdir():
            path.chmod(0o600)

    def _npm_path(self) -> str:
        return dict(self._declaration.npm).get("path", "")

    def _run(self, command: list[str]) -> None:
        log = self.folder / "log"
        with log.open("wb") as stream:
            environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
            environ |= {
                "TMPDIR": str(self.folder),
                "SOURCE_DATE_EPOCH": str(EPOCH),
                "LC_ALL": "C.UTF-8",
            }
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                    env=environ, check=False, cwd=self.folder, umask=0o022,
                )  # fmt: skip
            except FileNotFoundError:
                raise no_sandbox("mmdebstrap is not installed") from None
        if done.returncode:
            said = log.read_bytes()[-_LAST:].decode("utf-8", "replace")
            raise error_of(said, self._declaration)

    def _command(self, tools: Tools, npm_path: str) -> list[str]:
        """Return the words that make the sandbox, run the scripts in it, and fetch the result."""
        packages = ",".join(names_of_packages(self._declaration))
        argv = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        argv += ["mmdebstrap", f"--mode={'root' if os.geteuid() == 0 else 'unshare'}"]
        argv += ["--variant=minbase", "--format=null", "--dpkgopt=force-unsafe-io"]
        argv += ["--skip=cleanup/apt"]  # the result is packed before, and the rest is thrown away
        argv += [f"--aptopt={option}" for option in tools.apt_options]
        argv += [f"--include={packages}"] if packages else []
        argv += ['--aptopt=APT::Install-Recommends "true"'] if self._declaration.recommends else []
        prepare = f'mkdir -pm 700 "$1{TOOLS}"; mkdir -p "$1/etc/apt/preferences.d"'
        filled = [f"tar-in npm.tar {npm_path}"] if npm_path else []
        hooks = [("setup", f'{prepare}; touch "$1{TOOLS}/begun"')]
        hooks += [("setup", "upload preferences /etc/apt/preferences.d/envlock")]
        hooks += [
            ("customize", text)
            for text in (
                "tar-in tools.tar /",
                f'chroot "$1" sh {TOOLS}/fill',
                *filled,
                "tar-in files.tar /",
                f'chroot "$1" sh {TOOLS}/finish',
                f"download {ROOT_ARCHIVE} root.tar",
            )
        ]
        argv += [f"--{kind}-hook={text}" for kind, text in hooks]
        return [*argv, self._declaration.suite, "/dev/null", str(self.folder / "sources.list")]


def _pack(archive: Path, files: Iterable[tuple[str, bytes, int]]) -> None:
    """Write a tar archive of files of root, by their absolute paths.  Raise OSError."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, content, mode in files:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.mode, member.size, member.mtime = mode, len(content), EPOCH
            tar.addfile(member, io.BytesIO(content))
