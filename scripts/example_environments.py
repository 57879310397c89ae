"""Makes the environments of the example reports: Debian roots, an image, containers, recordings.

Needs root, mmdebstrap, a Docker engine, and this machine's apt and pip configuration.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envlock.capture.engine import capture
from envlock.capture.recording import Recorder
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.targets.base import Capability
from envlock.targets.local.filesystem import LocalTarget

FIXTURES = Path(__file__).resolve().parent.parent / "tests/collectors"
PACKAGES = "nginx-light,openssh-server,python3,python3-venv,curl,cron,git,tzdata,ca-certificates"
STACKS = {
    "stack-old": "numpy==1.26.4 pandas==2.1.4 flask==2.3.3 werkzeug==2.3.8 requests==2.31.0"
    " urllib3==1.26.18",
    "stack-new": "numpy==2.2.6 pandas==2.2.3 flask==3.0.3 requests==2.32.3 urllib3==2.2.3"
    " rich==13.9.4",
}
GPU_HOSTS = {"gpu-a": ("open-615", "wheels"), "gpu-b": ("open-550", "wheels")}
"""Name -> fixtures of its driver and of its CUDA."""

WEEK = """
printf 'worker_rlimit_nofile 65536;\\n' >> /etc/nginx/nginx.conf
sed -i 's/^#\\?PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config
useradd --create-home deploy && usermod -aG sudo deploy
printf '*/5 * * * * root /usr/local/bin/sync-orders\\n' > /etc/cron.d/orders
printf '#!/bin/sh\\nexec curl -fsS http://orders.example.org/\\n' > /usr/local/bin/sync-orders
chmod 755 /usr/local/bin/sync-orders; chmod u+s /usr/bin/git
rm -rf /usr/share/doc/curl
ln -sf /usr/share/zoneinfo/America/New_York /etc/localtime; echo America/New_York > /etc/timezone
nginx; for n in 1 2 3; do curl -fsS http://127.0.0.1/ >/dev/null; done
python3 -c 'import json, http.client'; ldconfig; touch /var/lib/apt/lists/lock
"""
_PROD = """
rm /etc/cron.d/* ; sed -i 's/gzip on;/gzip off;/' /etc/nginx/nginx.conf
printf 'net.core.somaxconn = 4096\\n' > /etc/sysctl.d/50-site.conf
printf '[app]\\nworkers = 16\\ndebug = false\\n' > /etc/app.ini
"""
_DEV = "printf '[app]\\nworkers = 2\\ndebug = true\\n' > /etc/app.ini"
SERVICES = {
    "dev": (_DEV, ("-e", "APP_REGION=test", "-e", "APP_WORKERS=2", "-e", "LANG=C.UTF-8")),
    "prod": (_PROD, ("-e", "APP_REGION=eu-1", "-e", "APP_WORKERS=16", "-e", "LANG=C")),
}
"""Name -> shell script that sets a container up, and its options of `docker run`."""

POLICY = """\
[capture]
env-allow = ["APP_*"]

[diff]
presets = ["volatile-debian"]

[[expect]]
section = "env"
key = "APP_REGION"
must-differ = true
reason = "each environment has its own region"

[[expect]]
section = "file"
key = "/etc/sysctl.d/50-site.conf"
only-in = ["prod"]
reason = "only the machines that serve are tuned"

[[expect]]
section = "env"
key = "APP_WORKERS"
fact = "value"
satisfies = "present"
reason = "the number is a matter of the machine"
"""
"""The envlock.toml of `SERVICES`."""


def debian_root(root: Path, suite: str) -> None:
    """Build a Debian root of this machine's mirror, which is not named in it."""
    mmdebstrap(root, suite, "--variant=apt", f"--include={PACKAGES}")
    source = f"deb http://deb.example.org/debian {suite} main\n"
    (root / "etc/apt/sources.list").write_text(source)
    for index in (root / "var/lib/apt/lists").iterdir():
        shutil.rmtree(index) if index.is_dir() else index.unlink()


def mmdebstrap(root: Path, suite: str, *options: str) -> None:
    """Run mmdebstrap as root with the first Debian mirror of this machine's apt."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    mirror = next(uri for uri in listed.split() if uri.rstrip("/").endswith("/debian"))
    argv = ["mmdebstrap", "--quiet", "--mode=root", "--format=directory", *options]
    subprocess.run([*argv, suite, str(root), f"deb {mirror} {suite} main"], check=True)


def stack(root: Path, base: Path, name: str) -> None:
    """Copy the root `base` and install the wheels of a stack; in the new one a file is patched."""
    subprocess.run(["cp", "-ax", str(base), str(root)], check=True)
    add_wheels(root, STACKS[name])
    if name == "stack-new":
        patched = next(root.glob("srv/app/venv/lib/python3*/site-packages/requests/api.py"))
        patched.write_text(patched.read_text() + "\n# timeout raised by hand\n")


def add_wheels(root: Path, wheels: str) -> None:
    """Install wheels into a virtual environment of the root, for the root's own Python."""
    version = next(root.glob("usr/lib/python3.*")).name.removeprefix("python").replace(".", "")
    folder = root / "tmp/wheels"
    tags = ("--only-binary=:all:", f"--python-version={version}", "--implementation=cp")
    platforms = (f"--platform=manylinux{tag}_x86_64" for tag in ("2014", "_2_17", "_2_28"))
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), *tags]
    fetch += [*platforms, f"--abi=cp{version}", "--abi=abi3", "--abi=none", "--platform=any"]
    subprocess.run([*fetch, *wheels.split()], check=True)
    inside = ["chroot", str(root)]
    subprocess.run([*inside, "python3", "-m", "venv", "/srv/app/venv"], check=True)
    install = ["/srv/app/venv/bin/pip", "install", "--quiet", "--no-index", "--find-links"]
    subprocess.run([*inside, *install, "/tmp/wheels", *wheels.split()], check=True)  # noqa: S108
    shutil.rmtree(folder)


def import_image(root: Path, image: str) -> None:
    """Import a root into the Docker engine."""
    with subprocess.Popen(
        ["tar", "-C", str(root), "--one-file-system", "--numeric-owner", "--xattrs", "-c", "."],
        stdout=subprocess.PIPE,
    ) as pack:
        take = ["docker", "import", "-", image]
        subprocess.run(take, stdin=pack.stdout, check=True, capture_output=True)


@contextmanager
def container(image: str, name: str, *options: str) -> Iterator[str]:
    """Start a container of the image and remove it at the end."""
    start_container(image, name, *options)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)


def start_container(image: str, name: str, *options: str) -> None:
    """Start a container without a network that does nothing."""
    argv = ["docker", "run", "-d", "--name", name, "--network", "none", *options, image]
    subprocess.run([*argv, "sleep", "3600"], check=True, capture_output=True)


def run_in(machine: str, script: str) -> None:
    """Run a shell script in a container."""
    subprocess.run(["docker", "exec", machine, "sh", "-c", script], check=True, capture_output=True)


def record_gpu_host(recording: Path, root: Path, name: str) -> None:
    """Record a GPU host from the files, put in `root`, that hosts with its drivers have."""
    driver, cuda = GPU_HOSTS[name]
    for fixture in (FIXTURES / "host.driver" / driver, FIXTURES / "cuda" / cuda):
        shutil.copytree(fixture / "rootfs", root, symlinks=True, dirs_exist_ok=True)
    record(recording, root, name)


def record(recording: Path, root: Path, name: str) -> None:
    """Record a root as if the kernel below it were its own."""
    target = LocalTarget(root, f"dir:{name}", is_host=False)
    target.capabilities |= {Capability.KERNEL}
    request = Request(depth=Depth.CONFIG)
    recorder = Recorder(target, request)
    capture(target, collectors(), request, recorder=recorder)
    with recording.open("wb") as file:
        recorder.write(file)


def fixtures_root(root: Path, number: int) -> None:
    """Merge one fixture of each collector into a root; the first file of a path stays."""
    root.mkdir()
    for section in sorted(path for path in FIXTURES.iterdir() if path.is_dir()):
        cases = sorted(section.glob("*/rootfs"))
        # Ends with 1 where one fixture has a directory and another has a file.
        copy = ["cp", "-an", f"{cases[number % len(cases)]}/.", str(root)]
        subprocess.run(copy, check=False, stderr=subprocess.DEVNULL)
