"""Runs services and envlock in containers and on the development machine; says what they map."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scope_services import Service

HERE = Path(__file__).resolve().parent.parent
INSIDE = "/run/pairs"
"""Where the development machine finds envlock, and writes what it captured."""

_ENTER = """
root=$1 shared=$2 source=$3 packages=$4; shift 4
mount --make-rprivate /
mount -t proc proc "$root/proc"; mount -t sysfs sysfs "$root/sys"; mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/run/pairs/source" "$root/run/pairs/packages" "$root/run/pairs/shared"
mount --bind -o ro "$source" "$root/run/pairs/source"
mount --bind -o ro "$packages" "$root/run/pairs/packages"
mount --bind "$shared" "$root/run/pairs/shared"
ip link set lo up
exec chroot "$root" "$@"
"""
_SESSION = (
    "HOME=/home/dev", "USER=dev", "LOGNAME=dev", "SHELL=/bin/bash", "TERM=xterm", "LANG=C.UTF-8",
    "EDITOR=vim", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)  # fmt: skip
"""What a session on the development machine has set."""

_ENVLOCK = f"""
import sys
sys.path[:0] = ["{INSIDE}/source", "{INSIDE}/packages"]
from envlock.__main__ import main
sys.exit(main())
"""
_FETCH = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
"""
_PATIENCE_SECONDS = 60


def on_machine(root: Path, shared: Path, workdir: str, command: Sequence[str]) -> list[str]:
    """Return the command that runs one on the development machine, in namespaces of its own.

    `shared` is the directory of this machine that is ``INSIDE/shared`` there.
    """
    spaces = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
    enter = ["sh", "-ec", _ENTER, "enter", str(root), str(shared), str(HERE)]
    packages = sysconfig.get_paths()["purelib"]
    start = ["env", "-i", *_SESSION, "sh", "-c", 'cd "$0" && exec "$@"', workdir, *command]
    return [*spaces, *enter, packages, *start]


def envlock_on_machine(root: Path, shared: Path, workdir: str, words: Sequence[str]) -> list[str]:
    """Return the command that runs envlock on the development machine."""
    return on_machine(root, shared, workdir, ["/usr/bin/python3", "-c", _ENVLOCK, *words])


@contextmanager
def service_on_machine(root: Path, shared: Path, service: Service) -> Iterator[int]:
    """Start a service on the development machine and yield the id of its first process."""
    argv = on_machine(root, shared, service.home, service.command)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as outer:
        try:
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
            _wait(lambda: children.read_text().split())
            yield int(children.read_text().split()[0])
        finally:
            outer.kill()


@contextmanager
def service_in_container(image: str, name: str, options: Sequence[str]) -> Iterator[int]:
    """Start a container of an image and yield the id of its first process."""
    start = ["docker", "run", "-d", "--name", name, "--network", "none", *options, image]
    subprocess.run(start, check=True, capture_output=True)
    try:
        show = ["docker", "inspect", "--format", "{{.State.Pid}}", name]
        yield int(subprocess.run(show, check=True, capture_output=True, text=True).stdout)
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)


def ask(pid: int, port: int) -> str:
    """Send a request to a server in the network of a process, when it listens."""
    argv = ["nsenter", "--target", str(pid), "--net", sys.executable, "-c", _FETCH]
    argv.append(f"http://127.0.0.1:{port}/")
    answer: list[str] = []

    def is_answered() -> bool:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        answer[:] = [done.stdout or done.stderr]
        return done.returncode == 0

    _wait(is_answered)
    return answer[0]


def _wait(condition: object) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError("the service does not answer")
        time.sleep(0.2)


def mapped_libraries(pid: int, root: Path) -> set[str]:
    """Return the libraries and programs that the processes around `pid` have mapped.

    Those are all in its process namespace.  Paths are absolute from `root`, if they lie below it.
    """
    space = os.readlink(f"/proc/{pid}/ns/pid")
    found: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns/pid") == space:
                found.update(_libraries((process / "maps").read_text()))
        except OSError:
            continue  # it has ended
    return {path.removeprefix(str(root)) for path in found}


def _libraries(maps: str) -> Iterator[str]:
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith("/") and not fields[5].startswith("/dev/"):
            path = fields[5]
            if ("x" in fields[1] or re.search(r"\.so(\.|$)", path)) and "(deleted)" not in path:
                yield path


class Owners:
    """Which package, distribution or Node package of a root owns a file."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._debian: dict[str, str] = {}
        for listing in (root / "var/lib/dpkg/info").glob("*.list"):
            package = listing.stem.partition(":")[0]
            self._debian.update(dict.fromkeys(listing.read_text().splitlines(), package))
        self._distributions: dict[Path, Mapping[str, str]] = {}

    def owner(self, path: str) -> str:
        """Return the record that owns a file, as `scope_judge.recall` wants it."""
        for name in (path, path.removeprefix("/usr"), f"/usr{path}"):
            if name in self._debian:
                return f"deb:{self._debian[name]}"
        folder, packages, inside = path.partition("/site-packages/")
        if packages:
            site = self._root / f"{folder}{packages}".strip("/")
            return self._recorded(site).get(inside, "")
        found = re.search(r".*/node_modules/((?:@[^/]+/)?[^/]+)/", path)
        return f"npm:{found[1]}" if found else ""

    def _recorded(self, site: Path) -> Mapping[str, str]:
        """Return the distribution of each file of a site-packages directory."""
        if site not in self._distributions:
            self._distributions[site] = {
                row[0]: f"python:{re.sub(r'[-_.]+', '-', record.parent.name.split('-')[0]).lower()}"
                for record in site.glob("*.dist-info/RECORD")
                for row in csv.reader(record.read_text().splitlines())
            }
        return self._distributions[site]
