"""RPM packages for tests: what they are built from, and roots that rpm installs them into."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

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


def build_rpms(top: Path) -> None:
    """Build shop, and two versions of a kernel."""
    for spec, defines in ((SHOP, {}), (KERNEL, {"v": "1"}), (KERNEL, {"v": "2"})):
        build_rpm(top, spec, **defines)


def build_rpm(top: Path, spec: str, **defines: str) -> list[Path]:
    """Build the packages of a spec; return every package file below `top`."""
    (top / "spec").write_text(spec)
    options = {"_topdir": top, "_rpmdir": top, "_buildhost": "build.example.org", **defines}
    words = [word for name, value in options.items() for word in ("-D", f"{name} {value}")]
    argv = ["rpmbuild", "-bb", "--quiet", "--target", "x86_64", *words, str(top / "spec")]
    subprocess.run(argv, check=True, capture_output=True)
    return sorted(top.rglob("*.rpm"))


def install(root: Path, rpms: Iterable[Path], *options: str) -> Path:
    """Install packages into a root that has a few accounts."""
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nshop:x:1234:1::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\ndaemon:x:1:\n")
    rpm(root, "--install", "--nodeps", *options, *rpms)
    return root


def rpm(root: Path, *words: object, status: int | None = 0) -> str:
    """Run rpm on a root and return what it prints; `status` None allows any."""
    argv = ["rpm", "--root", str(root), "--dbpath", "/var/lib/rpm", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert status in (done.returncode, None), done.stderr
    return done.stdout
