"""Locks in real git repositories: merge, rebase, cherry-pick, conflicts, diffs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import unavailable

HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
TOGETHER = {"a": "1", "b": "1", "c": "1", "d": "1"}


def lock(**versions):
    text = "".join(f'\n[gem."{name}"]\nversion = "{v}"\n' for name, v in sorted(versions.items()))
    return f'{HEADER}lock-version = "1.0"\n{text}'


class Repository:
    """A git repository; git finds envlock unless `path` is False."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = folder / "locks/prod.lock"

    def git(self, *words, status=0, path=True):
        search = f"{Path(sys.executable).parent}:{os.environ['PATH']}" if path else "/usr/bin:/bin"
        done = subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": search,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_SYSTEM": os.devnull,
                "GIT_EDITOR": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"git {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def commit(self, branch, text):
        self.git("checkout", "-q", branch)
        self.lock.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", branch)


@pytest.fixture
def repository(envlock):
    if shutil.which("git") is None:
        unavailable("git", "it is not installed")
    repository = Repository(envlock.folder)
    repository.git("init", "-q", "-b", "main")
    envlock("init")
    repository.lock.write_text(lock(**TOGETHER))
    repository.git("add", "-A")
    repository.git("commit", "-qm", "begin")
    for branch in ("ours", "theirs"):
        repository.git("branch", branch)
    return repository


@pytest.fixture
def neighbours(repository):
    """Return a repository with two branches that change neighbouring records."""
    repository.commit("theirs", lock(**{**TOGETHER, "b": "2", "e": "1"}))
    repository.commit("ours", lock(**{**TOGETHER, "a": "2", "c": "3", "f": "1"}))
    return repository


MERGED = lock(a="2", b="2", c="3", d="1", e="1", f="1")


@pytest.mark.parametrize(
    "command", [("merge", "-q", "theirs"), ("rebase", "-q", "theirs"), ("cherry-pick", "theirs")]
)
def test_different_records_never_conflict(neighbours, command):
    neighbours.git(*command)
    assert neighbours.lock.read_text() == MERGED
    assert neighbours.git("status", "--porcelain") == ""


def test_a_stash_is_applied(repository):
    repository.git("checkout", "-q", "ours")
    repository.lock.write_text(lock(**{**TOGETHER, "a": "2"}))
    repository.git("stash", "-q")
    repository.lock.write_text(lock(**{**TOGETHER, "b": "2"}))
    repository.git("commit", "-qam", "b")
    repository.git("stash", "pop", "-q")
    assert repository.lock.read_text() == lock(**{**TOGETHER, "a": "2", "b": "2"})


def test_only_the_record_that_both_changed_is_in_conflict(repository, envlock):
    repository.commit("theirs", lock(**{**TOGETHER, "b": "2", "c": "9"}))
    repository.commit("ours", lock(**{**TOGETHER, "a": "2", "c": "8"}))
    repository.git("merge", "-q", "theirs", status=1)
    text = repository.lock.read_text()
    conflict = (
        '<<<<<<< ours\n[gem."c"]\nversion = "8"\n'
        '=======\n[gem."c"]\nversion = "9"\n>>>>>>> theirs\n'
    )
    assert text == lock(a="2", b="2", c="8", d="1").replace('[gem."c"]\nversion = "8"\n', conflict)
    assert "merge" in envlock("diff", "git:ours:locks/prod.lock", "prod", status=2).err
    repository.lock.write_text(text.replace(conflict, '[gem."c"]\nversion = "9"\n'))
    envlock("check")
    repository.git("commit", "-qam", "merged")


def test_a_record_removed_on_one_side_and_changed_on_the_other_is_a_conflict(repository):
    gone = {name: version for name, version in TOGETHER.items() if name != "c"}
    repository.commit("theirs", lock(**{**TOGETHER, "c": "9"}))
    repository.commit("ours", lock(**gone))
    repository.git("rebase", "-q", "theirs", status=1)
    assert '\n<<<<<<< ours\n[gem."c"]\nversion = "9"\n=======\n>>>>>>> theirs\n' in (
        repository.lock.read_text()
    )
    repository.git("rebase", "--abort")
    assert repository.lock.read_text() == lock(**gone)


def test_a_lock_that_both_sides_added_is_merged(repository):
    for branch, name in (("ours", "a"), ("theirs", "b")):
        repository.git("checkout", "-q", branch)
        (repository.folder / "locks/new.lock").write_text(lock(**{name: "1"}))
        repository.git("add", "-A")
        repository.git("commit", "-qm", branch)
    repository.git("merge", "-q", "ours")
    assert (repository.folder / "locks/new.lock").read_text() == lock(a="1", b="1")


def test_a_file_that_is_not_a_lock_is_merged_as_text(repository):
    other = repository.folder / "locks/other.lock"
    for branch, text in (("main", "1\n2\n3\n4\n5\n"), ("ours", "0\n2\n3\n4\n5\n"),
                         ("theirs", "1\n2\n3\n4\n6\n")):  # fmt: skip
        repository.git("checkout", "-q", branch)
        if branch != "main":
            repository.git("merge", "-q", "main")
        other.write_text(text)
        repository.git("add", "-A")
        repository.git("commit", "-qm", branch)
    repository.git("merge", "-q", "ours")
    assert other.read_text() == "0\n2\n3\n4\n6\n"


def test_git_shows_a_fact_with_its_record(neighbours):
    shown = neighbours.git("diff", "main", "ours")
    assert "-gem a version: 1\n+gem a version: 2\n" in shown
    assert "+gem f version: 1\n" in shown
    assert "[gem" not in shown


def test_git_works_where_envlock_is_not_installed(repository):
    repository.commit("theirs", lock(**{**TOGETHER, "d": "2"}))
    repository.commit("ours", lock(**{**TOGETHER, "a": "2"}))
    assert '+version = "2"' in repository.git("diff", "main", "ours", path=False)
    repository.git("merge", "-q", "theirs", path=False)
    assert repository.lock.read_text() == lock(**{**TOGETHER, "a": "2", "d": "2"})


def test_init_git_does_not_change_settings(repository, envlock):
    settings = envlock.folder / "envlock.toml"
    settings.write_text("# ours\n")
    for name in ("merge.envlock.driver", "diff.envlock.textconv"):
        repository.git("config", "--unset", name)
    attributes = envlock.folder / ".gitattributes"
    attributes.write_text("*.png binary\nlocks/*.lock text eol=lf merge=envlock\n")
    envlock("init", "--git")
    envlock("init", "--git")
    assert settings.read_text() == "# ours\n"
    assert attributes.read_text() == (
        "*.png binary\nlocks/*.lock text eol=lf merge=envlock diff=envlock\n"
        "locks/objects/* binary\n"
    )
    assert "merge-driver" in repository.git("config", "merge.envlock.driver")


def test_outside_a_repository_git_cannot_be_set_up(envlock, tmp_path):
    envlock("init")
    assert "--git" in envlock("init", GIT_CEILING_DIRECTORIES=str(tmp_path), status=2).err
    envlock("init", "--git", GIT_CEILING_DIRECTORIES=str(tmp_path), status=2)


def test_a_file_that_is_not_a_lock_is_shown_unchanged(envlock):
    file = envlock.folder / "x.lock"
    file.write_bytes(b"\xff no lock\n")
    assert envlock("git-textconv", file).out == "\ufffd no lock\n"
    envlock("git-textconv", envlock.folder / "absent", status=2)
