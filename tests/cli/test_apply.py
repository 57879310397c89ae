"""``envlock apply`` of directories: what it plans, refuses and returns."""

import json
import os

import pytest

from tests.cli.test_doctor import install, roots  # noqa: F401  a fixture


def shown(root):
    """Return every path of a root with all that a reader must not change."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
                os.listxattr(os.path.join(folder, name)),
            )
    return found


def test_a_machine_that_is_ready(roots, envlock):  # noqa: F811
    told = envlock("apply", "team", f"dir:{roots[1]}", status=0)
    assert told.out.startswith("NOTHING TO DO")


def test_files_are_planned_and_nothing_is_touched(roots, envlock, here):  # noqa: F811
    (roots[1] / "etc/app.conf").write_text("workers = 1\n")
    before = shown(roots[1])
    machine = f"dir:{roots[1]}"
    told = envlock("apply", "team", machine, "--dry-run", "-o", here / "plan.json", status=0)
    assert "write /etc/app.conf" in told.out
    told = envlock("apply", "team", machine, "--json", status=2)
    assert json.loads(told.out) == json.loads((here / "plan.json").read_text())
    assert "--yes does it" in told.err
    assert shown(roots[1]) == before


def test_the_other_verbs_change_nothing(roots, envlock):  # noqa: F811
    machine = f"dir:{roots[1]}"
    install(roots[1], curl="1", own="1")
    before = shown(roots[1])
    envlock("capture", machine, "--name", "other", "-q")
    envlock("doctor", "team", machine, status=1)
    envlock("diff", "team", machine, status=1)
    envlock("check", machine, status=None)
    envlock("verify", "team", machine, status=None)
    assert shown(roots[1]) == before


def test_a_file_is_written_and_taken_back(roots, envlock):  # noqa: F811
    config, machine = roots[1] / "etc/app.conf", f"dir:{roots[1]}"
    config.write_text("workers = 1\n")
    config.chmod(0o600)
    told = envlock("apply", "team", machine, "--yes", status=0)
    assert config.read_text() == "workers = 4\n"
    assert config.stat().st_mode & 0o777 == 0o644
    assert "the machine is as the lock says" in told.err
    assert envlock("apply", "team", machine, status=0).out.startswith("NOTHING TO DO")
    told = envlock("apply", "--undo", "0001", "--", machine, status=0)
    assert config.read_text() == "workers = 1\n"
    assert config.stat().st_mode & 0o777 == 0o600
    told = envlock("apply", machine, "--undo", status=5)
    assert "no run to take back" in told.err
    told = envlock("apply", machine, "--resume", status=5)
    assert "no run is unfinished" in told.err


def test_a_plan_from_a_file_is_done_once(roots, envlock, here):  # noqa: F811
    config, machine, plan = roots[1] / "etc/app.conf", f"dir:{roots[1]}", here / "plan.json"
    config.write_text("workers = 1\n")
    envlock("apply", "team", machine, "--dry-run", "-o", plan, status=0)
    config.write_text("workers = 2\n")
    told = envlock("apply", "team", machine, "--plan", plan, "--yes", status=5)
    assert "has changed since the plan was made" in told.err
    assert config.read_text() == "workers = 2\n"
    config.write_text("workers = 1\n")
    envlock("apply", "team", machine, "--plan", plan, "--yes", status=0)
    assert config.read_text() == "workers = 4\n"
    told = envlock("apply", "team", f"dir:{roots[0]}", "--plan", plan, "--yes", status=5)
    assert "for another machine" in told.err
    document = json.loads(plan.read_text())
    document["lock_digest"] = f"envlock1:sha256:{'0' * 64}"
    plan.write_text(json.dumps(document))
    told = envlock("apply", "team", machine, "--plan", plan, "--yes", status=5)
    assert "the lock has changed" in told.err


def test_what_only_the_machine_has_stays_without_remove(roots, envlock):  # noqa: F811
    own, machine = roots[1] / "etc/own.conf", f"dir:{roots[1]}"
    own.write_text("a = 1\n")
    (roots[1] / "srv").mkdir()
    (roots[1] / "srv/data").write_text("1\n")
    told = envlock("apply", "team", machine, "--dry-run", status=0)
    assert told.out.startswith("NOTHING TO DO")
    assert "--remove removes it" in told.out
    told = envlock("apply", "team", machine, "--remove", "--yes", status=0)
    assert "it may be data" in told.out
    assert not own.exists()
    assert (roots[1] / "srv/data").exists()  # it may be data
    envlock("apply", machine, "--undo", status=0)
    assert own.read_text() == "a = 1\n"


def test_what_is_never_automatic_is_left(roots, envlock):  # noqa: F811
    for root, text in zip(roots, ("a\n", "b\n"), strict=True):
        (root / "etc/fstab").write_text(text)
    envlock("capture", f"dir:{roots[0]}", "--name", "team", "-q")
    machine = f"dir:{roots[1]}"
    told = envlock("apply", "team", machine, "--dry-run", status=0)
    assert told.out.startswith("NOTHING TO DO")
    assert "--allow boot does it all the same" in told.out
    told = envlock("apply", "team", machine, "--dry-run", "--allow", "boot", status=0)
    assert "write /etc/fstab" in told.out
    told = envlock("apply", "team", machine, "--skip", "file", status=0)
    assert "left out by --only or --skip" in told.out
    told = envlock("apply", "team", machine, "--allow", "everything", status=2)
    assert "--allow does not know everything" in told.err


def test_another_release_is_refused(roots, envlock):  # noqa: F811
    (roots[1] / "etc/os-release").write_text("ID=debian\nVERSION_ID=13\n")
    told = envlock("apply", "team", f"dir:{roots[1]}", "--dry-run", status=5)
    assert "another version: 13 instead of 12" in told.err


def test_packages_that_cannot_be_had_are_left(roots, envlock):  # noqa: F811
    install(roots[1], curl="1", tool="2")
    told = envlock("apply", "team", f"dir:{roots[1]}", "--offline", "--json", status=0)
    document = json.loads(told.out)
    assert document["steps"] == []
    (left,) = document["left"]
    assert (left["key"], left["field"]) == ("curl:all", "version")
    assert left["why"].startswith("this version cannot be had")


@pytest.mark.plants_secrets("both sides have a password in a file")
def test_a_secret_is_told_nowhere(roots, envlock, here):  # noqa: F811
    secret = "hunter2-winter-9x7q"
    for root, text in zip(roots, (secret, f"{secret}2"), strict=True):
        (root / "etc/db.conf").write_text(f"user = app\npassword = {text}\n")
        (root / "etc/db.conf").chmod(0o640)
    envlock("capture", f"dir:{roots[0]}", "--name", "team", "-q")
    (roots[1] / "etc/db.conf").chmod(0o600)
    plan = here / "plan.json"
    envlock("apply", "team", f"dir:{roots[1]}", "--dry-run", "-o", plan, status=0)
    assert secret not in plan.read_text()


def test_what_is_asked_wrongly(roots, envlock):  # noqa: F811
    told = envlock("apply", "team", "docker:web", status=2)
    assert "apply changes this machine (host) or a root directory" in told.err
    told = envlock("apply", status=2)
    assert "no lock is named" in told.err
    told = envlock("apply", "team", "team", status=2)
    assert "team is no machine" in told.err
    told = envlock("apply", "team", f"dir:{roots[1]}", "--root", "web", status=2)
    assert "names no application web" in told.err
    told = envlock("apply", f"dir:{roots[1]}", "--undo", "0007", status=5)
    assert "no run to take back" in told.err


def test_an_environment_comes_with_the_folders_above_it(roots, envlock):  # noqa: F811
    venv = roots[0] / "opt/shop/env"
    info = venv / "lib/python3.11/site-packages/one-1.0.dist-info"
    info.mkdir(parents=True)
    (roots[0] / "opt/shop").chmod(0o750)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
    (info / "RECORD").write_text("one-1.0.dist-info/METADATA,,\none-1.0.dist-info/RECORD,,\n")
    envlock("capture", f"dir:{roots[0]}", "--name", "team", "-q")
    machine = f"dir:{roots[1]}"
    told = envlock("apply", "team", machine, "--yes", status=0)
    assert "the machine is as the lock says" in told.err
    assert (roots[1] / "opt/shop").stat().st_mode & 0o777 == 0o750
    assert (roots[1] / "opt/shop/env/pyvenv.cfg").exists()
    envlock("apply", machine, "--undo", status=0)
    assert not (roots[1] / "opt").exists()
