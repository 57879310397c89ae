"""Situations from the trackers of other projects: what cannot be read, and what is to be done.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import WITHOUT_RIGHTS, unavailable


def modules(root, *names):
    """Write an application of Node with packages."""
    root.put("srv/app/package.json", '{"name": "app", "version": "1.0.0"}')
    for name in names:
        text = f'{{"name": "{name}", "version": "1.0.0"}}'
        root.put(f"srv/app/node_modules/{name}/package.json", text)


def test_one_damaged_package_among_others(pair):
    modules(pair.good, "express", "parseurl", "vue")
    pair.bad.put("srv/app/node_modules/parseurl/package.json", '{"name": "parseu')
    vue = pair.bad.path / "srv/app/node_modules/vue"
    (vue / "package.json").unlink()
    vue.rmdir()
    found = {c["key"]: c["kind"] for c in pair.changes() if c["section"] == "npm"}
    assert found == {"app/parseurl": "unknown", "app/vue": "removed"}


def test_a_malformed_file_that_a_package_ships_for_its_tests(pair, envlock):
    modules(pair.good, "resolve")
    folder = "srv/app/node_modules/resolve/test/resolver/malformed_package_json"
    pair.good.put(f"{folder}/package.json", "{")
    pair.good.put(f"{folder}/index.js", "")
    targets = (f"dir:{root.path}" for root in (pair.good, pair.bad))
    assert envlock("diff", *targets, "--json").json["result"] == "equal"


def test_a_closed_folder_where_nothing_is_compared(pair, envlock):
    if os.geteuid():
        unavailable("root", "it takes root to make a directory of somebody else's")
    for name in ("tmp/.private", "var/lib/closed"):
        folder = pair.good.path / name
        folder.mkdir(parents=True, mode=0o700)
        os.chown(folder, 65534, 65534)
    target = f"dir:{pair.good.path}"
    command = (sys.executable, "-m", "envlock", "capture", target, "--name", "one")
    subprocess.run([*WITHOUT_RIGHTS, *command], cwd=envlock.folder, check=True)
    cover = envlock("show", "one", "--json").json["coverage"]["file"]
    assert (cover["gaps"], cover["unread"]) == ("1", "/var/lib/closed")


def test_an_account_that_no_longer_ends(pair):
    pair.good.put("etc/shadow", "app:!:19222:0:90:7::19500:\n", 0o640)
    pair.bad.put("etc/shadow", "app:!:19222:0:99999:7:::\n", 0o640)
    [change] = pair.changes()
    assert (change["rule"], change["severity"]) == ("LOGIN-AGEING", "medium")


@pytest.mark.parametrize(
    ("path", "mode", "rule"),
    [("etc/sudoers.d/app", 0o666, "SUDO-REFUSED"), ("etc/cron.daily/backup", 0o644, "JOB-OFF")],
)
def test_the_fix_of_a_file_that_is_passed_over(pair, envlock, path, mode, rule):
    if os.geteuid():
        unavailable("root", "it takes root to give files to root")
    pair.good.put(path, "#!/bin/sh\n", mode)
    target = f"dir:{pair.good.path}"
    [found] = envlock("check", target, "--json", status=None).json["verdicts"][target]
    assert found["rule"] == rule
    for command in found["commands"]:
        assert command[-1] == f"/{path}"
        subprocess.run([*command[:-1], pair.good.path / path], check=True)
    assert envlock("check", target, "--json").json["verdicts"][target] == []
