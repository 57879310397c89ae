"""Runs of plans of files and folders: done, taken back, and killed at every moment."""

import hashlib
import os
import signal
from contextlib import closing

import pytest

from envlock.apply.execute import go_on, prepare, take_back
from envlock.apply.gap import Phase
from envlock.apply.journal import Journals, State, read_events
from envlock.apply.place import Place
from envlock.apply.plan import Plan, Step, StepKind
from envlock.apply.programs import Machine
from envlock.apply.steps import Run
from envlock.errors import ApplyError
from envlock.model.tree import Entry, EntryType

CONTENT = {hashlib.sha256(text).hexdigest(): text for text in (b"new\n", b"made\n", b"module\n")}
WATCHED = ("fsync", "rename", "mkdir", "unlink", "rmdir", "symlink", "chmod", "chown")
"""Calls of the operating system before which a run is killed."""


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch):
    """A process is killed here, not the machine."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def silent(_told):
    pass


def entry(path, kind=EntryType.FILE, text=b"", mode=0o644, target=""):
    digest = hashlib.sha256(text).hexdigest() if kind is EntryType.FILE else ""
    ids = (os.getuid(), os.getgid())
    mode = 0o777 if kind is EntryType.SYMLINK else mode
    return Entry(path, kind, mode, *ids, 1_000_000_000, len(text), target, sha256=digest)


@pytest.fixture
def root(tmp_path):
    """Return a root directory with a file, a link, and an environment in its old form."""
    top = tmp_path / "root"
    (top / "etc").mkdir(parents=True)
    (top / "var/lib").mkdir(parents=True)
    (top / "opt/env/lib").mkdir(parents=True)
    (top / "etc/app.conf").write_text("old\n")
    (top / "etc/app.conf").chmod(0o640)
    (top / "etc/gone.conf").write_text("gone\n")
    (top / "etc/link").symlink_to("app.conf")
    (top / "opt/env/lib/old.py").write_text("old\n")
    return top


def plan_for(place):
    steps = []

    def file(path, after):
        number = f"{len(steps) + 1:02d}"
        before = place.read(path)
        steps.append(
            Step(
                id=f"{number}-file",
                kind=StepKind.FILE,
                phase=Phase.FILES,
                summary=f"file {path}",
                before=before,
                after=after,
            )
        )

    file("/etc/app.conf", entry("/etc/app.conf", text=b"new\n", mode=0o600))
    file("/etc/made", entry("/etc/made", EntryType.DIRECTORY, mode=0o750))
    file("/etc/made/one", entry("/etc/made/one", text=b"made\n"))
    file("/etc/link", entry("/etc/link", EntryType.SYMLINK, target="made/one"))
    file("/etc/gone.conf", None)
    steps.append(
        Step(
            id="06-folder",
            kind=StepKind.FOLDER,
            phase=Phase.LANGUAGES,
            summary="environment",
            after=entry("/opt/env", EntryType.DIRECTORY, mode=0o755),
            entries=(
                entry("/opt/env/lib", EntryType.DIRECTORY, mode=0o755),
                entry("/opt/env/lib/module.py", text=b"module\n"),
            ),
            is_replaced=True,
        )
    )
    return Plan(
        lock="team",
        lock_digest=f"envlock1:sha256:{'0' * 64}",
        target="dir:x",
        machine="",
        steps=tuple(steps),
    )


def run_of(journal, place):
    def contents(sha256):
        yield CONTENT[sha256]

    return Run(journal, place, Machine(place.root), contents, CONTENT.__contains__)


def shown(root):
    """Return every path of a root but those of the journals: type, mode, owner and content."""
    found = {}
    for folder, folders, files in os.walk(root):
        if folder == str(root / "var/lib"):
            folders[:] = []
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = ""
            if os.path.islink(path):
                content = os.readlink(path)
            elif name in files:
                with open(path) as stream:
                    content = stream.read()
            mode = status.st_mode if not os.path.islink(path) else 0
            found[path] = (mode, status.st_uid, status.st_gid, content)
    return found


def apply(root, kill_at=None):
    """Do the plan in a process of its own, killed before call number `kill_at`; True if killed."""
    child = os.fork()
    if not child:
        try:
            _apply(root, kill_at)
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _apply(root, kill_at):
    with Place(str(root)) as place, closing(Journals(place).create(plan_for(place))) as journal:
        _kill_before(kill_at)
        run = run_of(journal, place)
        prepare(run, {})
        go_on(run, silent)


def _kill_before(number):
    """Watch the calls of this process; it kills itself before one of them."""
    calls = [0]

    def watched(call):
        def counting(*args, **kwargs):
            calls[0] += 1
            if calls[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counting

    for name in WATCHED:
        setattr(os, name, watched(getattr(os, name)))


def on_last_run(root, work):
    with Place(str(root)) as place:
        journals = Journals(place)
        with journals.locked():
            name = journals.unfinished()
            if not name:
                return False
            with closing(journals.open(name)) as journal:
                work(run_of(journal, place), silent)
            return True


def test_a_plan_is_done_and_taken_back(root):
    before = shown(root)
    assert not apply(root)
    done = shown(root)
    assert (root / "etc/app.conf").read_text() == "new\n"
    assert os.readlink(root / "etc/link") == "made/one"
    assert sorted(os.listdir(root / "opt/env/lib")) == ["module.py"]
    assert not (root / "etc/gone.conf").exists()
    assert os.stat(root / "etc/app.conf").st_mtime == 1_000_000_000
    assert done != before
    with Place(str(root)) as place:
        journals = Journals(place)
        assert journals.unfinished() == ""
        with closing(journals.open(journals.last_to_undo())) as journal:
            assert take_back(run_of(journal, place), silent) == []
            assert journal.state is State.UNDONE
        assert journals.last_to_undo() == ""
    assert shown(root) == before


@pytest.mark.parametrize("work", [go_on, take_back])
def test_killed_before_every_call_it_reaches_its_end(root, tmp_path, work):
    before = shown(root)
    assert not apply(root)
    done = shown(root)
    assert on_last_run(root, go_on) is False
    ended, number = set(), 0
    while True:
        number += 1
        fresh = _fresh(tmp_path, root, number)
        was_killed = apply(fresh, number)
        if not was_killed:
            break
        was_begun = on_last_run(fresh, work)
        found = {path.replace(str(fresh), str(root)): what for path, what in shown(fresh).items()}
        wanted = done if was_begun and work is go_on else before
        if found != wanted and not was_begun:
            assert found == done  # killed after the last event
        else:
            assert found == wanted, number
        ended.add(was_begun)
    assert ended == {True, False}
    assert number > 50


def _fresh(tmp_path, root, number):
    """Return a new root as before the plan."""
    fresh = tmp_path / f"fresh{number}"
    (fresh / "etc").mkdir(parents=True)
    (fresh / "var/lib").mkdir(parents=True)
    (fresh / "opt/env/lib").mkdir(parents=True)
    (fresh / "etc/app.conf").write_text("old\n")
    (fresh / "etc/app.conf").chmod(0o640)
    (fresh / "etc/gone.conf").write_text("gone\n")
    (fresh / "etc/link").symlink_to("app.conf")
    (fresh / "opt/env/lib/old.py").write_text("old\n")
    return fresh


def test_an_undo_that_was_killed_is_resumed(root, tmp_path):
    before = shown(root)
    number, seen = 0, 0
    while True:
        number += 1
        fresh = _fresh(tmp_path, root, number)
        apply(fresh)
        child = os.fork()
        if not child:
            with Place(str(fresh)) as place, closing(Journals(place).open("0001")) as journal:
                _kill_before(number)
                take_back(run_of(journal, place), silent)
            os._exit(0)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
        with Place(str(fresh)) as place, closing(Journals(place).open("0001")) as journal:
            if journal.state is not State.UNDONE:
                assert take_back(run_of(journal, place), silent) == []
        found = {path.replace(str(fresh), str(root)): what for path, what in shown(fresh).items()}
        assert found == before, number
        seen += 1
    assert seen > 20


def test_what_was_changed_since_stays(root):
    apply(root)
    (root / "etc/app.conf").write_text("mine\n")
    with Place(str(root)) as place, closing(Journals(place).open("0001")) as journal:
        left = take_back(run_of(journal, place), silent)
    assert left == ["/etc/app.conf: it was changed since, and stays"]
    assert (root / "etc/app.conf").read_text() == "mine\n"
    assert (root / "etc/gone.conf").read_text() == "gone\n"


def test_a_plan_that_is_too_old_is_refused(root):
    with Place(str(root)) as place, closing(Journals(place).create(plan_for(place))) as journal:
        (root / "etc/app.conf").write_text("mine\n")
        with pytest.raises(ApplyError, match="changed since the plan was made: 1 paths"):
            prepare(run_of(journal, place), {})
        assert journal.state is State.PREPARED
    assert (root / "etc/gone.conf").exists()


def test_a_change_while_it_runs_stops_it(root):
    with Place(str(root)) as place, closing(Journals(place).create(plan_for(place))) as journal:
        run = run_of(journal, place)
        prepare(run, {})
        (root / "etc/gone.conf").write_text("mine\n")
        with pytest.raises(ApplyError, match="somebody changed it"):
            go_on(run, silent)
        assert take_back(run, silent) == []
    assert (root / "etc/app.conf").read_text() == "old\n"
    assert (root / "etc/gone.conf").read_text() == "mine\n"


def test_a_link_on_the_way_is_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    with Place(str(root)) as place, closing(Journals(place).create(plan_for(place))) as journal:
        run = run_of(journal, place)
        prepare(run, {})
        (root / "etc/made").symlink_to(outside)
        with pytest.raises(ApplyError):
            go_on(run, silent)
    assert os.listdir(outside) == []


def test_two_runs_at_once(root):
    with Place(str(root)) as place:
        at_work = pytest.raises(ApplyError, match="at work")
        with Journals(place).locked(), at_work, Journals(place).locked():
            pass
        with pytest.raises(ApplyError, match="no run 0009"):
            Journals(place).open("0009")


def test_a_damaged_journal_is_told(root):
    apply(root)
    log = root / "var/lib/envlock/apply/0001/journal.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], "{}", *lines[2:]]) + "\n")
    with Place(str(root)) as place, pytest.raises(ApplyError, match="damaged"):
        Journals(place).open("0001")


def test_a_journal_of_the_largest_size_and_one_byte_more(root):
    apply(root)
    log = root / "var/lib/envlock/apply/0001/journal.jsonl"
    size = log.stat().st_size
    assert read_events(log, size)[-1]["event"] == "finished"
    with pytest.raises(OSError, match="larger than"):
        read_events(log, size - 1)
