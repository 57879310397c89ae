"""A recording changes nothing about the capture, and replayed it gives the same lock."""

from __future__ import annotations

import hashlib
import tarfile

import pytest

from tests.unit.formats.elf_files import make_elf

SECRETS = {
    "etc/shadow": "root:$6$saltsalt$Canary1aaaa:1::::::\n",
    "etc/app.conf": "port = 1\npassword = Canary2bbbb\n",
    "srv/app/.env": "DB_PASSWORD=Canary3cccc\nDEBUG=1\n",
    "srv/notes.txt": "Canary4dddd is no secret, but nobody asks for it\n",
}
FILES = {
    "etc/passwd": "root:x:0:0:Ada:/root:/bin/sh\n",
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "var/lib/dpkg/arch": "amd64\n",
    "var/lib/dpkg/status": "Package: tool\nStatus: install ok installed\nVersion: 1\n\n",
    "srv/app/node_modules/left-pad/package.json": '{"name": "left-pad", "version": "1.3.0"}\n',
    "var/log/syslog": "started\n",
}
"""Of these, collectors ask for all but the last."""


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    for name, text in {**SECRETS, **FILES}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_bytes(make_elf({}))
    with (root / "usr/bin/huge").open("wb") as stream:
        stream.write(make_elf({}))
        stream.truncate(80 << 20)  # more than a collector may hold at once
    for path in (root / "usr/bin").iterdir():
        path.chmod(0o755)
    (root / "srv/link").hardlink_to(root / "srv/notes.txt")
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Rome")
    return root


@pytest.mark.parametrize("name", ["case.tar", "case.tar.zst"])
def test_a_recording_changes_nothing_and_gives_the_same_lock(envlock, root, tmp_path, name):
    lock = envlock("capture", f"dir:{root}", "-o", "-").out
    assert "[tree]" in lock
    assert envlock("capture", f"dir:{root}", "-o", "-", "--record", tmp_path / name).out == lock
    assert (tmp_path / name).stat().st_size < 4 << 20, "only what was read of large files"
    replay = ("capture", f"recorded:{tmp_path / name}", "-o", "-")
    assert envlock(*replay).out == lock
    elsewhere = {"ENVLOCK_STORE_PATH": str(tmp_path / "another")}
    assert envlock(*replay, **elsewhere).out == lock
    envlock("store", "check", "--read-data", **elsewhere)
    some = envlock(*replay, "--only", "deb,npm").out
    assert "[deb." in some
    assert "[tree]" not in some


@pytest.mark.parametrize("options", [["--only", "os,deb"], ["--skip", "deb,npm"]])
def test_a_recording_of_some_sections_gives_the_same_lock(envlock, root, tmp_path, options):
    record = ("--record", tmp_path / "case.tar")
    lock = envlock("capture", f"dir:{root}", *options, "-o", "-").out
    assert envlock("capture", f"dir:{root}", *options, "-o", "-", *record).out == lock
    assert envlock("capture", f"recorded:{tmp_path / 'case.tar'}", "-o", "-").out == lock


def test_a_recording_of_a_layout_gives_the_same_lock(envlock, root, tmp_path):
    envlock("capture", f"dir:{root}", "--name", "box", "-q")
    envlock("materialize", "box", "--offline", "-q", "-o", tmp_path / "image", status=None)
    if not (tmp_path / "image").exists():
        pytest.fail("the lock cannot be rebuilt")
    target = f"oci:{tmp_path / 'image'}"
    lock = envlock("capture", target, "-o", "-").out
    assert envlock("capture", target, "-o", "-", "--record", tmp_path / "case.tar").out == lock
    assert envlock("capture", f"recorded:{tmp_path / 'case.tar'}", "-o", "-").out == lock


def test_a_recording_holds_no_more_than_a_lock_may(envlock, root, tmp_path):
    envlock("capture", f"dir:{root}", "-q", "--record", tmp_path / "case.tar")
    raw = (tmp_path / "case.tar").read_bytes()
    for name, text in SECRETS.items():
        for word in text.replace("=", " ").replace(":", " ").split():
            assert not word.startswith("Canary") or word.encode() not in raw, word
        if name == "srv/notes.txt":
            continue
        for secret in (text.encode(), (root / name).read_bytes().strip()):
            for algorithm in ("sha256", "md5", "sha1"):
                assert hashlib.new(algorithm, secret).hexdigest().encode() not in raw, name
    with tarfile.open(tmp_path / "case.tar") as archive:
        held = {name.removeprefix("rootfs/") for name in archive.getnames()}
        shadow = archive.extractfile("rootfs/etc/shadow")
        assert shadow is not None
        assert shadow.read() == b"root:set:::::::\n"
    assert "srv/notes.txt" not in held, "content by value stays in the store"
    assert "etc/os-release" in held


def test_a_host_with_a_recording_gives_the_same_lock(envlock, tmp_path):
    """Probes of the machine are recorded as well."""
    sections = "os,host.gpu,host.cpu,deb,host.kernel,user"
    target = ("capture", "host", "--only", sections, "-o", "-")
    lock = envlock(*target).out
    assert envlock(*target, "--record", tmp_path / "case.tar").out == lock
    assert envlock("capture", f"recorded:{tmp_path / 'case.tar'}", "-o", "-").out == lock


def test_a_link_that_was_planted_beside_a_recording_is_not_followed(envlock, root, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("keep")
    for name in ("case.tar.part", "case.tar.tmp", ".case.tar.part"):
        (tmp_path / name).symlink_to(victim)
    envlock("capture", f"dir:{root}", "-q", "--record", tmp_path / "case.tar")
    assert victim.read_text() == "keep"
