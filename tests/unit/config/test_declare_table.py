"""``[declare.NAME]``: what it accepts, and one sentence with the line for what it does not."""

from pathlib import Path

import pytest

from envlock.config.load import Config, load
from envlock.errors import ConfigError

WHOLE = """\
[declare.shop]
from = "debian:bookworm"
apt = ["nginx", "libc6:i386", "openssl=3.0.15-1~deb12u1"]
python = { path = "/opt/app", lock = "uv.lock" }
npm = { path = "/srv/web", lock = "web/package-lock.json" }
files = { "/etc/shop.conf" = "deploy/shop.conf" }
modes = { "/etc/shop.conf" = "0640" }
env = { LANG = "C.UTF-8", EMPTY = "" }
user = "app"
cmd = ["nginx", "-g", "daemon off;"]
"""


def read(folder: Path, text: str) -> Config:
    (folder / "envlock.toml").write_text(text)
    return load(folder, {"HOME": "/h"}, {})


def test_a_declaration_is_read_as_it_is_written(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE).declare["shop"]
    assert (found.distribution, found.suite) == ("debian", "bookworm")
    assert found.apt == ("nginx", "libc6:i386", "openssl=3.0.15-1~deb12u1")
    assert dict(found.python) == {"path": "/opt/app", "lock": "uv.lock"}
    assert dict(found.env) == {"LANG": "C.UTF-8", "EMPTY": ""}
    assert found.modes == (("/etc/shop.conf", "0640"),)
    assert (found.components, found.recommends, found.mirrors) == (("main",), False, ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "declare.shop lacks from"),
        ('from = "debian"', "has a wrong from: debian"),
        ('from = "fedora:40"', "has a wrong from: fedora:40"),
        ('from = "debian:bookworm"\npackages = []', "unknown setting declare.shop.packages"),
        ('from = "debian:bookworm"\napt = ["--force"]', "wrong name of a package: --force"),
        ('from = "debian:bookworm"\napt = ["a,b"]', "wrong name of a package: a,b"),
        ('from = "debian:bookworm"\npython = { path = "/opt/a" }', "python needs path, and one of"),
        (
            'from = "debian:bookworm"\npython = { path = "/a", pip = "x" }',
            'declare.shop.python does not allow "pip"',
        ),
        ('from = "debian:bookworm"\nnpm = { lock = "a" }', "npm needs path and lock"),
        ('from = "debian:bookworm"\nfiles = { "etc/a" = "a" }', "wrong path in the environment"),
        ('from = "debian:bookworm"\nfiles = { "/a/../b" = "a" }', "wrong path in the environment"),
        ('from = "debian:bookworm"\nfiles = { "/proc/a" = "a" }', "cannot have files in /proc/a"),
        ('from = "debian:bookworm"\nfiles = { "/a" = "../a" }', "wrong path in the project"),
        ('from = "debian:bookworm"\nfiles = { "/a" = "/a" }', "wrong path in the project"),
        ('from = "debian:bookworm"\nfiles = { "/a" = 1 }', "must contain only strings"),
        ('from = "debian:bookworm"\nmodes = { "/a" = "0644" }', "gives a mode to /a, which is not"),
        (
            'from = "debian:bookworm"\nfiles = { "/a" = "a" }\nmodes = { "/a" = "rw" }',
            "has a wrong mode: rw",
        ),
        ('from = "debian:bookworm"\nuser = "Root!"', "has a wrong name of a user: Root!"),
        ('from = "debian:bookworm"\nenv = { "A B" = "c" }', "wrong name of a variable: A B"),
        ('from = "debian:bookworm"\nmirrors = ["https://a:b@example.org"]', "with credentials"),
        ('from = "debian:bookworm"\ncmd = "nginx"', "must be a list of strings"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[declare.shop]\n{line}\n")
    assert message in caught.value.message
    assert caught.value.where.startswith("envlock.toml:")
