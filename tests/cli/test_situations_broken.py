"""Situations from the trackers of other projects: what one side by itself proves broken.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import pytest

from tests.pairs import Root
from tests.targets.conftest import layout_of, tar_of

UNIT = (
    "[Unit]\nDescription=app\n[Service]\nUser=app\nWorkingDirectory=/srv/app\n"
    "EnvironmentFile=/etc/default/app\nExecStart=/usr/local/bin/app\n"
    "[Install]\nWantedBy=multi-user.target\n"
)
ACCOUNTS = "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"


def service(root: Root) -> None:
    """Write a service that has all it needs."""
    root.put("etc/passwd", ACCOUNTS)
    root.put("usr/local/bin/app", "#!/bin/sh\n", 0o755)
    root.put("etc/default/app", "A=1\n")
    (root.path / "srv/app").mkdir(parents=True)
    root.put("etc/systemd/system/app.service", UNIT)
    wants = root.path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "app.service").symlink_to("../app.service")


def without_shell(root: Root) -> None:
    """Take the shell and the program: what is left has programs, and so is a system."""
    root.put("usr/bin/env", "x", 0o755)
    for name in ("usr/bin/sh", "usr/local/bin/app"):
        (root.path / name).unlink()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda root: (root.path / "usr/local/bin/app").chmod(0o644), "nobody may run"),
        (lambda root: root.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n"), "account app"),
        (lambda root: (root.path / "etc/default/app").unlink(), "variables from"),
        (lambda root: (root.path / "srv/app").rmdir(), "starts in /srv/app"),
        (without_shell, "does not exist"),
    ],
)
def test_what_a_service_needs_and_lacks(pair, edit, said, envlock):
    service(pair.good)
    assert pair.verdicts("good") == []
    edit(pair.bad)
    assert pair.verdicts() == [("SERVICE-PROGRAM", "high", "app.service")]
    assert said in envlock("check", f"dir:{pair.bad.path}", status=1).out


@pytest.mark.parametrize(
    "edit",
    [
        lambda root: root.put("etc/nsswitch.conf", "passwd: files sss\n"),
        lambda root: root.put("usr/lib/sysusers.d/app.conf", "u app - -\n"),
    ],
)
def test_an_account_that_may_come_from_elsewhere(pair, edit):
    service(pair.good)
    pair.good.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    edit(pair.good)
    assert pair.verdicts("good") == []


def lay_out(root: Root) -> None:
    """Write the files of an image whose command works."""
    root.put("etc/passwd", ACCOUNTS)
    root.put("entry.sh", "#!/bin/sh\n", 0o755)


RUN = {"Entrypoint": ["/entry.sh"], "Cmd": ["serve"], "User": "app"}


@pytest.mark.parametrize(
    ("edit", "config", "said"),
    [
        (lambda root: (root.path / "entry.sh").chmod(0o644), {}, "nobody may run"),
        (lambda root: (root.path / "entry.sh").unlink(), {}, "/entry.sh, which does not exist"),
        (lambda root: root.put("entry.sh", "#!/bin/bash\n"), {}, "/bin/bash"),
        (lambda root: root.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n"), {}, "runs as app"),
        (lambda root: None, {"Entrypoint": ["gunicorn"]}, "gunicorn, which does not exist"),
    ],
)
def test_a_command_that_the_engine_cannot_start(pair, tmp_path, envlock, edit, config, said):
    lay_out(pair.good)
    good = layout_of(tmp_path / "one", [tar_of(pair.good.path)], config=RUN)
    assert envlock("check", f"oci:{good}").out == f"oci:{good}: ok\n"
    edit(pair.bad)
    if said == "/bin/bash":
        (pair.bad.path / "entry.sh").chmod(0o755)
    bad = layout_of(tmp_path / "two", [tar_of(pair.bad.path)], config=RUN | config)
    assert said in (text := envlock("check", f"oci:{bad}", status=1).out)
    assert "critical: process: " in text and "PROCESS-START" in text


def test_variables_that_name_nothing(pair, tmp_path, envlock):
    pair.good.put("opt/corp/ca.pem", "-----BEGIN CERTIFICATE-----\n")
    names = ("REQUESTS_CA_BUNDLE=/opt/corp/ca.pem", "LD_PRELOAD=libc.so /opt/lib/jemalloc.so")
    config = {"Env": [names[0], "JAVA_HOME=/opt", "LD_PRELOAD=libc.so"]}
    good = layout_of(tmp_path / "one", [tar_of(pair.good.path)], config=config)
    assert "ok" in envlock("check", f"oci:{good}").out
    (pair.bad.path / "opt/corp/ca.pem").unlink()
    config = {"Env": [*names, "JAVA_HOME=/opt/jdk-17", "APP_HOME=/opt/gone"]}
    bad = layout_of(tmp_path / "two", [tar_of(pair.bad.path)], config=config)
    found = envlock("check", f"oci:{bad}", "--json", status=1).json["verdicts"][f"oci:{bad}"]
    assert [(one["rule"], one["key"]) for one in found] == [
        ("ENV-GONE", "JAVA_HOME"),
        ("ENV-GONE", "REQUESTS_CA_BUNDLE"),
        ("ENV-PRELOAD-GONE", "LD_PRELOAD"),
    ]


JOB = "0 3 * * * root /usr/local/bin/app\n"


@pytest.mark.parametrize(
    ("path", "text", "mode", "rule"),
    [
        ("etc/cron.daily/backup.sh", "#!/bin/sh\n", 0o755, "JOB-IGNORED"),
        ("etc/cron.d/example.com", JOB, 0o644, "JOB-IGNORED"),
        ("etc/cron.d/app", JOB, 0o664, "JOB-IGNORED"),
        ("etc/cron.d/app", JOB.replace("root", "gone"), 0o644, "JOB-IGNORED"),
        ("etc/cron.daily/backup", "#!/bin/sh\n", 0o644, "JOB-OFF"),
        ("etc/cron.daily/backup.disabled", "#!/bin/sh\n", 0o755, ""),
        ("etc/cron.d/php.dpkg-new", JOB, 0o644, ""),
        ("etc/cron.d/.placeholder", "", 0o644, ""),
        ("etc/cron.d/app", JOB, 0o644, ""),
    ],
)
def test_a_job_that_cron_passes_over(pair, path, text, mode, rule):
    assert pair.verdicts("good") == []
    pair.bad.put(path, text, mode)
    assert [found[0] for found in pair.verdicts()] == ([rule] if rule else [])


def test_a_job_with_a_dot_in_its_name_runs_on_red_hat(pair):
    pair.good.put("etc/os-release", "ID=rhel\nVERSION_ID=9\n")
    (pair.good.path / "var/lib/rpm").mkdir(parents=True)
    pair.bad.put("etc/cron.d/example.com", JOB)
    assert pair.verdicts() == []
    assert ("cron", "/etc/cron.d/example.com /usr/local/bin/app") in pair.records()


def test_a_file_of_rules_that_sudo_refuses(pair):
    pair.good.put("etc/sudoers.d/app", "app ALL=(ALL) NOPASSWD: /usr/bin/x\n", 0o440)
    assert pair.verdicts("good") == []
    (pair.bad.path / "etc/sudoers.d/app").chmod(0o666)
    assert pair.verdicts() == [("SUDO-REFUSED", "high", "/etc/sudoers.d/app")]


def test_a_file_of_rules_whose_name_sudo_passes_over(pair):
    pair.bad.put("etc/sudoers.d/first.last", "first.last ALL=(ALL) ALL\n", 0o440)
    pair.bad.put("etc/sudoers.d/app.dpkg-old", "app ALL=(ALL) ALL\n", 0o440)
    assert pair.verdicts() == [("SUDO-NAME", "high", "/etc/sudoers.d/first.last")]


SOURCE = "deb [signed-by=/etc/apt/keyrings/x.asc] https://apt.example.org/x stable main\n"


def test_the_key_of_a_repository(pair):
    pair.good.put("etc/apt/sources.list.d/x.list", SOURCE)
    pair.good.put("etc/apt/keyrings/x.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert pair.verdicts("good") == []
    (pair.bad.path / "etc/apt/keyrings/x.asc").chmod(0o640)
    [(rule, severity, key)] = pair.verdicts()
    assert (rule, severity) == ("APT-KEY", "high") and "apt.example.org" in key
    (pair.bad.path / "etc/apt/keyrings/x.asc").unlink()
    assert [found[0] for found in pair.verdicts()] == ["APT-KEY"]


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("auth required pam_faillock.so", True),
        ("auth [success=1 default=die] pam_faillock.so", True),
        ("-auth required pam_faillock.so", False),
        ("auth optional pam_faillock.so", False),
        ("auth [success=1 default=ignore] pam_faillock.so", False),
        ("auth required pam_unix.so", False),
    ],
)
def test_a_module_of_pam_that_is_not_installed(pair, line, is_told):
    pair.good.put("usr/lib/x86_64-linux-gnu/security/pam_unix.so", "x")
    pair.good.put("etc/pam.d/sshd", "auth required pam_unix.so\n")
    assert pair.verdicts("good") == []
    pair.bad.put("etc/pam.d/sshd", f"{line}\n")
    expected = [("PAM-MODULE", "high", "pam.sshd")] if is_told else []
    assert pair.verdicts() == expected


def venv(root: Root, path: str, script: str) -> None:
    """Write a virtual environment with one program."""
    root.put("usr/bin/python3.11", "x", 0o755)
    root.put(f"{path}/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
    (root.path / path / "bin").mkdir()
    (root.path / path / "bin/python").symlink_to("/usr/bin/python3.11")
    info = f"{path}/lib/python3.11/site-packages/gunicorn-21.2.0.dist-info"
    root.put(f"{info}/METADATA", "Name: gunicorn\nVersion: 21.2.0\n")
    root.put(f"{path}/bin/gunicorn", script, 0o755)


@pytest.mark.parametrize(
    "script",
    [
        "#!/home/ci/build/venv/bin/python\n",
        "#!/bin/sh\n'''exec' \"/home/ci/build/venv/bin/python\" \"$0\" \"$@\"\n' '''\n",
        "#!/srv/other/bin/python\n",
    ],
)
def test_a_virtual_environment_that_was_moved(pair, script):
    venv(pair.good, "srv/other", "#!/srv/other/bin/python\n")
    venv(pair.good, "opt/app/venv", "#!/opt/app/venv/bin/python\n")
    assert pair.verdicts("good") == []
    pair.bad.put("opt/app/venv/bin/gunicorn", script, 0o755)
    assert [each[:2] for each in pair.verdicts()] == [("PYTHON-SCRIPTS", "high")]
    counted = {(c["section"], c["rule"]) for c in pair.changes() if not c["explained_by"]}
    assert ("python", "PYTHON-SCRIPTS") in counted
    assert not {rule for section, rule in counted if section == "software"}


def test_another_interpreter_that_is_lost_beside_a_moved_environment(pair):
    venv(pair.good, "opt/app/venv", "#!/home/ci/build/venv/bin/python\n")
    pair.good.put("usr/local/bin/report", "#!/usr/bin/ruby\n", 0o755)
    assert {each[0] for each in pair.verdicts("good")} == {"PYTHON-SCRIPTS", "INTERPRETER-MISSING"}
