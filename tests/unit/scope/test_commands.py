"""What commands start, through wrappers, shells and shell scripts; and what services start."""

from __future__ import annotations

import pytest

from envlock.model.process import ProcessConfig
from envlock.scope.commands import simple_commands, started_by
from envlock.scope.graph import File, Item
from tests.unit.scope.conftest import Machine, files

BIN = ("app", "tini", "gosu", "sh", "env", "nice", "date", "timeout", "test", "su-exec")


@pytest.fixture
def programs(machine: Machine) -> Machine:
    for name in BIN:
        machine.program(f"/usr/bin/{name}", owner=f"deb {name}:amd64")
    machine.file("/etc/app.conf")
    return machine


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("app test", ["app"]),
        ("tini -g -- app", ["tini", "app"]),
        ("gosu www app", ["gosu", "app"]),
        ("su-exec www:www env A=1 nice -n 5 app", ["su-exec", "env", "nice", "app"]),
        ("timeout -k 5 10 app", ["timeout", "app"]),
        ("A=1 app", ["app"]),
        ("nothing", []),
    ],
)
def test_wrappers_are_seen_through(programs: Machine, command: str, started: list[str]) -> None:
    found = [need.node for need in started_by(command.split(), programs.around())]
    assert files(found) == [f"/usr/bin/{name}" for name in started]


def test_a_command_of_a_shell_is_read_like_a_script(programs: Machine) -> None:
    words = ["sh", "-ec", "cd /srv && exec app --config=/etc/app.conf || date"]
    found = files([need.node for need in started_by(words, programs.around())])
    assert found == ["/usr/bin/sh", "/usr/bin/app", "/etc/app.conf", "/usr/bin/date"]


def test_wrappers_that_start_one_another_end(programs: Machine) -> None:
    assert len(list(started_by(["nice"] * 1000, programs.around()))) < 20


SCRIPT = """#!/bin/sh
set -e
helper() { date; }
if [ "$1" = 'app' ]; then
    helper "$@"
    chown -R app: "$DATA" ; find . -name x | xargs rm
fi
cat <<EOF
nice words
EOF
echo "a line
that goes on"
exec "$@"
"""


def test_only_commands_that_can_be_told_are_taken_from_a_script() -> None:
    names = [words[0] for words in simple_commands(SCRIPT)]
    assert names == ["date", "chown", "find", "xargs", "cat"]


def test_an_entrypoint_that_is_a_script_starts_the_command_after_it(programs: Machine) -> None:
    programs.program("/entrypoint.sh", '#!/bin/sh\nDAEMON=/usr/bin/date\ntest -e x\nexec "$@"\n')
    programs.link("/bin", "usr/bin")
    programs.view.config = ProcessConfig(entrypoint=("/entrypoint.sh",), cmd=("app", "-x"))
    members = programs.closure("process")
    assert members["deb:date:amd64"].via == "app → entrypoint.sh"
    assert set(members) == {
        "deb:sh:amd64",
        "deb:app:amd64",
        "deb:date:amd64",
    }


def test_a_relative_program_starts_in_the_working_directory(machine: Machine) -> None:
    machine.program("/srv/run", "#!/bin/false\n")
    machine.view.config = ProcessConfig(cmd=("./run",), workdir="/srv")
    assert machine.roots("process") == [File("/srv/run")]


UNIT = """[Service]
User=www
Environment=TOOLS=/opt/tools "GREETING=hello there"
EnvironmentFile=-/etc/default/web
ExecStartPre=-/usr/bin/false
ExecStartPre=/usr/bin/test -e /etc/app.conf
ExecStart=/usr/bin/nothing
PAMName=login
"""


@pytest.fixture
def service(programs: Machine) -> Machine:
    programs.file("/lib/systemd/system/web.service", UNIT)
    drop_in = "[Service]\nExecStart=\nExecStart=!/usr/bin/env $RUN --fast\n"
    programs.file("/etc/systemd/system/web.service.d/10-run.conf", drop_in)
    programs.file("/etc/default/web", "# settings\nRUN=/usr/bin/app\nSECRET=x\n")
    programs.file("/etc/pam.d/login")
    programs.record("service", "web.service", unit="x")
    programs.record("service", "web.socket", listens="80")
    programs.record("user", "www", uid="33")
    return programs


@pytest.mark.parametrize("name", ["web", "web.service"])
def test_a_service_needs_its_records_files_account_and_programs(
    service: Machine, name: str
) -> None:
    found = service.roots(f"service:{name}")
    assert {node for node in found if isinstance(node, Item)} == {
        Item("service", "web.service"),
        Item("service", "web.socket"),
        Item("user", "www"),
    }
    assert files(found) == [
        "/lib/systemd/system/web.service",
        "/etc/systemd/system/web.service.d/10-run.conf",
        "/etc/default/web",
        "/etc/pam.d/login",
        "/usr/bin/test",
        "/etc/app.conf",
        "/usr/bin/env",
        "/usr/bin/app",
    ]


def test_an_instance_of_a_template_has_the_drop_ins_of_both(machine: Machine) -> None:
    machine.file("/usr/lib/systemd/system/db@.service", "[Service]\nExecStart=/bin/db %i\n")
    machine.file("/etc/systemd/system/db@.service.d/a.conf", "[Service]\nUser=db\n")
    machine.file("/etc/systemd/system/db@main.service.d/b.conf", "[Service]\nUser=main\n")
    machine.program("/bin/db")
    machine.record("user", "main", uid="1")
    machine.record("user", "db", uid="2")
    assert Item("user", "main") in machine.roots("service:db@main")
    assert Item("user", "db") not in machine.roots("service:db@main")


def test_an_init_script_stands_for_a_service_without_a_unit(machine: Machine) -> None:
    machine.program("/etc/init.d/old", "#!/bin/sh\nDAEMON=/usr/sbin/oldd\n", owner="deb old:all")
    machine.program("/usr/sbin/oldd", owner="deb oldd:amd64")
    machine.program("/bin/sh", owner="deb dash:amd64")
    machine.file("/etc/default/old")
    machine.record("file", "/etc/default/old", sha256="0")
    members = set(machine.closure("service:old"))
    assert members == {"deb:old:all", "deb:oldd:amd64", "deb:dash:amd64", "file:/etc/default/old"}
