"""Builds and captures the environments of `scripts/acceptance`, and starts what was rebuilt."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from acceptance_environments import Captured, Environment
from example_environments import container, import_image, mmdebstrap, run_in
from scope_plants import run_in_root
from scope_running import INSIDE, envlock_on_machine

IMAGE = "envlock-accept"
SERVICES = ("cache", "web", "work")
_PLATFORMS = ("2014_x86_64", "_2_5_x86_64", "_2_17_x86_64", "_2_27_x86_64", "_2_28_x86_64")
_SSH = """\
Host box
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking accept-new
"""
_RPM = """
import pathlib, sys
from tests.packages import build_rpms, install
built, root = map(pathlib.Path, sys.argv[1:])
build_rpms(built)
install(root, sorted(built.rglob("*.rpm")))
"""


class Machine:
    """One environment below the directory `work`: its root, its image, its project and store."""

    def __init__(self, work: Path, environment: Environment) -> None:
        self.environment = environment
        self.root = work / "roots" / environment.name
        self.place = work / environment.name
        self.project = self.place / "project"
        self.image = f"{IMAGE}-{environment.name}:captured"
        self._name = f"{IMAGE}-{environment.name}-{os.getpid()}"

    def build(self) -> None:
        """Build the root directory and the image, unless they are there."""
        if not self.root.exists():
            draft = self.root.with_name(f"{self.root.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            draft.parent.mkdir(parents=True, exist_ok=True)
            self._build(draft)
            draft.rename(self.root)
        import_image(self.root, self.image)

    def _build(self, root: Path) -> None:
        wanted = self.environment
        if not wanted.packages:
            _build_rpm_root(root)
            return
        names = ",".join(wanted.packages.split())
        architectures = "--architectures=amd64" + (",i386" if ":i386" in names else "")
        fast = ("--dpkgopt=force-unsafe-io", architectures)
        mmdebstrap(root, wanted.suite, "--variant=apt", f"--include={names}", *fast)
        if wanted.wheels:
            _download_wheels(root / "tmp/wheels", wanted.wheels)
        if wanted.npm:
            folder = root / "srv/app"
            folder.mkdir(parents=True)
            quiet = ("--no-audit", "--no-fund", "--silent")
            subprocess.run(["npm", "install", *quiet, *wanted.npm.split()], check=True, cwd=folder)
        if wanted.setup:
            run_in_root(root, wanted.setup)
        shutil.rmtree(root / "tmp/wheels", ignore_errors=True)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Start what is captured; yield the target."""
        kind = self.environment.captured
        with ExitStack() as stack:
            if kind is Captured.FOLDER:
                yield f"dir:{self.root}"
            elif kind is Captured.HOST:
                yield "host"
            elif kind is Captured.COMPOSE:
                for service in SERVICES:
                    labels = ("project=shop", f"service={service}", "container-number=1")
                    words = [f"--label=com.docker.compose.{label}" for label in labels]
                    stack.enter_context(container(self.image, f"{self._name}-{service}", *words))
                yield "compose:shop"
            elif kind is Captured.SSH:
                yield stack.enter_context(self._over_ssh())
            else:
                name = stack.enter_context(container(self.image, self._name))
                if self.environment.running:
                    run_in(name, self.environment.running)
                yield f"docker:{name}"

    @contextmanager
    def _over_ssh(self) -> Iterator[str]:
        """Run an SSH server in a container; yield the target."""
        keys = self.place / "ssh"
        shutil.rmtree(keys, ignore_errors=True)
        (keys / "bin").mkdir(parents=True)
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / "user"]
        subprocess.run(make, check=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        (keys / "config").write_text(_SSH.format(port=port, folder=keys))
        client = keys / "bin/ssh"
        client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {keys}/config "$@"\n')
        client.chmod(0o755)
        options = ["--publish", f"127.0.0.1:{port}:22", "--network", "bridge"]
        start = ["docker", "run", "-d", "--name", self._name, *options, self.image]
        subprocess.run([*start, "sleep", "3600"], check=True, capture_output=True)
        try:
            key = (keys / "user.pub").read_text()
            run_in(self._name, f"install -d -m 700 /root/.ssh; echo '{key}' > "
                   "/root/.ssh/authorized_keys; mkdir -p /run/sshd; /usr/sbin/sshd")  # fmt: skip
            time.sleep(1)
            yield "ssh:box"
        finally:
            subprocess.run(["docker", "rm", "-f", self._name], check=True, capture_output=True)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs envlock on the machine that captures."""
        if self.environment.captured is Captured.HOST:
            inside = f"{INSIDE}/shared"
            moved = [word.replace(str(self.place), inside) for word in words]
            return envlock_on_machine(self.root, self.place, f"{inside}/project", moved)
        return [sys.executable, "-m", "envlock", *words]

    @property
    def path(self) -> str:
        """The PATH on which the client of ssh is found that knows the machine."""
        return f"{self.place}/ssh/bin:{os.environ['PATH']}"

    def lock_names(self) -> tuple[str, ...]:
        """Return the names of the locks of the environment."""
        name = self.environment.name
        if self.environment.captured is Captured.COMPOSE:
            return tuple(f"{name}-{service}" for service in SERVICES)
        return (name,)


def answers(image: str, environment: Environment) -> str:
    """Start a rebuilt image and return what its application answers."""
    name = f"{IMAGE}-rebuilt-{os.getpid()}"
    with container(image, name):
        argv = ["docker", "exec", name, "sh", "-ec", environment.ask]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    ended = f"\nstatus {done.returncode}" if done.returncode else ""
    return f"{done.stdout}{done.stderr}{ended}".strip()


def _download_wheels(folder: Path, wheels: str) -> None:
    """Fetch wheels for the Python of Debian bookworm."""
    tags = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    tags += ["--abi=cp311", "--abi=abi3", "--abi=none", "--platform=any"]
    tags += [f"--platform=manylinux{name}" for name in _PLATFORMS]
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), *tags]
    for wheel in wheels.split():
        deep = ("--no-deps",) if wheel.startswith("torch") else ()
        subprocess.run([*fetch, *deep, wheel], check=True)


def _build_rpm_root(root: Path) -> None:
    """Install the rpm packages of the tests into a root, and a shell that runs there."""
    built = root.with_name(f"{root.name}.packages")
    built.mkdir(exist_ok=True)
    argv = [sys.executable, "-c", _RPM, str(built), str(root)]
    subprocess.run(argv, check=True, cwd=Path(__file__).resolve().parent.parent)
    shutil.rmtree(built)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "usr/bin/busybox")
    (root / "bin").mkdir(exist_ok=True)
    for name in ("sh", "cat", "sleep"):
        (root / "bin" / name).symlink_to("/usr/bin/busybox")
