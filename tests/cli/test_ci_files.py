"""The GitLab job and the pre-commit hook of this repository, as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def lock(version):
    return f'{HEADER}lock-version = "1.0"\n\n[deb."tool:amd64"]\nversion = "{version}"\n'


@pytest.fixture
def project(tmp_path):
    if shutil.which("git") is None:
        unavailable("git", "it is not installed")
    folder = tmp_path / "project"
    (folder / "locks").mkdir(parents=True)
    for name in ("dev", "prod"):
        (folder / f"locks/{name}.lock").write_text(lock("1.0-1"))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x")
    return folder


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def run_job(folder, **variables):
    """Run the job of ci/gitlab.yml except for the command that installs envlock."""
    job = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text())["envlock"]
    script = [command for command in job["script"] if " pip install " not in command]
    assert len(script) == len(job["script"]) - 1
    return subprocess.run(
        ["sh", "-ec", "\n".join(script)],
        cwd=folder,
        env={
            **os.environ,
            **{name: str(value) for name, value in job["variables"].items()},
            "PATH": PATH,
            "ENVLOCK_PACKAGE": str(ROOT),
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(folder, "rev-parse", "HEAD"),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_gitlab_job_reports_and_fails_as_envlock_does(project):
    assert run_job(project).returncode == 0
    (project / "locks/dev.lock").write_text(lock("1.1-1"))
    (project / "locks/prod.lock").write_text(lock("0.9-1"))
    (project / "locks/a new.lock").write_text(lock("1"))
    (project / "envlock.toml").write_text('[diff]\nignore = ["deb:**"]\n')
    done = run_job(project)
    assert done.returncode == 1, done.stderr
    assert "locks/a new.lock: new\n" in done.stdout
    assert "locks/prod.lock: status 1\n" in done.stdout
    quality = json.loads((project / "envlock-reports/codequality").read_text())
    assert {item["location"]["path"] for item in quality} == {"locks/dev.lock", "locks/prod.lock"}
    assert run_job(project, ENVLOCK_FAIL_ON="never").returncode == 0
    (project / "locks/dev.lock").unlink()
    assert "locks/dev.lock: removed" in run_job(project).stdout


@pytest.mark.parametrize("package", ["", "envlock", "envlockfile==1.0"])
def test_the_gitlab_job_installs_nothing_by_a_bare_name(project, package):
    done = run_job(project, ENVLOCK_PACKAGE=package)
    assert done.returncode == 2
    assert done.stderr == "set ENVLOCK_PACKAGE to the address or path of envlock\n"


def test_the_gitlab_job_fails_on_an_invalid_lock(project):
    (project / "locks/dev.lock").write_text("<<<<<<< ours\n")
    assert run_job(project).returncode != 0


@pytest.fixture
def pre_commit(project, tmp_path):
    """Return a function that runs pre-commit with the hook of this repository."""
    command = Path(sys.executable).with_name("pre-commit")
    if not command.exists():
        unavailable("pre-commit", "it is not installed")
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    # envlock is installed already, so pre-commit must not make an environment for it.
    local = {**hook, "language": "system"}
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))

    def run(*words):
        return subprocess.run(
            [command, *words],
            cwd=project,
            env={**os.environ, "PATH": PATH, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_hook_checks_only_staged_locks(project, pre_commit):
    manifest = str(ROOT / ".pre-commit-hooks.yaml")
    assert pre_commit("validate-manifest", manifest).returncode == 0
    (project / "notes.lock").write_text("not ours")
    git(project, "add", "-A")
    assert "no files to check" in pre_commit("run").stdout
    (project / "locks/dev.lock").write_text(lock("1").replace('version = "1"', 'version = ""'))
    git(project, "add", "-A")
    done = pre_commit("run")
    assert done.returncode == 1
    assert "locks/dev.lock" in done.stdout
    assert "locks/prod.lock" not in done.stdout
