"""Recordings: replayed they give the same lock, and they hold no secrets."""

from __future__ import annotations

import io
import json
import tarfile
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.capture.engine import capture
from envlock.capture.recording import Recorder
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.errors import TargetError
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.targets.kinds import open_target
from envlock.targets.recorded import VERSION, RecordedTarget

TOKEN = "ghp_" + "a1B2" * 9
SECRETS = {
    "etc/apt/sources.list": "deb https://joe:hunter2@deb.example.org/debian bookworm main\n",
    "etc/passwd": "root:$6$salt$hash:0:0:Ada Lovelace:/root:/bin/sh\n",
    "etc/os-release": f'ID=debian\nVERSION_ID="12"\nBUILD_ID={TOKEN}\n',
    "srv/app/.venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.2\n",
    "srv/app/.venv/lib/python3.11/site-packages/x-1.dist-info/METADATA": "Name: x\nVersion: 1\n",
    "srv/app/.venv/lib/python3.11/site-packages/x-1.dist-info/direct_url.json": json.dumps(
        {"url": f"https://joe:{TOKEN}@git.example.org/x", "vcs_info": {"vcs": "git"}}
    ),
    "etc/app.conf": "a = 1\n",
    "home/joe/private/notes.txt": "nobody asks for this\n",
}


def recorded(target, **environ):
    request = Request(depth=Depth.RECORDS)
    recorder = Recorder(target, request)
    captured = capture(target, collectors(), request, recorder=recorder)
    stream = io.BytesIO()
    recorder.write(stream)
    return captured.lock, stream.getvalue()


@pytest.fixture
def rootfs(tmp_path):
    for name, text in SECRETS.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "root/etc/latin\udce9").write_text("x")
    (tmp_path / "root/etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Rome")
    return tmp_path / "root"


def replay(path):
    target = open_target(f"recorded:{path}")
    lock = capture(target, collectors(), Request(depth=Depth.RECORDS)).lock
    return render_lock(lock)


def test_a_recording_gives_the_same_lock(rootfs, tmp_path):
    lock, raw = recorded(open_target(f"dir:{rootfs}"))
    (tmp_path / "case.tar").write_bytes(raw)
    assert replay(tmp_path / "case.tar") == render_lock(lock)
    assert tomllib.loads(render_lock(lock).decode())["file"]["/etc/app.conf"]["sha256"]
    assert recorded(open_target(f"dir:{rootfs}"))[1] == raw


def test_a_recording_holds_no_secret_and_nothing_that_nobody_asked_for(rootfs):
    _, raw = recorded(open_target(f"dir:{rootfs}"))
    for secret in ("hunter2", TOKEN, "$6$salt", "Ada", "nobody asks", "private"):
        assert secret.encode() not in raw, secret
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        assert archive.getnames()[0] == "recording.json"
        passwd = archive.extractfile("rootfs/etc/passwd").read()
    assert passwd == b"root:x:0:0:x:/root:/bin/sh\n"


def test_variables_without_a_value_in_the_lock_have_none_in_the_recording(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgres://joe:hunter2@db.example.org/x")
    monkeypatch.setenv("PYTHONPATH", TOKEN)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 22")
    only = Request(depth=Depth.RECORDS, only=frozenset({"env"}))
    recorder = Recorder(open_target("host"), only)
    lock = capture(recorder, collectors(), only, recorder=recorder).lock
    stream = io.BytesIO()
    recorder.write(stream)
    (tmp_path / "case.tar").write_bytes(stream.getvalue())
    for secret in (b"hunter2", TOKEN.encode(), b"192.0.2.1"):
        assert secret not in stream.getvalue()
    again = capture(open_target(f"recorded:{tmp_path}/case.tar"), collectors(), only).lock
    assert render_lock(again) == render_lock(lock)
    assert lock.sections["env"]["LANG"] == {"value": "C.UTF-8"}
    assert lock.sections["env"]["PYTHONPATH"] == {"secret": "present"}


def test_what_could_not_be_read_is_a_gap_again(rootfs, tmp_path):
    lock, raw = recorded(Refusing(open_target(f"dir:{rootfs}"), "/etc/passwd"))
    (tmp_path / "case.tar").write_bytes(raw)
    assert replay(tmp_path / "case.tar") == render_lock(lock)
    assert lock.coverage["user"]["status"] == "unreadable"


def test_a_private_key_is_taken_out(rootfs, tmp_path):
    key = f"-----BEGIN PRIVATE KEY-----\nMIIBVQ{'aB3/' * 40}\n-----END PRIVATE KEY-----\n"
    (rootfs / "etc/os-release").write_text(f"ID=debian\n{key}")
    request = Request(depth=Depth.RECORDS)
    recorder = Recorder(open_target(f"dir:{rootfs}"), request)
    capture(recorder, collectors(), request, recorder=recorder)
    stream = io.BytesIO()
    assert recorder.write(stream) == {}
    assert b"MIIBVQ" not in stream.getvalue()


def packed(text):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo("app/.env")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return held.getvalue()


def test_a_secret_archive_has_the_same_size_when_replayed(rootfs, tmp_path):
    """The lock tells the size of an archive among the software, the tree that of no secret."""
    content = packed(b"A=1\nDB_PASSWORD=Zk3jfu39Gh28sL\n")
    for name in ("usr/local/bin/backup.tar.gz", "opt/app/old.tgz"):
        (rootfs / name).parent.mkdir(parents=True, exist_ok=True)
        (rootfs / name).write_bytes(content)
    lock, raw = recorded(open_target(f"dir:{rootfs}"))
    (tmp_path / "case.tar").write_bytes(raw)
    text = render_lock(lock)
    held = tomllib.loads(text.decode())
    assert held["software"]["/usr/local/bin/backup.tar.gz"]["size"] == str(len(content))
    assert replay(tmp_path / "case.tar") == text


def test_what_holds_a_secret_when_unpacked_is_left_out(rootfs):
    """An executable is opened by collectors, whatever it is; so its beginning would be kept."""
    content = packed(b"A=1\nDB_PASSWORD=Zk3jfu39Gh28sL\n")
    (rootfs / "usr/local/bin").mkdir(parents=True)
    for name, raw in (("secret", content), ("plain", packed(b"A=1\nLOG=debug\n"))):
        (rootfs / "usr/local/bin" / name).write_bytes(raw)
        (rootfs / "usr/local/bin" / name).chmod(0o755)
    with tarfile.open(fileobj=io.BytesIO(recorded(open_target(f"dir:{rootfs}"))[1])) as archive:
        names = archive.getnames()
    assert "rootfs/usr/local/bin/plain" in names
    assert "rootfs/usr/local/bin/secret" not in names


def test_what_is_no_recording_is_told(tmp_path):
    with pytest.raises(TargetError, match="cannot be read"):
        RecordedTarget.at(tmp_path / "none.tar")
    for document in (b"[]", b"{}", b"[" * 100_000, b'{"version": 3}', b"nonsense"):
        with pytest.raises(TargetError):
            RecordedTarget.at(tar(tmp_path, document))


EMPTY = {
    "version": VERSION,
    "capabilities": ["files"],
    "process": None,
    "files": {},
    "names": {},
    "entries": [],
    "stats": [],
    "gaps": [],
    "rows": {},
    "probes": {},
    "paged": {},
    "request": {"depth": "full"}
    | {key: [] for key in ("only", "skip", "files", "ignore", "env_allow", "env_deny")},
}


@given(
    document=st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    name=st.sampled_from(sorted(EMPTY.keys() - {"version"})),
)
def test_a_damaged_recording_raises_only_our_error(tmp_path_factory, document, name):
    path = tar(tmp_path_factory.getbasetemp(), json.dumps({**EMPTY, name: document}).encode())
    try:
        RecordedTarget.at(path)
    except TargetError as error:
        assert "damaged" in error.message


def test_an_empty_recording_can_be_replayed(tmp_path):
    RecordedTarget.at(tar(tmp_path, json.dumps(EMPTY).encode()))


def tar(folder, document):
    path = folder / "bad.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("recording.json")
        info.size = len(document)
        archive.addfile(info, io.BytesIO(document))
    return path


class Refusing:
    """A target that refuses one path, as a file system does to an ordinary user."""

    def __init__(self, target, path):
        self._target, self._path = target, path

    def __getattr__(self, name):
        return getattr(self._target, name)

    def read(self, path, limit=1 << 26):
        if path == self._path:
            raise PermissionError(13, "permission denied", path)
        return self._target.read(path, limit)
