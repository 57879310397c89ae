"""Plant secrets in settings, files, names, links, attributes, accounts and packages.

Each secret is a different one, so that what leaked is known; two generations of an environment
have different secrets and nothing else that differs.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tests.unit.secrets.samples import MARKER, PLANTED, read_rows
from tests.unit.secrets.test_files import NAMED

FRESH = tuple(read_rows("planted.txt", Path(__file__).parent))


class Plant(NamedTuple):
    """A planted secret, the kind of place it is in, and its path."""

    secret: str
    place: str
    path: str


class Garden:
    """A root directory with secrets in it."""

    def __init__(self, root: Path, generation: str) -> None:
        self.root = root
        self.plants: list[Plant] = []
        self.contents: list[bytes] = []
        self._generation = generation
        self._taken: Counter[str] = Counter()

    def secret(self, place: str, path: str = "") -> str:
        """Return a new secret, and note where it goes."""
        made = f"Hu9{self._generation}{MARKER}x{len(self.plants):04d}q"
        self.plants.append(Plant(made, place, path))
        return made

    def token(self, place: str, path: str = "") -> str:
        """Return a new secret in the format of a provider's tokens."""
        head = f"ghp_{self._generation}{MARKER}{len(self.plants):04d}"
        made = (head + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7x")[:40]
        self.plants.append(Plant(made, place, path))
        return made

    def write(self, path: str, content: bytes, mode: int = 0o644) -> Path:
        """Write a file; where there is one already, into a folder beside it."""
        self._taken[path] += 1
        found = PurePosixPath(path)
        if self._taken[path] > 1:
            found = found.parent / f"n{self._taken[path]}" / found.name
        real = self.root / str(found).lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(content)
        real.chmod(mode)
        os.utime(real, (1_700_000_000, 1_700_000_000))
        return real

    def plant(self, place: str, path: str, template: str, mode: int = 0o640) -> None:
        """Write a file whose text holds a secret in place of `{S}`."""
        content = template.replace("{S}", self.secret(place, path)).encode()
        self.contents.append(content)
        self.write(path, content, mode)


def plant_everything(root: Path, generation: str) -> Garden:
    """Make a root directory with secrets in every place that a collector or the walk looks at."""
    garden = Garden(root, generation)
    _system(garden)
    settings = {path for path, _ in PLANTED}
    for path in sorted(set(NAMED.split()) - settings):
        garden.plant("secret files", path, "{S}\n")
    for path, template in (*PLANTED, *FRESH):
        garden.plant("settings", path, template)
    _words(garden)
    _large(garden)
    _encodings(garden)
    _names(garden)
    _attributes(garden)
    return garden


def _system(garden: Garden) -> None:
    for folder in ("etc", "var/lib/dpkg/info", "usr/bin", "srv", "root", "tmp"):
        (garden.root / folder).mkdir(parents=True, exist_ok=True)
    garden.write("/etc/os-release", b'ID=debian\nVERSION_ID="12"\n')
    comment, field, member, hashed = (garden.secret("accounts", "/etc") for _ in range(4))
    garden.write(
        "/etc/passwd",
        f"root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:Bob password={comment}:/home/bob:/bin/sh\n"
        f"eve:{field}:1001:1001::/home/eve:/bin/sh\n".encode(),
    )
    garden.write("/etc/group", f"root:{member}:0:\n".encode())
    shadow = f"root:$6$salt${hashed}aB3dE6gH9jK2mN5p:1::::::\n"
    garden.write("/etc/shadow", shadow.encode(), 0o640)
    _packages(garden)


def _packages(garden: Garden) -> None:
    status = "/var/lib/dpkg/status"
    version, mail, text = (garden.token("packages", status) for _ in range(3))
    page = garden.secret("packages", status)
    garden.write("/var/lib/dpkg/arch", b"amd64\n")
    garden.write(
        status,
        f"Package: app\nStatus: install ok installed\nVersion: 1+{version}\nArchitecture: amd64\n"
        f"Maintainer: x <{mail}@example.org>\nHomepage: https://bob:{page}@example.org/\n"
        f"Description: uses {text}\n".encode(),
    )
    garden.write("/var/lib/dpkg/info/app.list", b"/.\n")
    origins = (
        f"https://bob:{garden.secret('packages', 'origin')}@example.org/x.git",
        f"https://example.org/x-1.tar.gz?token={garden.secret('packages', 'origin')}",
        f"https://{garden.token('packages', 'origin')}@example.org/x.git",
    )
    for number, url in enumerate(origins):
        info = f"/usr/lib/python3/dist-packages/p{number}-1.dist-info"
        garden.write(f"{info}/METADATA", f"Name: p{number}\nVersion: 1\n".encode())
        origin = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "abc"}}
        garden.write(f"{info}/direct_url.json", json.dumps(origin).encode())


_COMMANDS = (
    ("/etc/cron.d/job", "* * * * * root mysql -p{S} app\n"),
    ("/var/spool/cron/crontabs/root", "@daily curl -u bob:{S} https://example.org/\n"),
    ("/etc/crontab", "1 * * * * root BORG_PASSPHRASE={S} borg create x\n"),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/x --token {S}\n"),
    ("/etc/systemd/system/b.service", "[Service]\nEnvironment=DB_PASSWORD={S}\nExecStart=/bin/x\n"),
    ("/etc/systemd/system/c.service.d/x.conf", '[Service]\nEnvironment="A=1" "API_TOKEN={S}"\n'),
    ("/etc/sudoers.d/x", "bob ALL=(ALL) NOPASSWD: /bin/x --password {S}\n"),
    ("/etc/apt/sources.list.d/x.list", "deb https://bob:{S}@example.org/debian bookworm main\n"),
    ("/etc/apt/auth.conf.d/x.conf", "machine example.org login bob password {S}\n"),
    ("/etc/apt/apt.conf.d/90proxy", 'Acquire::http::Proxy "http://bob:{S}@example.org:3128";\n'),
    ("/etc/pip.conf", "[global]\nindex-url = https://bob:{S}@example.org/simple\n"),
    ("/root/.config/pip/pip.conf", "[global]\nextra-index-url = https://__token__:{S}@example.org/simple\n"),
    ("/root/.npmrc", "//example.org/:_authToken={S}\n"),
    ("/usr/etc/npmrc", "//example.org/:_password={S}\n"),
    ("/srv/repo/.git/config", '[remote "origin"]\n\turl = https://bob:{S}@example.org/x.git\n'),
    ("/root/.ssh/config", "Host db\n  ProxyCommand sshpass -p {S} ssh gate\n"),
    ("/etc/environment", "DB_PASSWORD={S}\n"),
    ("/etc/profile.d/x.sh", "export API_TOKEN={S}\n"),
    ("/etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet wifi.psk={S}"\n'),
    ("/etc/kernel/cmdline", "root=/dev/sda1 rescue_password={S}\n"),
    ("/etc/sysctl.d/x.conf", "# password={S}\nkernel.sysrq=1\n"),
    ("/etc/yum.repos.d/x.repo", "[x]\nbaseurl=https://bob:{S}@example.org/el9/\nenabled=1\n"),
    ("/etc/fstab", "//nas/x /mnt cifs username=bob,password={S} 0 0\n"),
    ("/usr/local/bin/tool", "#!/bin/sh\nPASSWORD={S} exec app\n"),
    ("/srv/app/run", "#!/usr/bin/env python3\nAPI_KEY = '{S}'\n"),
    ("/usr/lib/python3/dist-packages/zz.pth", "import os; os.environ['DB_PASSWORD'] = '{S}'\n"),
    ("/usr/lib/python3/dist-packages/sitecustomize.py", "PASSWORD = '{S}'\n"),
    ("/etc/logrotate.d/x", "/x {\n postrotate\n  curl -u bob:{S} example.org\n endscript\n}\n"),
)  # fmt: skip


def _words(garden: Garden) -> None:
    for path, template in _COMMANDS:
        garden.plant("commands and origins", path, template)
    garden.plant("secret files", "/srv/app/word", "{S}\n", 0o600)
    garden.plant("secret files", "/srv/app/db_password", "{S}\n", 0o644)
    garden.plant(
        "secret files",
        "/srv/app/deploy.pem",
        "-----BEGIN PRIVATE KEY-----\n{S}{S}\n-----END PRIVATE KEY-----\n",
        0o644,
    )
    garden.plant(
        "secret files", "/srv/app/random.bin", "\x01\x02\x03{S}\x04\x05\x06\x07\x08", 0o600
    )


def _large(garden: Garden) -> None:
    filler = "".join(f"setting_{n} = {n}\n" for n in range(70_000))
    for name, template in (
        ("large.env", "DB_PASSWORD={S}\n"),
        ("large.ini", "[db]\npassword = {S}\n"),
        ("large.log.conf", "url = https://bob:{S}@example.org/\n"),
    ):
        garden.plant("large files", f"/srv/big/{name}", filler + template + "end = 1\n")


def _encodings(garden: Garden) -> None:
    text = "[db]\r\nuser = app\r\npassword = {S}\r\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"):
        path = f"/srv/encoded/{encoding}.ini"
        content = text.replace("{S}", garden.secret("encodings", path)).encode(encoding)
        garden.contents.append(content)
        garden.write(path, content)
    content = b"A=1\n\0\nDB_PASSWORD=" + garden.secret("encodings", "/srv/n.env").encode() + b"\n"
    garden.contents.append(content)
    garden.write("/srv/n.env", content)


def _names(garden: Garden) -> None:
    links = garden.root / "srv/links"
    links.mkdir(parents=True)
    targets = (
        "https://bob:{S}@example.org/x",
        "https://example.org/?token={S}",
        "/srv/x?password={S}",
        "{T}",
        "ftp://{T}@example.org/",
        "--password={S}",
    )
    for number, target in enumerate(targets):
        make = garden.token if "{T}" in target else garden.secret
        made = make("link targets", f"/srv/links/{number}")
        (links / str(number)).symlink_to(target.replace("{T}", made).replace("{S}", made))
    for path in ("/srv/names/{T}", "/srv/names/backup-{T}.tar", "/etc/names/{T}/x.conf"):
        garden.write(path.replace("{T}", garden.token("file names", path)), b"a = 1\n")
    for path in ("/var/cache/{T}", "/usr/local/bin/{T}"):
        garden.write(path.replace("{T}", garden.token("file names", path)), b"#!/bin/sh\n", 0o755)


def _attributes(garden: Garden) -> None:
    path = "/srv/attributes"
    real = garden.write(path, b"a = 1\n")
    with suppress(OSError):
        os.setxattr(real, "user.password", garden.secret("attributes", path).encode())
        os.setxattr(real, "user.note", garden.token("attributes", path).encode())
        os.setxattr(
            real,
            "user.origin",
            f"https://bob:{garden.secret('attributes', path)}@example.org/".encode(),
        )
        os.setxattr(real, "user.mime_type", b"text/plain")
