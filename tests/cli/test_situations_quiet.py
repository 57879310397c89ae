"""Situations from the trackers of other projects: what differs and means nothing.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


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
