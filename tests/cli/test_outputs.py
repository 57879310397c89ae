"""Where output goes: pipes, devices and links are written to and not replaced, by every verb."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest


@pytest.fixture
def root(tmp_path):
    for name, text in (("etc/app.conf", "port = 1\n"), ("var/lib/dpkg/arch", "amd64\n")):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path / "root"


@pytest.fixture
def verbs(envlock, root):
    """Return, by name, how a verb writes one file, and how its content begins."""
    target = f"dir:{root}"
    envlock("capture", target, "--name", "one", "-q")
    (root / "etc/app.conf").write_text("port = 2\n")
    envlock("capture", target, "--name", "two", "-q")
    return {
        "lock": (("capture", target, "-o"), b"# envlock lockfile"),
        "record": (("capture", target, "-o", "-", "--record"), b"recording.json"),
        "report": (("diff", "one", "two", "--exit-zero", "--format", "json", "--output"), b"{"),
        "archive": (("materialize", "one", "--offline", "-q", "--archive"), b"blobs/"),
    }


@pytest.mark.parametrize("verb", ["lock", "record", "report", "archive"])
def test_each_output_takes_pipes_devices_and_links(envlock, verbs, verb, tmp_path, null_device):
    arguments, beginning = verbs[verb]
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "target"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    envlock(*arguments, pipe)
    reader.join(60)
    assert got[0].startswith(beginning)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)

    envlock(*arguments, null_device)
    assert stat.S_ISCHR(null_device.lstat().st_mode)

    target.write_bytes(b"old")
    link.symlink_to(target)
    envlock(*arguments, link)
    assert os.readlink(link) == str(target)
    assert target.read_bytes().startswith(beginning)


@pytest.mark.parametrize("verb", ["lock", "report"])
def test_standard_output_by_its_path(envlock, verbs, verb):
    arguments, beginning = verbs[verb]
    assert envlock(*arguments, "/dev/stdout").out.encode().startswith(beginning)


def test_a_lock_on_standard_output_is_alone_there(envlock, root):
    lock = envlock("capture", f"dir:{root}", "-o", "-").out
    assert envlock("capture", f"dir:{root}", "-o", "/dev/stdout").out == lock
    command = f"{sys.executable} -m envlock capture dir:{root} -o /dev/fd/7"
    ran = subprocess.run(
        ["bash", "-c", f"{command} 7>seven && cat seven"],
        cwd=envlock.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.endswith(lock)


@pytest.mark.parametrize("verb", ["lock", "record", "report", "archive"])
def test_a_file_that_was_planted_beside_an_output_is_not_written_to(envlock, verbs, verb, tmp_path):
    arguments, beginning = verbs[verb]
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    victim.write_text("keep")
    folder.mkdir()
    names = ["part", "tmp", "new", "temp", "draft", "swp"]
    planted = [*(f"out.{name}" for name in names), *(f".out.{name}" for name in names), "out~"]
    for name in planted:
        (folder / name).symlink_to(victim)
    envlock(*arguments, folder / "out")
    assert victim.read_text() == "keep"
    assert sorted(os.listdir(folder)) == sorted([*planted, "out"])
    assert (folder / "out").read_bytes().startswith(beginning)


def test_a_layout_goes_into_the_directory_that_a_link_leads_to(envlock, verbs, tmp_path):
    (tmp_path / "real").mkdir()
    for link, target in (("link", "real"), ("later", "not-yet")):
        (tmp_path / link).symlink_to(target)
        envlock("materialize", "one", "--offline", "-q", "-o", tmp_path / link)
        assert os.readlink(tmp_path / link) == target
        assert (tmp_path / target / "index.json").is_file()


def test_a_layout_does_not_replace_what_is_no_directory(envlock, verbs, tmp_path, null_device):
    (tmp_path / "file").write_text("keep")
    for place in (tmp_path / "file", null_device):
        ran = envlock("materialize", "one", "--offline", "-o", place, status=4)
        assert "cannot write the image" in ran.err
    assert (tmp_path / "file").read_text() == "keep"
    assert stat.S_ISCHR(null_device.lstat().st_mode)


def test_quiet_says_nothing_where_nothing_is_wrong(here, envlock):
    (here / "root/etc").mkdir(parents=True)
    (here / "root/etc/app.conf").write_text("workers = 4\n")
    loud = envlock("capture", f"dir:{here}/root", "--name", "loud")
    quiet = envlock("capture", f"dir:{here}/root", "--name", "quiet", "-q")
    assert loud.out.startswith("environment ") and (quiet.out, quiet.err) == ("", "")
    assert "removed" in envlock("store", "gc").out
    assert envlock("store", "gc", "-q").out == ""
    assert envlock("digest", "quiet", "-q").out == envlock("digest", "loud").out != ""
