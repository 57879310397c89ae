"""The pacman collector on a root that pacman installed, compared with pacman's own output."""

import hashlib
import os
import re
import shutil
import subprocess

import pytest

from envlock.model.depth import Depth
from envlock.model.tree import FileClass
from tests.conftest import unavailable

INFO = """\
pkgname = shop
pkgbase = shop-suite
pkgver = 1:1.0rc1-2
pkgdesc = a shop
builddate = 1700000000
packager = Unknown Packager
size = 10
arch = any
backup = etc/shop/edited.conf
backup = etc/shop/kept.conf
"""


def pacman(root, *words, status=0):
    paths = [root, f"{root}/var/lib/pacman", f"{root}/var/cache", f"{root}/etc/pacman.conf"]
    options = ("--root", "--dbpath", "--cachedir", "--config")
    argv = ["pacman", *(word for pair in zip(options, paths, strict=True) for word in pair)]
    argv += ["--logfile", "/dev/null", "--noconfirm", *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert status in (done.returncode, None), done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def root(tmp_path):
    """Return a root into which pacman installed a package, without one of its directories."""
    if not shutil.which("pacman") or not shutil.which("bsdtar") or os.geteuid():
        unavailable("pacman", "pacman or bsdtar is not here, or not root")
    stage, root = tmp_path / "stage", tmp_path / "root"
    for folder in ("usr/bin", "etc/shop", "usr/share/a folder", "usr/share/man"):
        (stage / folder).mkdir(parents=True)
    for name in ("shop", "edited", "lost", "setuid", "given"):
        (stage / "usr/bin" / name).write_text(f"{name}\n")
    for name in ("edited", "kept"):
        (stage / f"etc/shop/{name}.conf").write_text(f"{name}=1\n")
    (stage / "usr/bin/link").symlink_to("shop")
    (stage / "usr/share/a folder/é").write_text("x\n")
    (stage / "usr/share/man/page").write_text("x\n")
    (stage / ".PKGINFO").write_text(INFO)
    names = sorted(os.listdir(stage))
    fields = "!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link"
    subprocess.run(
        ["bsdtar", "-czf", ".MTREE", "--format=mtree", f"--options={fields}", *names],
        cwd=stage, check=True,
    )  # fmt: skip
    package = tmp_path / "shop-1:1.0rc1-2-any.pkg.tar.gz"
    # Not through a shell and not with a name bsdtar would take for a host.
    with package.open("wb") as file:
        subprocess.run(
            ["bsdtar", "-czf", "-", ".MTREE", *names], cwd=stage, check=True, stdout=file
        )
    for folder in ("var/lib/pacman", "var/cache", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "etc/pacman.conf").write_text(
        "[options]\nArchitecture = auto\nSigLevel = Never\nNoExtract = usr/share/man/*\n"
    )
    pacman(root, "--upgrade", str(package))
    return root


def mtree_of(root):
    """Return the digest of what pacman keeps of the list of files in the package."""
    (path,) = (root / "var/lib/pacman/local").glob("*/mtree")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_package_agrees_with_pacman_query(root, captured):
    assert pacman(root, "-Q").split() == ["shop", "1:1.0rc1-2"]
    found = captured(root, depth=Depth.RECORDS).lock.sections["pacman"]
    assert found == {
        "shop": {
            "version": "1:1.0rc1-2", "arch": "any", "source": "shop-suite", "mark": "manual",
            "validation": "none", "mtree": mtree_of(root),
        }
    }  # fmt: skip
    pacman(root, "-D", "--asdeps", "shop")
    marked = captured(root, depth=Depth.RECORDS).lock.sections["pacman"]
    assert marked["shop"]["mark"] == "auto"


def test_an_unmodified_root_has_no_file_records(root, captured):
    found = captured(root)
    packaged = {p for p in found.lock.sections["file"] if p != "/etc/pacman.conf"}
    assert packaged == set()
    rows = {row.entry.path: row for row in found.tree.rows}
    assert rows["/usr/share/a folder/é"].owner == "pacman shop"
    assert rows["/etc/shop/kept.conf"].file_class is FileClass.CONFFILE


def test_drift_agrees_with_pacman_check(root, captured):
    (root / "usr/bin/edited").write_text("something else\n")
    (root / "usr/bin/lost").unlink()
    (root / "usr/bin/setuid").chmod(0o4755)
    os.chown(root / "usr/bin/given", 1234, 1)
    (root / "usr/bin/link").unlink()
    (root / "usr/bin/link").symlink_to("edited")
    (root / "etc/shop/edited.conf").write_text("edited=2\n")
    output = pacman(root, "-Qkk", "shop", status=None)
    expected = set(
        re.findall(rf"^(?:warning|backup file): shop: {root}(/.*?) \(", output, re.MULTILINE)
    )
    files = captured(root).lock.sections["file"]
    # pacman reports files that it did not extract as missing.
    assert expected - {"/usr/share/man", "/usr/share/man/page"} == {*files} - {"/etc/pacman.conf"}
    assert {path: facts["class"] for path, facts in files.items() if path in expected} == {
        "/usr/bin/edited": "package-modified",
        "/usr/bin/lost": "package-missing",
        "/usr/bin/setuid": "package",
        "/usr/bin/given": "package",
        "/usr/bin/link": "package-modified",
        "/etc/shop/edited.conf": "conffile-modified",
    }
    assert files["/usr/bin/setuid"]["packaged-mode"] == "0644"
    assert files["/usr/bin/given"]["packaged-owner"] == "0:0"
    assert files["/usr/bin/link"]["packaged-target"] == "shop"
