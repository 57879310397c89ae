"""`envlock trace`: the command runs as ever, and what it touched is written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from envlock.errors import TraceError
from envlock.lockfile.reader import read_lock
from envlock.lockfile.trace_file import read_trace, render_trace
from envlock.model.trace import Trace
from envlock.targets.local.tracer import Tracer, find_strace
from tests.conftest import TAKING_INTERRUPTS, unavailable

ENVLOCK = (sys.executable, "-m", "envlock")


@pytest.fixture(autouse=True)
def _strace():
    try:
        find_strace()
    except TraceError as error:
        unavailable("strace", str(error))


@pytest.fixture
def run(envlock):
    """Run a command under `envlock trace`, which writes x.trace."""

    def run(*command, options=(), **more):
        return subprocess.run(
            [*ENVLOCK, "trace", "-o", "x.trace", *options, "--", *command],
            cwd=envlock.folder,
            capture_output=True,
            check=False,
            timeout=120,
            **more,
        )

    return run


def test_streams_arguments_and_status_are_those_of_the_command(run):
    script = 'cat; printf "%s|" "$@"; echo told >&2; exit 7'
    done = run("sh", "-c", script, "name", "a b", "--", "-o", input=b"given\n")
    assert (done.returncode, done.stdout) == (7, b"given\na b|--|-o|")
    assert done.stderr.startswith(b"told\nwrote x.trace: ")


def test_packages_are_named_and_neither_arguments_nor_data(run, envlock):
    (envlock.folder / "diary.txt").write_text("dear diary")
    done = run("sh", "-c", "cat diary.txt >copy.txt; : hunter2")
    text = (envlock.folder / "x.trace").read_text()
    trace = read_trace(envlock.folder / "x.trace")
    assert done.returncode == 0
    assert any("libc.so" in path for paths in trace.records.values() for path in paths)
    assert any(path.endswith("/cat") for paths in trace.records.values() for path in paths)
    for word in ("diary", "copy.txt", "hunter2", str(envlock.folder)):
        assert word not in text


def test_same_run_same_bytes(run, envlock):
    found = []
    for _ in range(2):
        run("sh", "-c", "ls / >/dev/null; cat /etc/hostname >/dev/null")
        found.append((envlock.folder / "x.trace").read_bytes())
    assert found[0] == found[1]


def test_traces_add_up_only_when_asked(run, envlock):
    names = []
    for command, options in (("ls", ()), ("cat", ("--append",)), ("true", ())):
        run(command, "/dev/null", options=options)
        text = (envlock.folder / "x.trace").read_text()
        names.append({name for name in ("ls", "cat") if f'/{name}"' in text})
    assert names == [{"ls"}, {"ls", "cat"}, set()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_a_signal_ends_gives_its_status(run, number):
    assert run("sh", "-c", f"kill -{number} $$").returncode == 128 + number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_reaches_the_command_which_decides(envlock, number):
    script = f"trap 'exit 9' {number:d}; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*TAKING_INTERRUPTS, *ENVLOCK, "trace", "-o", "x.trace", "--", "sh", "-c", script],
        cwd=envlock.folder,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 9
    assert read_trace(envlock.folder / "x.trace").records


def test_what_the_command_leaves_running_is_traced_to_its_end(run, envlock):
    done = run("sh", "-c", "(sleep 0.5; ls / >/dev/null) & exit 3")
    assert done.returncode == 3
    assert '/ls"' in (envlock.folder / "x.trace").read_text()


def test_a_lingering_process_is_said_and_gets_the_signal(envlock):
    process = subprocess.Popen(
        [*ENVLOCK, "trace", "-o", "x.trace", "--", "sh", "-c", "sleep 100 & exit 3"],
        cwd=envlock.folder,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert b"goes on until 1 more processes have ended" in process.stderr.readline()
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert time.monotonic() - started < 50


def test_a_signal_that_stopped_the_command_stops_what_it_left_running(envlock):
    script = "sleep 100 & trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*ENVLOCK, "trace", "-o", "x.trace", "--", "sh", "-c", script],
        cwd=envlock.folder,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 9
    assert time.monotonic() - started < 50


def test_a_signal_reaches_a_command_that_has_just_begun(monkeypatch):
    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            os.kill(os.getpid(), signal.SIGTERM)

    tracer = Tracer(find_strace(), ["/bin/sleep", "100"])
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    assert tracer.run(lambda count: None) == 128 + signal.SIGTERM


def test_a_link_is_replaced_and_not_followed(run, envlock):
    victim = envlock.folder / "victim"
    victim.write_text("kept")
    (envlock.folder / "x.trace").symlink_to(victim)
    run("true")
    assert victim.read_text() == "kept"
    assert not (envlock.folder / "x.trace").is_symlink()


def test_the_default_file_has_the_name_of_the_program(envlock):
    envlock("trace", "--", "true")
    assert read_trace(envlock.folder / "traces/true.trace").records


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((), 2, "no command to trace"),
        (("--",), 2, "no command to trace"),
        (("--", "no-such-program"), 2, "no such program: no-such-program"),
        (("--unknown", "true"), 2, "--unknown"),
        (("-o", "-", "--", "true"), 2, "standard output is the command's"),
        (("-o", "/proc/none/x", "--", "true"), 4, "cannot write /proc/none/x"),
    ],
)
def test_what_envlock_cannot_do_has_a_status_and_a_sentence(envlock, words, status, message):
    ran = envlock("trace", *words, status=status)
    assert message in ran.err


def test_a_damaged_trace_is_not_added_to(run, envlock):
    (envlock.folder / "x.trace").write_text("other\n")
    done = run("sh", "-c", "echo ran", options=("--append",))
    assert (done.returncode, done.stdout) == (2, b"")
    assert (envlock.folder / "x.trace").read_text() == "other\n"


def test_without_strace_it_says_how_to_install_it(envlock):
    ran = envlock("trace", "--", "/bin/true", status=4, PATH="/nonexistent")
    assert "strace is not installed" in ran.err
    assert "apt install strace" in ran.err


def test_where_tracing_is_forbidden_it_says_what_permits_it(envlock):
    command = [*ENVLOCK, "trace", "--", "sh", "-c", "echo ran"]
    tracer = [shutil.which("strace"), "-f", "-o", os.devnull, "-e", "trace=execve"]
    done = subprocess.run([*tracer, *command], cwd=envlock.folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"the system forbids tracing" in done.stderr
    assert b"--cap-add SYS_PTRACE" in done.stderr


STATUS = """\
Package: hello
Status: install ok installed
Architecture: amd64
Version: 2.10-3

"""


def test_a_capture_takes_traces_as_roots_and_beside_roots(envlock, tmp_path):
    root = tmp_path / "root"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_bytes(b"#!/bin/none\n")
    (root / "usr/bin/tool").chmod(0o755)
    trace = Trace({"deb:hello:amd64": ()}, {})
    (envlock.folder / "x.trace").write_bytes(render_trace(trace))
    (envlock.folder / "envlock.toml").write_text(
        f'[environments.dev]\ntarget = "dir:{root}"\n'
        'roots = { app = "trace:x.trace", web = "exe:/usr/bin/tool", bare = "exe:/usr/bin/tool" }\n'
        'traces = { web = ["x.trace"] }\n'
    )
    target = f"dir:{root}"
    envlock("capture", target, "-q")
    scope = read_lock(envlock.folder / "locks/dev.lock").sections["scope"]
    assert scope["app/deb:hello:amd64"]["class"] == "traced"
    assert scope["web/deb:hello:amd64"]["class"] == "traced"
    assert "bare/deb:hello:amd64" not in scope
    given = ("--root", "one=exe:/usr/bin/tool", "--trace", "one=x.trace")
    envlock("capture", target, *given, "-q", "-o", "one.lock")
    assert "one/deb:hello:amd64" in read_lock(envlock.folder / "one.lock").sections["scope"]
    wrong = envlock("capture", target, "--root", "app=trace:none.trace", status=2)
    assert "cannot read the trace" in wrong.err
    assert "--trace" in envlock("capture", target, "--trace", "app", status=2).err
