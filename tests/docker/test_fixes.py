"""Every fix is followed in a Debian root: its finding is gone, and no new one has come."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import unavailable

TOOLS = {"tool": ("tool", "libtool1 (= {v})"), "libtool1": ("tool", "")}
"""Packages of one source that need each other in one version."""
ALONE = ("newer", "held", "marked", "half", "owner", "extra", "libapp1")

PREPARE = """
apt-get update
apt-get install tool=2 libtool1=2 newer=1 held=1 marked=1 half=1 owner=1 app=1
apt-mark auto libtool1 libapp1
useradd --uid 1500 --shell /usr/sbin/nologin shop
useradd --uid 1501 --groups adm keeper
for one in vi nano; do
    printf '#!/bin/sh\\n' > /usr/local/bin/my$one
    chmod 755 /usr/local/bin/my$one
done
for name in chosen fixed; do
    update-alternatives --install /usr/bin/$name $name /usr/local/bin/myvi 10
    update-alternatives --install /usr/bin/$name $name /usr/local/bin/mynano 20
done
update-alternatives --set fixed /usr/local/bin/myvi
cp /bin/true /usr/local/bin/plain
cp /bin/true /usr/local/bin/owned
dpkg-statoverride --update --add root adm 0750 /usr/local/bin/owned
mkdir -p /srv/data
$(basename $(readlink -f /usr/bin/python3)) -m venv --without-pip /opt/gone
python3 -m venv /opt/app
/opt/app/bin/pip install newest==1 edited==1 lost==1
"""
BREAK = """
apt-get install --allow-downgrades tool=1 libtool1=1 newer=2 extra=1
dpkg -r app libapp1
apt-mark hold held
apt-mark auto marked
dpkg --unpack /srv/repo/half_1.deb
echo changed >> /usr/share/owner/edited
rm /usr/share/owner/lost /etc/owner.conf
chmod 4755 /usr/local/bin/plain
chown 1501:1501 /srv/data
setcap cap_net_raw+ep /usr/local/bin/mynano
gpasswd -a shop sudo
gpasswd -d keeper adm
usermod --shell /bin/bash shop
passwd --delete keeper
update-alternatives --set chosen /usr/local/bin/myvi
update-alternatives --auto fixed
dpkg-statoverride --remove /usr/local/bin/owned
dpkg-statoverride --add root root 0700 /usr/local/bin/plain
dpkg-divert --add --local --no-rename /usr/share/held/lost
/opt/app/bin/pip install newest==2 more==1
/opt/app/bin/pip uninstall lost
for file in /opt/app/lib/python3*/site-packages/edited.py; do echo changed >> $file; done
rm -r /opt/gone
"""
FOLLOWED = {
    "ACCOUNT", "ALTERNATIVE", "DEB-DOWNGRADE", "DEB-EXTRA", "DEB-HOLD", "DEB-MARK", "DEB-MISSING",
    "DEB-UPDATE", "DPKG-OVERRIDE", "FILE-CAPABILITY", "FILE-CONFFILE-GONE",
    "FILE-OWNER", "FILE-PACKAGE-EDITED", "FILE-PACKAGE-GONE", "FILE-PRIVILEGE", "GROUP-PRIVILEGED",
    "LOGIN-OPEN", "PYTHON-EDITED", "PYTHON-ENVIRONMENT-MISSING", "PYTHON-EXTRA", "PYTHON-MAJOR",
    "PYTHON-MISSING", "USER-SHELL", "PACKAGE-NOT-CONFIGURED",
}  # fmt: skip


class Root:
    """A Debian root of its own whose packages come from a repository of a directory in it."""

    def __init__(self, root: Path) -> None:
        self.path = root

    def run(self, *command: str) -> None:
        """Run a command below the root, as an administrator who says yes."""
        done = subprocess.run(
            ["chroot", self.path, *command],
            input="y\n" * 40,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive",
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": "/srv/wheels",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def script(self, text: str) -> None:
        """Run a script that ends at the first failure."""
        self.run("sh", "-ec", text)


@pytest.fixture
def root(debian_root, tmp_path):
    if not shutil.which("dpkg-deb"):
        unavailable("registry", "dpkg-deb is not here")
    path = tmp_path / "root"
    subprocess.run(["cp", "-a", debian_root, path], check=True)
    made = Root(path)
    shutil.rmtree(path / "etc/apt/sources.list.d", ignore_errors=True)
    (path / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/repo ./\n")
    (path / "etc/apt/apt.conf.d/90yes").write_text('APT::Get::Assume-Yes "true";\n')
    (path / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (path / "usr/sbin/policy-rc.d").chmod(0o755)
    repository(path / "srv/repo", tmp_path)
    for name in ("newest", "edited", "lost", "more"):
        for version in ("1", "2"):
            wheel(path / "srv/wheels", name, version)
    return made


def test_followed_fixes_remove_their_findings_and_bring_no_new_ones(root, envlock):
    root.script(PREPARE)
    target = f"dir:{root.path}"
    envlock("capture", target, "--name", "good", "-q")
    root.script(BREAK)
    envlock("capture", target, "--name", "bad", "-q")
    found = envlock("diff", "good", "bad", "--json", status=1).json["changes"]
    fixable = [change for change in found if change["commands"]]
    assert {change["rule"] for change in fixable} >= FOLLOWED
    commands = [tuple(command) for change in fixable for command in change["commands"]]
    for command in in_order(dict.fromkeys(commands)):
        root.run(*command)
    envlock("capture", target, "--name", "fixed", "-q")
    left = envlock("diff", "good", "fixed", "--json", status=None).json["changes"]
    told = {(change["section"], change["key"], change["field"]) for change in left}
    mended = {(change["section"], change["key"], change["field"]) for change in fixable}
    assert not told & mended
    assert not [change for change in left if change["id"] not in {one["id"] for one in found}]


def test_the_script_of_the_doctor_mends_all_that_needs_no_person(root, envlock, tmp_path):
    root.script(PREPARE)
    target = f"dir:{root.path}"
    envlock("capture", target, "--name", "good", "-q")
    assert envlock("doctor", "good", target, status=0).out.startswith("READY")
    root.script(BREAK)
    script = tmp_path / "fix.sh"
    first = envlock("doctor", "good", target, "--json", "--fix-script", script, status=1).json
    mended = {gap["id"] for gap in first["gaps"] if gap["auto"] == "yes"}
    left_to_people = {gap["id"] for gap in first["gaps"]} - mended
    assert len(mended) > len(left_to_people)
    root.script(script.read_text())
    again = envlock("doctor", "good", target, "--json", status=1).json
    assert {gap["id"] for gap in again["gaps"]} <= left_to_people
    # What a person has to decide is a comment.
    assert {gap["auto"] for gap in again["gaps"]} <= {"ask", "never"}


def in_order(commands):
    """Return overrides and diversions first, so that packages are installed under them."""
    return sorted(commands, key=lambda command: not command[0].startswith("dpkg-"))


@pytest.mark.parametrize("value", ["C.UTF-8", "a b'\"$HOME`id`;\\", "* ?"])
def test_the_line_for_a_shell_sets_exactly_the_value(value):
    from envlock.diff.drift import ChangeKind, Delta
    from envlock.diff.severity import classify
    from envlock.report.wording import shell_line

    missing = Delta("env", "TZ", "", ChangeKind.REMOVED, value, None, {"value": value})
    extra = Delta("env", "TZ", "", ChangeKind.ADDED, None, value, {"value": value})
    line = shell_line(classify(missing, "dev", "prod").fix)
    show = f"{sys.executable} -c 'import os; print(os.environ.get(\"TZ\"))'"
    argv = ["sh", "-c", f"{line}; {show}"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{value}\n"
    line = shell_line(classify(extra, "dev", "prod").fix)
    ran = subprocess.run(
        ["sh", "-c", f"{line}; {show}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TZ": value},
    )
    assert ran.stdout == "None\n"


def repository(folder: Path, draft: Path) -> None:
    """Write a repository of small packages in two versions each."""
    folder.mkdir(parents=True)
    index = []
    for version in ("1", "2"):
        for name, (source, needs) in TOOLS.items():
            index.append(package(folder, draft, name, version, source, needs.format(v=version)))
        index += [package(folder, draft, name, version, name, "") for name in ALONE]
        index.append(package(folder, draft, "app", version, "app", "libapp1"))
    (folder / "Packages").write_text("\n".join(index))


def package(folder: Path, draft: Path, name: str, version: str, source: str, needs: str) -> str:
    """Build a package; return its entry in the index of the repository."""
    top = draft / f"{name}_{version}"
    content = top / f"usr/share/{name}"
    content.mkdir(parents=True)
    for file in ("edited", "lost"):
        (content / file).write_text(f"{name} {version} {file}\n")
    (top / "DEBIAN").mkdir()
    sums = (f"{md5(path)}  {path.relative_to(top)}\n" for path in sorted(content.iterdir()))
    (top / "DEBIAN/md5sums").write_text("".join(sums))
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nSource: {source}\n"
        f"Maintainer: x <x@example.org>\nDescription: {name}\n"
    )
    control += f"Depends: {needs}\n" if needs else ""
    (top / "DEBIAN/control").write_text(control)
    if name == "owner":
        (top / "etc").mkdir()
        (top / "etc/owner.conf").write_text("a=1\n")
        (top / "DEBIAN/conffiles").write_text("/etc/owner.conf\n")
    deb = folder / f"{name}_{version}.deb"
    argv = ["dpkg-deb", "--root-owner-group", "--build", top, deb]
    subprocess.run(argv, check=True, capture_output=True)
    raw = deb.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    return f"{control}Filename: ./{deb.name}\nSize: {len(raw)}\nSHA256: {digest}\n"


def md5(path: Path) -> str:
    """Return the digest that dpkg keeps of a file."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel with one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    lines = [f"{path},sha256={encoded(digest)},\n" for path, digest in digests.items()]
    files[f"{info}/RECORD"] = "".join((*lines, f"{info}/RECORD,,\n"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def encoded(digest: bytes) -> str:
    """Return a digest as a RECORD has it."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
