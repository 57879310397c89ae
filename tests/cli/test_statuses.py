"""Invalid input and failures: the documented status, one error, a hint, no partly written file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from tests.conftest import WITHOUT_RIGHTS, unavailable

TOOL_SUMS = f"{hashlib.md5(b'tool').hexdigest()}  usr/bin/tool\n"


@pytest.fixture
def root(tmp_path):
    """A small Debian-like root with one package and odd names."""
    root = tmp_path / "root"
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "etc/debian_version": "12.5\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": "root:x:0:\n",
        "etc/shadow": "root:$6$canarysalt$canaryhash:1::::::\n",
        "etc/app.conf": "port = 1\n",
        "var/lib/dpkg/status": (
            "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n\n"
        ),
        "var/lib/dpkg/arch": "amd64\n",
        "var/lib/dpkg/info/tool.list": "/.\n/usr\n/usr/bin\n/usr/bin/tool\n",
        "usr/share/doc/x": "x",
        "srv/data": "data\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "usr/bin").mkdir()
    (root / "usr/bin/tool").write_bytes(b"tool")
    return root


@pytest.fixture
def lock(envlock, root):
    envlock("capture", f"dir:{root}", "--name", "small", "-q")
    return envlock.folder / "locks/small.lock"


def says(ran, *words):
    assert ran.err.count("envlock: error: ") == 1, ran.err
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err, ran.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("capture", "nowhere:x"), 2, ("nowhere:x", "hint:")),
        (("capture", "dir:/does/not/exist"), 4, ("no such directory",)),
        (("capture", "oci:/does/not/exist"), 4, ("OCI layout", "hint:")),
        (("capture", "host", "--only", "nonsense"), 2, ("nonsense", "hint:")),
        (("show", "absent"), 2, ("absent", "hint:")),
        (("diff", "absent", "absent"), 2, ("absent",)),
        (("digest", "git:HEAD:locks/x.lock"), 2, ("git",)),
        (("materialize", "absent", "--tag", "Not A Name"), 2, ("not a valid image name",)),
        (("materialize", "absent"), 2, ("no output", "absent -o DIR", "--archive", "--load")),
        (("explain", "no-such-thing"), 2, ("no-such-thing",)),
        (("check",), 2, ("no lock",)),
        (("frobnicate",), 2, ("frobnicate", "hint:")),
        (("diff", "a", "b", "--section", "pythn"), 2, ("pythn", 'did you mean "python"')),
        (("diff", "a", "b", "--section", "deb,nonsense"), 2, ("nonsense", "hint:")),
        (("capture", "host", "--only", "os", "--skip", "os,deb"), 2, ("both --only and --skip",)),
        (("capture", "host", "--name", "../x"), 2, ("../x", "hint:")),
        (("capture", "host", "-o", "-", "--json"), 2, ("--json",)),
        (("store", "gc", "--grace", "-1"), 2, ("--grace", "not a number")),
        (("capture", "host", "--no-such-option"), 2, ("--no-such-option",)),
    ],
)
def test_usage_errors(envlock, arguments, status, words):
    says(envlock(*arguments, status=status), *words)


def test_a_stopped_engine_is_unreachable(envlock):
    for target in ("docker:web", "image:web"):
        ran = envlock("capture", target, status=4, DOCKER_HOST="unix:///nonexistent/socket")
        says(ran, "does not answer", "hint:")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('"1.0"', '"9.0"', 1), ("9.0", "newer")),
        (lambda text: text + '\n[os]\nid = "debian"\n', ("small.lock", "line")),
        (lambda text: text.replace("[os]", "<<<<<<< ours\n[os]"), ("merge", "line")),
        (lambda text: text.replace('id = "debian"', "id = 1.5"), ("os.id",)),
        (lambda text: text.replace("lock-version", "other"), ("lock-version",)),
        (lambda text: text[: text.rindex('"')], ("small.lock",)),
    ],
)
def test_an_invalid_lock_is_named_with_the_line(envlock, lock, change, words):
    lock.write_text(change(lock.read_text()))
    says(envlock("show", "small", status=2), *words)


def test_a_lock_of_some_sections_does_not_replace_one_of_all(envlock, root):
    """It may be written elsewhere, and the same sections may be captured again."""
    envlock("capture", f"dir:{root}", "-q")
    whole = envlock.folder / f"locks/{root.name}.lock"
    before = whole.read_bytes()
    ran = envlock("capture", f"dir:{root}", "--only", "os", status=2)
    says(ran, "deb", "file", str(whole), "hint:")
    assert whole.read_bytes() == before
    envlock("capture", f"dir:{root}", "--only", "os", "--name", "part", "-q")
    whole.unlink()
    for _ in range(2):
        envlock("capture", f"dir:{root}", "--only", "os,deb", "-q")


def test_a_note_says_that_a_target_is_used_and_not_its_lock(envlock, root):
    envlock("capture", f"dir:{root}", "-q")
    ran = envlock("show", f"dir:{root}")
    lock = envlock.folder / f"locks/{root.name}.lock"
    assert f"captured now; to use its lock, give {lock}" in ran.err
    assert "captured now" not in envlock("show", root.name).err


def test_a_lock_in_a_directory_without_access(envlock, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, 65534, 65534)
    command = [sys.executable, "-m", "envlock", "show", str(closed / "x.lock")]
    ran = subprocess.run(
        [*WITHOUT_RIGHTS, *command], cwd=envlock.folder, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False), ran.stderr
    assert "cannot read the lockfile: Permission denied" in ran.stderr


def test_a_corrupt_status_file_is_a_gap(envlock, root):
    status = root / "var/lib/dpkg/status"
    status.write_bytes(
        status.read_bytes() + b"Package: broken\nVers\xffion\n\nPackage: late\nVersion: 2\n"
        b"Status: install ok installed\nArchitecture: all\n"
    )
    document = envlock("capture", f"dir:{root}", "--json").json
    assert document["coverage"]["deb"]["status"] == "partial"
    assert document["entries"]["deb"] == 2


def test_unreadable_files_are_gaps_and_not_removals(envlock, root):
    if os.geteuid():
        unavailable("root", "it takes root to make a file of somebody else's")
    closed = root / "srv/data"
    closed.chmod(0o600)
    os.chown(closed, 65534, 65534)
    envlock("capture", f"dir:{root}", "--name", "whole", "-q")
    command = [sys.executable, "-m", "envlock", "capture", f"dir:{root}", "-o", "-"]
    ran = subprocess.run(
        [*WITHOUT_RIGHTS, *command],
        cwd=envlock.folder,
        env=os.environ | {"ENVLOCK_STORE_PATH": str(root.parent / "empty-store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    partial = envlock.folder / "partial.lock"
    partial.write_text(ran.stdout)
    assert "/srv/data: permission denied" in ran.stdout
    report = envlock("diff", "whole", partial, "--json", status=None).json
    assert {c["kind"] for c in report["changes"] if c["key"] == "/srv/data"} <= {"unknown"}
    assert report["result"] != "equal"


def test_an_ordinary_user_sees_what_is_new_beside_what_is_closed(envlock, root):
    if os.geteuid():
        unavailable("root", "it takes root to make a directory of somebody else's")
    (root / "root").mkdir(mode=0o700)
    (root / "opt").mkdir()
    os.chown(root / "root", 65534, 65534)

    def captured(name):
        command = [sys.executable, "-m", "envlock", "capture", f"dir:{root}", "--name", name]
        subprocess.run([*WITHOUT_RIGHTS, *command], cwd=envlock.folder, check=True)

    captured("before")
    environment = root / "opt/app/lib/python3.11/site-packages"
    environment.mkdir(parents=True)
    (root / "opt/app/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (root / "usr/bin/link").symlink_to("tool")
    captured("after")
    report = envlock("diff", "before", "after", "--json", status=None).json
    assert {(c["key"], c["kind"]) for c in report["changes"] if not c["field"]} == {
        ("/opt/app", "added"),
        ("/usr/bin/link", "added"),
        ("app", "added"),
    }


def test_wrong_bytes_from_a_cache_are_refused_before_anything_is_written(envlock, root, tmp_path):
    # The tree refers to the package by its MD5, and the cache has a file of that name.
    sums = root / "var/lib/dpkg/info/tool.md5sums"
    sums.write_text(TOOL_SUMS)
    cache = tmp_path / "debs"
    cache.mkdir()
    (cache / "tool_1.0-1_amd64.deb").write_bytes(b"!<arch>\ntruncated")
    envlock("capture", f"dir:{root}", "--name", "small")
    (envlock.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{cache}"]\n')
    ran = envlock("materialize", "small", "-o", tmp_path / "layout", "--offline", status=5)
    says(ran, "tool:amd64", "nothing was written")
    assert not (tmp_path / "layout").exists()


def test_a_wrong_package_is_removed_from_the_cache(envlock, root, tmp_path):
    # No index gave the archive's digest: only opening it shows that it is another file.
    (root / "var/lib/dpkg/info/tool.md5sums").write_text(TOOL_SUMS)
    envlock("capture", f"dir:{root}", "--name", "small")
    poisoned = tmp_path / "xdg_data_home/envlock/cache/artifacts/tool_1.0-1_amd64.deb"
    poisoned.parent.mkdir(parents=True, exist_ok=True)
    poisoned.write_bytes(b"!<arch>\nanother file")
    says(envlock("materialize", "small", "-o", tmp_path / "layout", "--offline", status=5), "tool")
    assert not poisoned.exists()


def test_all_blockers_are_listed(envlock, root, tmp_path):
    sums = root / "var/lib/dpkg/info/tool.md5sums"
    sums.write_text(TOOL_SUMS)
    envlock("capture", f"dir:{root}", "--name", "small")
    for path in (tmp_path / "xdg_data_home/envlock/objects").rglob("*"):
        if path.is_file() and path.read_bytes() == b"data\n":
            path.unlink()
    ran = envlock("materialize", "small", "-o", tmp_path / "layout", "--offline", status=5)
    says(ran, "deb tool:amd64 1.0-1", "/srv/data")


def test_a_lock_without_a_tree_hints_at_deep(envlock, lock):
    text = lock.read_text()
    start = text.index("[tree]")
    lock.write_text(text[:start].rstrip("\n") + "\n")
    says(envlock("materialize", "small", "-o", "image", status=5), "--deep")
    says(envlock("verify", "small", "host", status=3), "--deep")


def test_a_full_standard_output_is_status_4(envlock, lock):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "envlock", "show", "small", "--json"],
            cwd=envlock.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr


def test_an_internal_error_is_status_70_with_a_traceback_in_a_file(envlock, tmp_path):
    code = """
import sys
from envlock.cli.command import Command
from envlock.cli.main import run
def fail(arguments, console):
    raise ZeroDivisionError("planted")
sys.exit(run(["boom"], [Command("boom", "", lambda parser: None, fail)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "planted" in (tmp_path / "xdg_state_home/envlock/crash.txt").read_text()


def test_a_full_disk_is_status_4_and_no_lock_is_written(envlock, root, tmp_path):
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(mounted)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        unavailable("mounts", "no right to mount")
    try:
        (root / "srv/big").write_bytes(os.urandom(1 << 20))
        ran = envlock("capture", f"dir:{root}", status=4, ENVLOCK_STORE_PATH=str(mounted / "s"))
        says(ran, "hint:")
        assert not list(envlock.folder.glob("locks/*"))
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_hostile_names_survive_the_whole_loop(envlock, root, tmp_path):
    strange = os.fsencode(root) + b"/srv/"
    for name in (b"latin\xe9", b"new\nline", b"tab\t", b'quote"', b"back\\slash", b"[table]"):
        with open(strange + name, "wb") as file:
            file.write(name)
    os.link(root / "srv/data", root / "srv/deeper")
    (root / "srv/loop").symlink_to("loop")
    (root / "srv/out").symlink_to("/../../etc/passwd")
    os.mkfifo(root / "srv/pipe")
    with (root / "srv/sparse").open("wb") as file:
        file.truncate(50 << 20)
    envlock("capture", f"dir:{root}", "--name", "odd")
    envlock("check", "odd")
    envlock("materialize", "odd", "-o", tmp_path / "layout", "--offline")
    assert "EQUAL" in envlock("verify", "odd", f"oci:{tmp_path / 'layout'}").out
