"""Shells and programs of services that do not exist."""

import pytest

from envlock.model.depth import Depth

ONLY = {"only": frozenset({"user", "service"}), "depth": Depth.RECORDS}
UNIT = "[Unit]\nConditionPathExists=/opt/optional\n[Service]\nExecStart={}\n"


@pytest.fixture
def root(tmp_path):
    """Return a root directory with a shell, an account and a service."""
    root = tmp_path / "root"
    for name in ("usr/bin/sh", "usr/bin/zsh", "opt/run", "opt/my run"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    (root / "bin").symlink_to("usr/bin")
    accounts = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/usr/bin/zsh\n"
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (root / "etc/passwd").write_text(accounts)
    (root / "usr/lib/systemd/system").mkdir(parents=True)
    return root


def enable(root, command, name="run.service", file="run.service"):
    (root / "usr/lib/systemd/system" / file).write_text(UNIT.format(command))
    link = root / "etc/systemd/system/multi-user.target.wants" / name
    link.symlink_to(f"/usr/lib/systemd/system/{file}")


def sections(captured, root):
    return captured(root, **ONLY).lock.sections


def test_a_shell_that_is_gone(captured, root):
    assert "shell-missing" not in sections(captured, root)["user"]["ada"]
    (root / "usr/bin/zsh").unlink()
    users = sections(captured, root)["user"]
    assert users["ada"]["shell-missing"] == "true" and "shell-missing" not in users["root"]
    (root / "usr/bin/sh").unlink()
    assert "shell-missing" not in sections(captured, root)["user"]["ada"]


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("/opt/run --now", ""),
        ("/opt/gone --now", "/opt/gone"),
        ("+/opt/gone", "/opt/gone"),
        ("-/opt/gone", ""),
        ("@/opt/run argv0", ""),
        ("/opt/%i", ""),
        ("${PROGRAM} x", ""),
        ("/opt/optional", ""),
        ("run", ""),
        ("/run/made/at-boot", ""),
    ],
)
def test_a_program_of_a_service(captured, root, command, missing):
    enable(root, command)
    found = sections(captured, root)["service"]["run.service"]
    assert found.get("program-missing", "") == missing


def test_an_instance_has_the_program_of_its_template(captured, root):
    enable(root, "/opt/gone", "run@1.service", "run@.service")
    found = sections(captured, root)["service"]["run@1.service"]
    assert found["program-missing"] == "/opt/gone"


def test_a_drop_in_replaces_the_program(captured, root):
    enable(root, "/opt/run")
    folder = root / "etc/systemd/system/run.service.d"
    folder.mkdir()
    (folder / "own.conf").write_text("[Service]\nExecStart=\nExecStart=/opt/gone\n")
    found = sections(captured, root)["service"]["run.service"]
    assert found["program-missing"] == "/opt/gone"
