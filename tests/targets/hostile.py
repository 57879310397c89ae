"""A file tree with everything that a file system allows and a careless reader gets wrong."""

from __future__ import annotations

import os
import socket
from pathlib import Path

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw=ep


def make(root: Path) -> None:
    """Fill `root`; device nodes and capabilities only as root."""
    where = os.fsencode(root)
    for name in (b"usr/bin", b"etc", b"srv/a/b/c", b"srv/empty", b"usr/lib"):
        os.makedirs(where + b"/" + name)
    (root / "bin").symlink_to("usr/bin")
    (root / "lib").symlink_to("/usr/lib")
    for name in (
        b"latin\xe9",
        b"new\nline",
        b"tab\t",
        b'quo"te',
        b"back\\slash",
        b"[x]",
        b".hidden",
    ):
        with open(where + b"/srv/" + name, "wb") as file:
            file.write(name * 3)
    (root / "usr/bin/tool").write_bytes(b"#!/bin/sh\n")
    (root / "usr/bin/tool").chmod(0o4755)
    (root / "srv/sticky").mkdir()
    (root / "srv/sticky").chmod(0o1777)
    (root / "srv/zero").write_bytes(b"")
    (root / "srv/z-first-by-time").write_bytes(b"linked")
    os.link(root / "srv/z-first-by-time", root / "srv/a/b/c/hard")
    os.link(root / "srv/z-first-by-time", root / "etc/hard")
    (root / "srv/loop").symlink_to("loop")
    (root / "srv/up").symlink_to("../../../../etc/inside")
    (root / "srv/absolute").symlink_to("/etc/inside")
    (root / "srv/dangling").symlink_to("nowhere/at/all")
    (root / "etc/inside").write_bytes(b"inside the root\n")
    deep = root / "srv" / ("d" * 120) / ("e" * 120) / ("f" * 120)
    deep.mkdir(parents=True)
    (deep / ("g" * 200)).write_bytes(b"long")
    (root / "srv/long-link").symlink_to("t" * 180)
    with (root / "srv/sparse").open("wb") as file:
        file.truncate(3 << 20)
        file.seek(1 << 20)
        file.write(b"island")
    os.mkfifo(root / "srv/pipe", 0o640)
    os.utime(root / "srv/zero", (1, 1))
    if os.geteuid() == 0:
        os.mknod(root / "srv/null", 0o020666, os.makedev(1, 3))
        os.chown(root / "etc/inside", 12, 2_000_000)
        os.setxattr(root / "usr/bin/tool", "security.capability", CAPABILITY)


def bind_socket(root: Path) -> socket.socket:
    """Put a socket into the tree, which no archive can hold; the caller closes it."""
    sock = socket.socket(socket.AF_UNIX)
    folder = os.open(root / "srv", os.O_RDONLY)
    try:
        sock.bind(f"/proc/self/fd/{folder}/socket")
    finally:
        os.close(folder)
    return sock
