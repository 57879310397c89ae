"""Changes to a root: for some an incremental capture is enough, others need a full one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path


def put(root: Path, path: str, content: bytes) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def append(path: str):
    def change(root: Path) -> None:
        with (root / path).open("ab") as file:
            file.write(b"more\n")

    return change


def write(path: str, content: bytes):
    return lambda root: put(root, path, content)


def unlink(path: str):
    return lambda root: (root / path).unlink()


def with_times(path: str, content: bytes):
    """Change content and put the times back, as tools do that want not to be noticed."""

    def change(root: Path) -> None:
        status = (root / path).stat()
        (root / path).write_bytes(content)
        os.utime(root / path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return change


INCREMENTAL = {
    "nothing": lambda _root: None,
    "log": append("var/log/syslog"),
    "cache": write("var/cache/tool/other", b"cached\n"),
    "state": write("var/lib/tool/state.db", b"other\n"),
    "packaged file edited": append("usr/share/doc/tool/README"),
    "packaged file gone": unlink("usr/share/doc/tool/copyright"),
    "configuration edited": append("etc/tool.conf"),
    "configuration added": write("etc/tool.d/own.conf", b"own = 1\n"),
    "data added": write("srv/app/data/three.csv", b"4\n"),
    "data twice": write("srv/app/data/again.csv", b"1,2,3\n"),
    "data replaced": write("srv/app/data/two.csv", b"2\n"),
    "data gone": unlink("srv/app/data/one.csv"),
    "same size, same times": with_times("srv/app/data/one.csv", b"3,2,1\n"),
    "secret added": write("srv/app/.netrc", b"machine example.org login me password s3cr3t9x\n"),
    "secret edited": append("etc/ssl/private/key.pem"),
    "mode": lambda root: (root / "etc/tool.d/more.conf").chmod(0o600),
    "folder's mode": lambda root: (root / "srv/app/data").chmod(0o700),
    "folder added": write("srv/new/deep/er/file", b"deep\n"),
    "empty folder": lambda root: (root / "srv/empty").mkdir(),
    "folder gone": lambda root: shutil.rmtree(root / "var/cache/tool"),
    "renamed": lambda root: (root / "srv/app/data").rename(root / "srv/app/moved"),
    "link added": lambda root: (root / "srv/link").symlink_to("app"),
    "link elsewhere": lambda root: relink(root / "srv/app/current", "moved"),
    "file is a folder now": lambda root: as_folder(root / "srv/app/data/one.csv"),
    "fifo": lambda root: os.mkfifo(root / "srv/fifo"),
    "odd name": lambda root: (root / "srv/tab\tname").write_bytes(b"tab\n"),
    "odd name gone": lambda root: (root / "srv/odd\udcffname\n").unlink(),
    "root's mode": lambda root: root.chmod(0o750),
}
FULL = {
    "package": append("var/lib/dpkg/info/tool.list"),
    "another package": write("var/lib/dpkg/info/other.list", b"/usr/share/other\n"),
    "distribution": write(
        "opt/venv/lib/python3.11/site-packages/cart-2.dist-info/METADATA",
        b"Metadata-Version: 2.1\nName: cart\nVersion: 2\n",
    ),
    "module": append("opt/venv/lib/python3.11/site-packages/shop/__init__.py"),
    "node package": write("srv/web/node_modules/is-odd/package.json", b'{"name": "is-odd"}'),
    "in a node package": append("srv/web/node_modules/left-pad/index.js"),
    "program": lambda root: (put(root, "opt/go", b"\x7fELF"), (root / "opt/go").chmod(0o755)),
    "library": write("usr/local/lib/libx.so.1", b"\x7fELF"),
    "hard link": lambda root: (root / "srv/third.html").hardlink_to(root / "srv/app/page.html"),
    "hard linked file": append("srv/app/page.html"),
    "conffile gone": unlink("etc/tool.d/more.conf"),
    "link to packages": lambda root: (root / "var/lib/rpm").symlink_to("/usr/lib/sysimage/rpm"),
}


def relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"inside\n")


def tick() -> None:
    """Wait until the kernel gives files another time."""
    time.sleep(0.02)
