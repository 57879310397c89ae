"""Signals end every verb with their status and leave nothing; nor does a reader that left harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import TAKING_INTERRUPTS, Cli, was_starting

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
ENVLOCK = (sys.executable, "-m", "envlock")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A root with enough files that other processes help to read them, its lock, store and image.

    Everything lies in one folder, of which each test works on a copy.
    """
    top = tmp_path_factory.mktemp("made")
    for number in range(3000):
        path = top / f"root/srv/{number % 50}/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * 20)
    arch = top / "root/var/lib/dpkg/arch"
    arch.parent.mkdir(parents=True)
    arch.write_text("amd64\n")
    (top / "project").mkdir()
    kinds = ("data", "config", "state", "cache")
    homes = {f"XDG_{kind.upper()}_HOME": str(top / f"xdg_{kind}_home") for kind in kinds}
    envlock = Cli(top / "project")
    envlock("capture", f"dir:{top / 'root'}", "--name", "one", "-q", **homes)
    (top / "root/srv/1/1").write_text("other\n")
    envlock("materialize", "one", "--offline", "-q", "-o", top / "image", **homes)
    return top


@pytest.fixture
def verbs(made, envlock, tmp_path):
    """Return the command line of each verb that works for a while."""
    subprocess.run(["cp", "-a", f"{made}/.", tmp_path], check=True)
    target = f"dir:{tmp_path / 'root'}"
    return {
        "capture": ("capture", target, "--name", "cut", "--record", tmp_path / "cut.tar"),
        "materialize": ("materialize", "one", "--offline", "-o", tmp_path / "cut"),
        "archive": ("materialize", "one", "--offline", "--archive", tmp_path / "cut.tar"),
        "verify": ("verify", "one", f"oci:{tmp_path / 'image'}"),
        "diff": ("diff", "one", target, "--exit-zero", "--output", tmp_path / "cut.html"),
        "check": ("check", target),
        "store": ("store", "check", "--read-data"),
    }


def left(*folders):
    """Return what an interrupted command must not leave in these folders and below."""
    found = [path for folder in folders for path in folder.rglob("*")]
    return [p for p in found if ".envlock-" in p.name or p.parent.name == "tmp" or "cut" in p.name]


@pytest.mark.parametrize(
    "verb", ["capture", "materialize", "archive", "verify", "diff", "check", "store"]
)
def test_a_signal_ends_a_verb_with_its_status_and_nothing_is_left(envlock, verbs, tmp_path, verb):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ended = []
    for number, moment in enumerate((0.05, 0.12, 0.2, 0.3, 0.45, 0.6, 0.8, 1.1)):
        kind = list(STATUS)[number % 3]
        process = subprocess.Popen(
            [*TAKING_INTERRUPTS, *ENVLOCK, *map(str, verbs[verb])],
            cwd=envlock.folder,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        time.sleep(moment)
        for _ in range(2):  # as timeout(1) does
            process.send_signal(kind)
        _, err = process.communicate(timeout=60)
        assert os.listdir(scratch) == []
        if was_starting(err) or process.returncode == -kind:
            continue  # it met Python itself, before anything of ours ran
        assert process.returncode in (0, STATUS[kind]), err
        assert b"Traceback" not in err, err
        assert b"internal error" not in err, err
        ended.append(process.returncode)
        if process.returncode:
            assert not left(envlock.folder, tmp_path / "xdg_data_home")
            assert not [p for p in tmp_path.iterdir() if p.name.startswith((".envlock", "cut"))]
        for path in (
            tmp_path / "cut.tar",
            tmp_path / "cut.html",
            envlock.folder / "locks/cut.lock",
        ):
            path.unlink(missing_ok=True)
        subprocess.run(["rm", "-rf", tmp_path / "cut"], check=True)
    assert any(ended), "no signal met the command while it worked"
    envlock("store", "check", "--read-data")


LOST = """
import sys
from envlock.__main__ import main
from envlock.cli.command import Command
class Doomed:
    def __del__(self):
        raise KeyboardInterrupt
def run(arguments, console):
    Doomed()
    while True:
        pass
sys.argv = ["envlock", "loop"]
sys.exit(main([Command("loop", "", lambda parser: None, run)]))
"""

STUCK = """
import sys, threading
from envlock.cli.command import Command
from envlock.cli import interrupts
from envlock.__main__ import main
def run(arguments, console):
    threading.Thread(target=threading.Event().wait).start()
    print("ready", flush=True)
    try:
        threading.Event().wait()
    finally:
        if sys.argv[2:]:
            threading.Event().wait()
sys.argv[1:1] = ["stick"]
def options(parser):
    parser.add_argument("rest", nargs="*")
sys.exit(main([Command("stick", "", options, run)]))
"""


def test_an_interrupt_that_python_drops_is_raised_again(envlock):
    # An interrupt inside a destructor or a callback of the import system is only printed by Python.
    ran = subprocess.run(
        [sys.executable, "-c", LOST],
        cwd=envlock.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 143, ran.stderr
    assert ran.stderr == b"envlock: error: interrupted\n"


@pytest.mark.parametrize("more", [[], ["in the cleaning up"]])
def test_a_signal_ends_what_waits_for_ever(envlock, more):
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, *more], cwd=envlock.folder, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    process.communicate()


def test_a_signal_that_is_to_be_ignored_is_ignored(envlock):
    command = ["nohup", sys.executable, "-c", STUCK]
    process = subprocess.Popen(
        command, cwd=envlock.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    process.communicate()


@pytest.fixture
def locks(envlock, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc/app.conf").write_text(f"port = {name}\n")
        envlock("capture", f"dir:{tmp_path / name}", "--name", name, "-q")


def run(envlock, script):
    return subprocess.run(
        ["bash", "-c", script.replace("envlock", " ".join(ENVLOCK))],
        cwd=envlock.folder,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    ("command", "status"),
    [("show a --json", "0"), ("diff a b --fail-on info", "1"), ("capture dir:../a -o -", "0")],
)
def test_when_nobody_reads_the_status_is_that_of_the_command(envlock, locks, command, status):
    done = run(envlock, f"envlock {command} | true; echo ${{PIPESTATUS[0]}}")
    assert done.stdout.strip() == status
    assert "rror" not in done.stderr


def test_a_closed_standard_output_is_status_4(envlock, locks):
    done = run(envlock, "envlock diff a b --fail-on info >&-; echo $?")
    assert done.stdout == "4\n"
    assert "cannot write to standard output: it is closed" in done.stderr
    done = run(envlock, "envlock capture dir:../a --name c >&- 2>&- <&-; echo $?; ls locks")
    assert done.stdout.split() == ["4", "a.lock", "b.lock", "c.lock"]
    envlock("check", "c")


def test_closed_standard_streams_do_not_get_into_files(envlock, locks):
    """A file that is opened must not get the number of a closed stream."""
    done = run(envlock, "envlock show a nonsense >&- 2>&- <&-; echo $?")
    assert done.stdout == "2\n"
    envlock("store", "check", "--read-data")
    for path in envlock.folder.rglob("*.lock"):
        envlock("check", path)
