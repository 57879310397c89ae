"""The host collectors on this machine, and on machines with planted identities."""

import re
import shutil
import subprocess
from pathlib import Path

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.model.facts import SECTIONS
from envlock.model.process import ProcessConfig
from envlock.targets.base import Capability
from envlock.targets.local.filesystem import LocalTarget, host
from tests.conftest import unavailable

GOLDEN = Path(__file__).parents[3] / "collectors"
HOST = frozenset(c.name for c in collectors() if c.name.startswith("host."))
LOADER = Path("/lib64/ld-linux-x86-64.so.2")
UUID = "9221d5d1-b60b-a624-bf14-0a1819cfda3b"
PLANTED = (
    "SERIAL-7XK2P93",
    f"GPU-{UUID}",
    f"MIG-{UUID}",
    UUID,
    "0000:3b:00.0",
    "52:54:00:12:34:56",
    "a088:c203:00a1:b2c3",
    "692317000512",
    "gpu-host-17",
)
"""A serial number, UUIDs, a PCI address, a network address, a GUID, an AMD serial, a host name."""


class Machine(LocalTarget):
    """A directory with all capabilities of a machine."""

    def __init__(self, root, environ):
        super().__init__(root, "dir:machine", is_host=False)
        self.capabilities = frozenset(Capability)
        self._environ = environ

    def process(self):
        return ProcessConfig(environ=self._environ)


def lock_of(target, *, only=HOST):
    request = Request(depth=Depth.RECORDS, only=frozenset(only))
    return capture(target, collectors(), request).lock


def identifying(path):
    """Return text with which a file of sysfs or procfs may identify its device."""
    name = path.name
    if name == "information":
        return f"GPU UUID: \t GPU-{UUID}\nBus Location: \t 0000:3b:00.0\nSerial: SERIAL-7XK2P93\n"
    if name == "params":
        return 'RegistryDwordsPerDevice: "pci=0000:3b:00.0;uuid=' + UUID + '"\n'
    if name == "properties":
        return "unique_id 692317000512\n"
    if name == "cmdline":
        return f" root=UUID={UUID} resume=/dev/x rd.md.uuid={UUID} ip=0000:3b:00.0\n"
    if path.suffix in (".yaml", ".json") and "cdi" in path.parts:
        return f"\n# name: GPU-{UUID}\n# name: MIG-{UUID}\n"
    return ""


IDENTITY_FILES = {
    "sys/class/dmi/id": ("product_serial", "product_uuid", "board_serial", "chassis_asset_tag"),
    "sys/class/nvme/nvme0": ("serial", "address", "subsysnqn"),
    "sys/class/infiniband/mlx5_0": ("node_guid", "sys_image_guid", "node_desc"),
    "sys/devices/pci0000:00/0000:05:00.0": ("serial_number", "unique_id", "config"),
    "proc/sys/kernel": ("hostname", "domainname"),
    "proc/sys/kernel/random": ("boot_id", "uuid"),
    "etc": ("machine-id", "hostname"),
}


def plant(root):
    """Add identities to every file below `root` that may contain one, and files with identities."""
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        more = identifying(path)
        if more:
            old = path.read_text().rstrip("\n")
            path.write_text(old + more if more.startswith(" ") else f"{old}\n{more}")
    for folder, names in IDENTITY_FILES.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / folder / name).write_text("\n".join(PLANTED))


def test_no_identity_of_a_device_or_machine_enters_a_lock(tmp_path):
    environ = {"NVIDIA_VISIBLE_DEVICES": f"GPU-{UUID},MIG-{UUID}", "CUDA_VISIBLE_DEVICES": "0,1"}
    seen = set()
    for name in sorted(HOST):
        for case in sorted((GOLDEN / name).iterdir()):
            root = tmp_path / name / case.name
            shutil.copytree(case / "rootfs", root, symlinks=True)
            plant(root)
            lock = lock_of(Machine(root, environ), only=(*HOST, "env"))
            seen |= lock.sections.keys()
            text = render_lock(lock).decode()
            assert [secret for secret in PLANTED if secret in text] == [], case
    assert lock.get("env", "NVIDIA_VISIBLE_DEVICES") == {"value": "GPU-***,MIG-***"}
    assert lock.get("env", "CUDA_VISIBLE_DEVICES") == {"value": "0,1"}
    assert {section for section in SECTIONS if section.startswith("host.")} <= seen


class Directory(LocalTarget):
    """A directory without a kernel that records which paths are prefetched."""

    def __init__(self, root):
        super().__init__(root, "dir:x", is_host=False)
        self.fetched = []

    def preload(self, paths):
        self.fetched += paths

    def read(self, path, limit=0):
        assert not path.startswith(("/proc/", "/sys/")), path
        return super().read(path, limit)


def test_no_kernel_files_are_fetched_from_a_target_without_a_kernel(tmp_path):
    (tmp_path / "proc/sys/vm").mkdir(parents=True)
    (tmp_path / "proc/sys/vm/swappiness").write_text("60")
    target = Directory(tmp_path)
    lock = lock_of(target, only=(*HOST, "os"))
    assert [path for path in target.fetched if path.startswith(("/proc", "/sys"))] == []
    assert "/etc/os-release" in target.fetched
    assert {lock.coverage[name]["status"] for name in HOST} == {"unsupported"}


def test_two_captures_of_this_host_give_the_same_bytes():
    first, second = (lock_of(host()) for _ in range(2))
    assert render_lock(first) == render_lock(second)
    assert (
        first.get("host.kernel")["release"] == Path("/proc/sys/kernel/osrelease").read_text()[:-1]
    )
    assert first.get("host.cpu")["count"] == str(
        Path("/proc/cpuinfo").read_text().count("processor\t")
    )


def test_the_loader_agrees_with_its_own_help():
    if not LOADER.exists():
        unavailable("glibc", "the loader of x86-64 is not here")
    output = subprocess.run([LOADER, "--help"], capture_output=True, text=True, check=True).stdout
    searched = re.findall(r"^ +(x86-64-v\d) \(supported, searched\)", output, re.MULTILINE)
    version = subprocess.run([LOADER, "--version"], capture_output=True, text=True, check=True)
    found = lock_of(host(), only=["host.libc"]).get("host.libc")
    assert found.get("hwcaps", "").split() == searched
    assert f"version {found['version']}." in version.stdout
