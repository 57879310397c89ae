"""Situations from the trackers of other projects: each is a pair of roots, and what is said of it.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli
from tests.targets.conftest import layout_of, tar_of


class Root:
    """One root directory, with an operating system and a shell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        self.put("usr/bin/sh", "x", 0o755)
        (path / "bin").symlink_to("usr/bin")
        self.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n")

    def put(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file; its folders are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


class Pair:
    """Two roots that are the same until a test changes the right one."""

    def __init__(self, folder: Path, envlock: Cli) -> None:
        self.good = Root(folder / "good")
        self._folder, self._envlock = folder, envlock

    @property
    def bad(self) -> Root:
        """The right side; it is copied from the left one when it is asked for first."""
        path = self._folder / "bad"
        if not path.exists():
            shutil.copytree(self.good.path, path, symlinks=True)
        root = object.__new__(Root)
        root.path = path
        return root

    def changes(self) -> list[dict[str, Any]]:
        """Return what differs, without the settings inside of files."""
        targets = (f"dir:{self.good.path}", f"dir:{self.bad.path}")
        found = self._envlock("diff", *targets, "--json", status=None).json["changes"]
        return [change for change in found if change["rule"] != "FILE-SETTING"]

    def records(self) -> dict[tuple[str, str], str]:
        """Return the severity of each record that differs."""
        return {(one["section"], one["key"]): one["severity"] for one in self.changes()}

    def verdicts(self, side: str = "bad") -> list[tuple[str, str, str]]:
        """Return rule, severity and key of what `check` says of one side."""
        target = f"dir:{getattr(self, side).path}"
        found = self._envlock("check", target, "--json", status=None).json["verdicts"]
        return [(one["rule"], one["severity"], one["key"]) for one in found[target]]


@pytest.fixture
def pair(tmp_path: Path, envlock: Cli) -> Pair:
    return Pair(tmp_path, envlock)


Edit = Callable[[Root], object]


def test_settings_of_a_service_with_a_user_of_its_own(pair):
    path = "var/lib/private/AdGuardHome/AdGuardHome.yaml"
    pair.good.put(path, "dns:\n  port: 53\n", 0o600)
    pair.bad.put(path, "dns:\n  port: 5353\n", 0o600)
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_arguments_of_a_snap(pair):
    path = "var/snap/microk8s/4000/args/kube-apiserver"
    pair.good.put(path, "--service-node-port-range=80-32767\n")
    pair.good.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "1")
    pair.bad.put(path, "--authorization-mode=AlwaysAllow\n")
    pair.bad.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "2")
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_an_override_of_flatpak(pair):
    path = "var/lib/flatpak/overrides/org.example.App"
    pair.good.put(path, "[Context]\nfilesystems=host;\n")
    (pair.bad.path / path).unlink()
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_a_template_of_containerd(pair):
    folder = "var/lib/rancher/k3s/agent/etc/containerd"
    pair.good.put(f"{folder}/config.toml", "made at 10:00\n")
    pair.bad.put(f"{folder}/config.toml", "made at 11:00\n")
    pair.bad.put(f"{folder}/config.toml.tmpl", '{{ template "base" . }}\n')
    assert set(pair.records()) == {("file", f"/{folder}/config.toml.tmpl")}


def test_a_table_of_incron(pair):
    pair.good.put("var/spool/incron/root", "/srv/in IN_CLOSE_WRITE /usr/local/bin/import $#\n")
    pair.good.put("var/spool/anacron/cron.daily", "20240101\n", 0o600)
    pair.bad.put("var/spool/anacron/cron.daily", "20240102\n", 0o600)
    (pair.bad.path / "var/spool/incron/root").unlink()
    assert pair.records() == {("file", "/var/spool/incron/root"): "medium"}


def test_settings_of_a_batch_system(pair):
    pair.good.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /home\n")
    pair.good.put("var/spool/pbs/mom_logs/20240101", "a")
    pair.bad.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /data\n")
    pair.bad.put("var/spool/pbs/mom_logs/20240102", "b")
    assert pair.records() == {("file", "/var/spool/pbs/mom_priv/config"): "medium"}


def test_an_old_resolver_in_the_chroot_of_postfix(pair):
    pair.good.put("etc/postfix/master.cf", "smtp inet n - y - - smtpd\n")
    for folder in ("etc", "var/spool/postfix/etc"):
        pair.good.put(f"{folder}/resolv.conf", "nameserver 192.0.2.1\n")
    assert pair.verdicts("good") == []
    pair.bad.put("var/spool/postfix/etc/resolv.conf", "nameserver 192.0.2.9\n")
    assert pair.records() == {("setting", "postfix.chroot"): "medium"}
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]
    (pair.bad.path / "var/spool/postfix/etc/resolv.conf").unlink()
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]


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


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda root: (root.path / "usr/local/bin/app").chmod(0o644), "nobody may run"),
        (lambda root: root.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n"), "account app"),
        (lambda root: (root.path / "etc/default/app").unlink(), "variables from"),
        (lambda root: (root.path / "srv/app").rmdir(), "starts in /srv/app"),
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
    [(rule, severity, _)] = pair.verdicts()
    assert (rule, severity) == ("PYTHON-SCRIPTS", "high")


def test_an_account_that_ends(pair):
    pair.good.put("etc/shadow", "root:*:19000:0:99999:7:::\napp:!:19000:0:99999:7:::\n", 0o640)
    pair.bad.put("etc/shadow", "root:*:19111:0:99999:7:::\napp:!:19222:0:90:7::19500:\n", 0o640)
    assert pair.records() == {("login", "app"): "high"}


def git(*words: str, folder: Path) -> None:
    options = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *options, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clones(pair, tmp_path):
    """Return a pair whose sides have a clone of one repository each, made in other ways."""
    source = tmp_path / "source"
    source.mkdir()
    git("init", "--quiet", "--initial-branch=main", folder=source)
    (source / "app.py").write_text("print(1)\n")
    git("add", ".", folder=source)
    git("commit", "--quiet", "-m", "one", folder=source)
    for root in (pair.good, pair.bad):
        (root.path / "srv").mkdir(exist_ok=True)
        git("clone", "--quiet", "--no-hardlinks", source, "app", folder=root.path / "srv")
    app = pair.bad.path / "srv/app"
    git("fetch", "--quiet", folder=app)
    git("gc", "--quiet", "--prune=now", folder=app)
    (app / "app.py").touch()
    return pair


def test_two_clones_of_one_commit(clones, envlock):
    targets = (f"dir:{root.path}" for root in (clones.good, clones.bad))
    assert "EQUAL" in envlock("diff", *targets).out


def test_clones_of_two_commits_and_with_other_hooks(clones):
    app = clones.bad.path / "srv/app"
    git("commit", "--quiet", "--allow-empty", "-m", "two", folder=app)
    clones.bad.put("srv/app/.git/hooks/post-merge", "#!/bin/sh\n", 0o755)
    assert clones.records() == {
        ("software", "/srv/app/.git"): "medium",
        ("file", "/srv/app/.git/hooks/post-merge"): "low",
    }


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("srv/app/node_modules/.cache/terser-webpack-plugin/a.js", "var a=1", "var a=2"),
        ("srv/app/node_modules/.vite/deps/_metadata.json", '{"hash": 1}', '{"hash": 2}'),
        ("opt/conda/pkgs/cache/497deca9.json", '{"_mod": 1}', '{"_mod": 2}'),
        ("opt/conda/pkgs/urls.txt", "https://a.example.org/x\n", "https://b.example.org/x\n"),
        ("usr/local/lib/perl/5.36.0/perllocal.pod", "=head2 Mon\n", "=head2 Tue\n"),
        ("usr/local/lib/R/site-library/x/DESCRIPTION", "Built: 10:00\n", "Built: 11:00\n"),
    ],
)
def test_what_a_tool_writes_at_each_installation(pair, path, good, bad):
    pair.good.put(path, good)
    pair.bad.put(path, bad)
    assert pair.records() == {}


def test_the_date_above_the_origins_of_a_maven_artifact(pair):
    path = "root/.m2/repository/org/x/1/_remote.repositories"
    pair.good.put(path, "#NOTE: written on Monday\nx-1.jar>central=\n")
    pair.bad.put(path, "#NOTE: written on Tuesday\nx-1.jar>central=\n")
    assert pair.records() == {("file", f"/{path}"): "info"}
    pair.bad.put(path, "#NOTE: written on Tuesday\nx-1.jar>corp=\n")
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_the_rights_of_a_private_key(pair):
    """Its content is compared nowhere, but a program refuses a key that others may read."""
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n"
    paths = ("home/app/.ssh/id_ed25519", "home/app/.pgpass")
    for path in paths:
        pair.good.put(path, text, 0o600)
    for path in paths:
        (pair.bad.path / path).chmod(0o644)
    found = {c["key"]: (c["field"], c["fix"]) for c in pair.changes()}
    assert found == {
        f"/home/app/{name}": ("mode", f"chmod 0600 /home/app/{name}")
        for name in (".pgpass", ".ssh/id_ed25519")
    }


def test_two_machines_made_from_one_image(pair):
    for root, name in ((pair.good, "one"), (pair.bad, "two")):
        for path in (
            "etc/machine-id",
            "etc/hostname",
            "var/lib/cloud/data/instance-id",
            f"var/lib/cloud/instances/i-{name}/user-data.txt",
            "var/lib/dhcp/dhclient.eth0.leases",
            "var/lib/systemd/timers/stamp-x.timer",
            "var/lib/private/systemd/journal-upload/state",
            "var/lib/chrony/drift",
            "etc/ssh/ssh_host_ed25519_key.pub",
        ):
            root.put(path, f"{name}\n")
    assert pair.records() == {}
