"""Which installed packages meet the dependencies of another one, in each package system."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from envlock.model.scope import MemberClass
from envlock.scope.packages import installed
from tests.conftest import unavailable
from tests.packages import build_rpm, install
from tests.unit.scope.conftest import Machine

STATUS = """
Package: app
Status: install ok installed
Architecture: amd64
Version: 1.0
Pre-Depends: libc6 (>= 2.30)
Depends: default-mta | mail-transport-agent, libx (>= 2), awk, gone

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9

Package: postfix
Status: install ok installed
Architecture: amd64
Version: 3
Provides: mail-transport-agent
Depends: libc6, ssl-cert

Package: ssl-cert
Status: install ok installed
Architecture: all
Version: 1.1

Package: old-x
Status: install ok installed
Architecture: amd64
Version: 9
Provides: libx (= 1.5)

Package: new-x
Status: install ok installed
Architecture: amd64
Version: 1
Provides: libx (= 2.1), awk

Package: mawk
Status: install ok installed
Architecture: amd64
Version: 1.3
Provides: awk

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.3

"""


@pytest.fixture
def debian(machine: Machine) -> Machine:
    machine.file("/var/lib/dpkg/status", STATUS.lstrip())
    for key in ("app:amd64", "libc6:amd64", "libc6:i386", "postfix:amd64", "ssl-cert:all",
                "old-x:amd64", "new-x:amd64", "mawk:amd64"):  # fmt: skip
        machine.record("deb", key, version="1")
    return machine


def test_alternatives_versions_and_providers_decide_what_meets_a_dependency(
    debian: Machine,
) -> None:
    found = list(installed(debian.around(), "deb").depends("app:amd64"))
    assert found == ["libc6:amd64", "postfix:amd64", "new-x:amd64", "mawk:amd64"]


def test_dependencies_are_followed_as_the_weak_class_with_one_hop_each(debian: Machine) -> None:
    members = debian.closure("package:app")
    assert members["deb:app:amd64"].member_class is MemberClass.DECLARED
    assert members["deb:ssl-cert:all"].member_class is MemberClass.DEPENDS
    assert members["deb:ssl-cert:all"].via == "deb:postfix:amd64"


def test_a_package_as_root_begins_with_its_programs_and_libraries(debian: Machine) -> None:
    debian.file("/var/lib/dpkg/info/app:amd64.list", "/.\n/usr\n/usr/bin\n/usr/bin/app\n")
    debian.program("/usr/bin/app", "#!/usr/bin/awk -f\n", owner="deb app:amd64")
    debian.link("/usr/bin/awk", "mawk")
    debian.program("/usr/bin/mawk", owner="deb mawk:amd64")
    members = debian.closure("package:app")
    assert members["deb:mawk:amd64"].member_class is MemberClass.DECLARED
    assert members["deb:mawk:amd64"].via == "deb:app:amd64 → app → #!/usr/bin/awk"


def test_distroless_images_have_a_file_a_package(machine: Machine) -> None:
    machine.file(
        "/var/lib/dpkg/status.d/libssl3",
        "Package: libssl3\nArchitecture: amd64\nVersion: 3\nDepends: libc6\nDescription: TLS\n",
    )
    machine.file(
        "/var/lib/dpkg/status.d/libc6",
        "Package: libc6\nArchitecture: amd64\nVersion: 2\nDescription: C\n",
    )
    machine.file("/var/lib/dpkg/status.d/libssl3.md5sums", f"{'0' * 32}  usr/lib/libssl.so.3\n")
    packages = installed(machine.around(), "deb")
    assert list(packages.depends("libssl3:amd64")) == ["libc6:amd64"]
    assert packages.files("libssl3:amd64") == ("/usr/lib/libssl.so.3",)


def test_alpine_packages_depend_on_libraries_and_commands(machine: Machine) -> None:
    machine.file(
        "/lib/apk/db/installed",
        "P:app\nV:1-r0\nA:x86_64\nD:so:libz.so.1 cmd:sh !bad musl>=1.2 musl-utils~1\n\n"
        "P:zlib\nV:1.3-r0\np:so:libz.so.1=1.3\nF:lib\nR:libz.so.1\n\n"
        "P:busybox\nV:1-r0\np:cmd:sh=1-r0 /bin/sh\n\nP:bad\nV:1-r0\n\n"
        "P:musl\nV:1.2.4-r0\n\nP:musl-utils\nV:1.2.4-r0\n\n",
    )
    packages = installed(machine.around(), "apk")
    assert list(packages.depends("app")) == ["zlib", "busybox", "musl", "musl-utils"]
    assert packages.files("zlib") == ("/lib", "/lib/libz.so.1")


def test_arch_packages_depend_on_names_and_libraries(machine: Machine) -> None:
    local = "/var/lib/pacman/local"
    depends = "%DEPENDS%\nglibc>=2.30\nlibssl.so=3-64\nmissing\n"
    machine.file(f"{local}/app-1-1/desc", f"%NAME%\napp\n\n%VERSION%\n1-1\n\n{depends}\n")
    machine.file(f"{local}/app-1-1/files", "%FILES%\nusr/\nusr/bin/app\n")
    machine.file(f"{local}/glibc-2/desc", "%NAME%\nglibc\n\n%VERSION%\n2.39-1\n\n")
    provides = "%PROVIDES%\nlibssl.so=3-64\n"
    machine.file(f"{local}/openssl-3/desc", f"%NAME%\nopenssl\n\n%VERSION%\n3-1\n\n{provides}\n")
    packages = installed(machine.around(), "pacman")
    assert list(packages.depends("app")) == ["glibc", "openssl"]
    assert packages.files("app") == ("/usr", "/usr/bin/app")


SPEC = """\
Name: %{name}
Version: %{version}
Release: 1
Summary: test
License: MIT
%{relations}
%description
test
%install
mkdir -p %{buildroot}/usr/share/%{name}
%files
/usr/share/%{name}
"""
RELATIONS = {
    "app": "Requires: libx.so.2()(64bit), base >= 2, (gone or base), (missing if nothing), gone",
    "base": "Provides: base = 2.5-1",
    "old": "Provides: tool = 1",
    "lib": "Provides: libx.so.2()(64bit)\nRequires: tool > 1",
    "new": "Provides: tool = 3",
}
"""Name of a package -> what it requires and provides."""


def test_rpm_packages_depend_on_what_others_provide(machine: Machine, tmp_path: Path) -> None:
    if not shutil.which("rpmbuild") or os.geteuid():
        unavailable("rpm", "rpmbuild is not here, or not root")
    built: list[Path] = []
    (tmp_path / "rpms").mkdir()
    for name, relations in RELATIONS.items():
        spec = SPEC.replace("%{name}", name).replace("%{relations}", relations)
        version = "2.5" if name == "base" else "1"
        built = build_rpm(tmp_path / "rpms", spec.replace("%{version}", version))
    root = install(tmp_path / "installed", built)
    shutil.copytree(root / "var/lib/rpm", machine.top / "var/lib/rpm")
    packages = installed(machine.around(), "rpm")
    found = {key: list(packages.depends(key)) for key in sorted(packages.packages)}
    assert found == {
        "app.x86_64": ["base.x86_64", "lib.x86_64"],
        "base.x86_64": [],
        "lib.x86_64": ["new.x86_64"],
        "new.x86_64": [],
        "old.x86_64": [],
    }
    assert packages.files("lib.x86_64") == ("/usr/share/lib",)
