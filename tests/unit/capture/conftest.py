"""Real RPM packages, built once, and roots that rpm itself installs them into."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.capture.engine import Capture, Depth, Request, capture
from envlock.capture.registry import collectors
from envlock.store.objects import Store
from envlock.target.local import LocalTarget
from tests.conftest import once, unavailable

SHOP = """\
Name: shop
Epoch: 2
Version: 1.2.3
Release: 4
Summary: shop
License: MIT
Vendor: Example
%description
shop
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/shop %{buildroot}/var/log/shop
mkdir -p "%{buildroot}/usr/share/shop dir/deep" %{buildroot}/usr/share/doc/shop
for name in shop edited setuid given capable lost plain; do
    echo "$name" > %{buildroot}/usr/bin/$name
done
for name in edited kept lost optional; do echo "$name=1" > %{buildroot}/etc/shop/$name.conf; done
ln -s shop %{buildroot}/usr/bin/link
ln -s shop %{buildroot}/usr/bin/becomes-file
touch %{buildroot}/var/log/shop/log
echo x > "%{buildroot}/usr/share/shop dir/a file"
echo x > "%{buildroot}/usr/share/shop dir/deep/file"
echo x > %{buildroot}/usr/share/doc/shop/README
%files
/usr/bin/*
%caps(cap_net_raw,cap_net_admin=p) /usr/bin/capable
%config(noreplace) /etc/shop/edited.conf
%config /etc/shop/kept.conf
%config /etc/shop/lost.conf
%config(missingok) /etc/shop/optional.conf
%dir /etc/shop
%dir %attr(0750,root,daemon) /var/log/shop
%ghost %attr(0640,root,root) /var/log/shop/log
"/usr/share/shop dir"
%doc /usr/share/doc/shop/README
"""
KERNEL = """\
Name: kernel-core
Version: 5.14.%{v}
Release: 1
Summary: kernel
License: GPL
Provides: installonlypkg(kernel)
%description
kernel
%install
mkdir -p %{buildroot}/boot
echo %{v} > %{buildroot}/boot/vmlinuz-%{v}
%files
/boot/vmlinuz-%{v}
"""


@pytest.fixture(scope="session")
def rpms(shared: Path) -> list[Path]:
    """Return package files: shop, and two versions of a kernel."""
    if not shutil.which("rpmbuild") or os.geteuid():
        unavailable("rpm", "rpmbuild is not here, or not root")
    top = shared / "rpms"
    built = shared / "rpms.built"
    with once(built) as is_mine:
        if is_mine:
            top.mkdir(exist_ok=True)
            for spec, defines in ((SHOP, {}), (KERNEL, {"v": "1"}), (KERNEL, {"v": "2"})):
                (top / "spec").write_text(spec)
                build(top, defines)
            built.touch()
    return sorted(top.rglob("*.rpm"))


def build(top: Path, defines: dict[str, str]) -> None:
    options = {"_topdir": top, "_rpmdir": top, "_buildhost": "build.example.org", **defines}
    words = [word for name, value in options.items() for word in ("-D", f"{name} {value}")]
    argv = ["rpmbuild", "-bb", "--quiet", "--target", "x86_64", *words, str(top / "spec")]
    subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def rpm_root(rpms: list[Path], tmp_path: Path) -> Path:
    """Return a root with all of them installed."""
    return installed(tmp_path / "root", rpms)


def installed(root: Path, rpms: list[Path], *options: str) -> Path:
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nshop:x:1234:1::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\ndaemon:x:1:\n")
    rpm(root, "--install", "--nodeps", *options, *rpms)
    return root


def rpm(root: Path, *words: object, status: int | None = 0) -> str:
    """Run rpm on a root and return what it prints."""
    argv = ["rpm", "--root", str(root), "--dbpath", "/var/lib/rpm", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert status in (done.returncode, None), done.stderr
    return done.stdout


@pytest.fixture
def captured(tmp_path: Path) -> Callable[..., Capture]:
    """Return a function that captures a directory in full, or to another depth."""

    def run(root: Path, **request: object) -> Capture:
        target = LocalTarget(root, "dir:root", is_host=False)
        wanted = Request(**{"depth": Depth.FULL, **request})
        with Store.open(tmp_path / "store") as store:
            return capture(target, collectors(), wanted, store=store)

    return run
