"""Packages of Arch for tests, their repositories, and roots that pacman installs them into."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.conftest import unavailable
from tests.unit.materialize.packages import COMPRESSIONS, digest, tar_bytes

_INFO = """\
pkgname = {name}
pkgbase = {name}-suite
pkgver = {version}
pkgdesc = {name}
builddate = 1700000000
packager = Unknown Packager
size = 10
arch = x86_64
"""
_FIELDS = "!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link"


def require_pacman() -> None:
    """Fail or skip, as the settings of the tests say, where pacman cannot install anything."""
    programs = ("pacman", "bsdtar")
    if not all(map(shutil.which, programs)) or os.geteuid():
        unavailable("pacman", "pacman or bsdtar is not here, or not root")


def build_package(
    folder: Path,
    name: str,
    files: Mapping[str, bytes],
    version: str = "1:1.0-2",
    suffix: str = ".zst",
    backup: Iterable[str] = (),
) -> Path:
    """Make a package as makepkg does, in `folder`; its first file has a second name, and a link."""
    stage = folder / f"{name}{version}{suffix}.stage"
    for path, content in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)
    first = next(iter(files))
    (stage / f"{first}.hard").hardlink_to(stage / first)
    (stage / f"{first}.link").symlink_to(Path(first).name)
    info = _INFO.format(name=name, version=version)
    (stage / ".PKGINFO").write_text(info + "".join(f"backup = {path}\n" for path in backup))
    (stage / ".INSTALL").write_text("post_install() {\n\ttrue\n}\n")
    names = sorted(os.listdir(stage))
    # Names of files are in a locale of UTF-8, and a colon in a name is no host.
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    mtree = ["bsdtar", "-czf", ".MTREE", "--format=mtree", f"--options={_FIELDS}", *names]
    subprocess.run(mtree, cwd=stage, check=True, env=env)
    package = folder / f"{name}-{version}-x86_64.pkg.tar{suffix}"
    tar = ["bsdtar", "-cf", "-", ".MTREE", *names]
    done = subprocess.run(tar, cwd=stage, check=True, capture_output=True, env=env)
    package.write_bytes(COMPRESSIONS[suffix](done.stdout))
    shutil.rmtree(stage)
    return package


def make_repository(folder: Path, database: str, packages: Iterable[Path]) -> Path:
    """Make a repository in a folder, with copies of packages, as repo-add makes it."""
    folder.mkdir(parents=True)
    descriptions = {}
    for path in packages:
        content = Path(shutil.copy(path, folder)).read_bytes()
        name, version, release, _ = path.name.rsplit("-", 3)
        fields = {
            "FILENAME": path.name,
            "NAME": name,
            "VERSION": f"{version}-{release}",
            "CSIZE": str(len(content)),
            "SHA256SUM": digest(content),
            "ARCH": "x86_64",
        }
        text = "".join(f"%{field}%\n{value}\n\n" for field, value in fields.items())
        descriptions[f"{name}-{version}-{release}/desc"] = text.encode()
    (folder / f"{database}.db").write_bytes(COMPRESSIONS[".gz"](tar_bytes(descriptions)))
    return folder


def install(root: Path, folder: Path, database: str, names: Iterable[str]) -> Path:
    """Let pacman install packages of a repository in `folder` into a root."""
    for path in ("var/lib/pacman", "var/cache/pacman/pkg", "etc"):
        (root / path).mkdir(parents=True)
    settings = root.parent / f"{root.name}.conf"
    settings.write_text(
        f"[options]\nArchitecture = x86_64\nSigLevel = Never\n[{database}]\n"
        f"Server = file://{folder}\n"
    )
    options = {"root": root, "dbpath": root / "var/lib/pacman", "config": settings}
    options |= {"cachedir": root / "var/cache/pacman/pkg", "logfile": "/dev/null"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    argv = ["pacman", *words, "--noconfirm", "-Sy", *names]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr
    shutil.rmtree(root / "var/lib/pacman/sync")
    return root
