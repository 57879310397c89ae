"""The script of the GitHub Action, in real repositories and with a fake GitHub on loopback."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ci/pull_request.py"
HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
MARKER = "<!-- envlock:default -->"


def lock(version="1.0-1", coverage="ok", name="tool:amd64"):
    return (
        f'{HEADER}lock-version = "1.0"\n\n[coverage."deb"]\nstatus = "{coverage}"\n'
        f'\n[deb."{name}"]\nversion = "{version}"\n'
    )


class GitHub:
    """The part of GitHub's API that the script uses; any other request fails the test."""

    def __init__(self) -> None:
        self.comments: list[dict[str, object]] = []
        self.asked: list[str] = []
        self.answers: list[int] = []
        self.strange: list[str] = []
        verbs = {f"do_{verb}": _Handler.take for verb in ("GET", "POST", "PATCH")}
        handler = type("Handler", (_Handler,), {"github": self, **verbs})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method, path, authorization, body):
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if self.answers and (status := self.answers.pop(0)) != 200:
            return status, {"message": "scripted"}
        if authorization != "Bearer token-of-the-job":
            return 401, {}
        if method == "GET" and path.startswith("/repos/o/r/issues/7/comments?per_page=100&page="):
            page = int(path.rpartition("=")[2])
            return 200, self.comments[100 * (page - 1) : 100 * page]
        if method == "POST" and path == "/repos/o/r/issues/7/comments":
            self.comments.append({"id": len(self.comments), **body})
            return 201, {"html_url": "https://example.org/comment"}
        if method == "PATCH" and path.startswith("/repos/o/r/issues/comments/"):
            number = int(path.rpartition("/")[2])
            self.comments[number].update(body)
            return 200, {"html_url": "https://example.org/comment"}
        self.strange.append(f"{method} {path}")
        return 404, {}


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def take(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        asked = (self.command, self.path, self.headers.get("Authorization"), body)
        status, answer = self.github.answer(*asked)
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_words):
        pass


@pytest.fixture
def github():
    github = GitHub()
    thread = threading.Thread(target=github.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield github
    github.server.shutdown()
    thread.join()
    github.server.server_close()
    assert github.strange == []


class Project:
    """A repository with a base commit, in which the job of a pull request runs."""

    def __init__(self, folder: Path, github: GitHub) -> None:
        self.folder = folder
        self.github = github
        self.lock = folder / "locks/prod.lock"
        self.summary = folder.parent / "summary.md"
        self.output = folder.parent / "output"
        self.temp = folder.parent / "temp"
        self.temp.mkdir()
        self.head = "o/r"

    def git(self, *words, cwd=None):
        author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(
            ["git", *author, *words],
            cwd=cwd or self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x")
        return self.git("rev-parse", "HEAD")

    def run(self, status, *, cwd=None, event=None, **inputs):
        """Run the job; it must end with `status`.  Return the log and the outputs."""
        place = self.temp / "event.json"
        pull = {"number": 7, "base": {"sha": self.base},
                "head": {"repo": {"full_name": self.head}}}  # fmt: skip
        place.write_text(event if event is not None else json.dumps({"pull_request": pull}))
        for path in (self.summary, self.output):
            path.unlink(missing_ok=True)
        inputs = {"token": "token-of-the-job", **inputs}
        done = subprocess.run(
            [sys.executable, SCRIPT],
            cwd=cwd or self.folder,
            env={
                **{n: v for n, v in os.environ.items() if not n.startswith(("GITHUB_", "INPUT_"))},
                "no_proxy": "127.0.0.1",
                "GITHUB_API_URL": self.github.url,
                "GITHUB_EVENT_PATH": str(place),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "42",
                "GITHUB_SERVER_URL": "https://example.org",
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.temp),
                **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        lines = self.output.read_text().splitlines()
        return done.stdout, dict(line.split("=", 1) for line in lines)


@pytest.fixture
def project(tmp_path, github):
    folder = tmp_path / "project"
    (folder / "locks").mkdir(parents=True)
    project = Project(folder, github)
    project.git("init", "-q", "-b", "main")
    project.lock.write_text(lock())
    project.base = project.commit()
    return project


def test_a_comment_is_created_on_drift_and_updated_from_then_on(project, github):
    project.run(0)
    assert github.comments == []
    github.comments += [{"id": n, "body": f"about {MARKER} {n}"} for n in range(120)]
    project.lock.write_text(lock("0.9-1"))
    log, out = project.run(1)
    assert (out["result"], out["drift-count"], out["severity"]) == ("drift", "1", "high")
    assert len(github.comments) == 121
    assert github.comments[120]["body"].startswith(f"{MARKER}\n## envlock: ❌ drift\n")
    assert "tool" in project.summary.read_text()
    assert "https://example.org/o/r/actions/runs/42" in project.summary.read_text()
    assert "::error title=envlock::locks/prod.lock: 1 high" in log
    reports = Path(out["report-path"])
    [document] = [json.loads(path.read_text()) for path in reports.glob("*.json")]
    assert document["result"] == "drift"
    project.lock.write_text(lock())
    _, out = project.run(0)
    assert out["result"] == "equal"
    assert len(github.comments) == 121
    assert github.comments[120]["body"].startswith(f"{MARKER}\n## envlock: ✅ no drift\n")


def test_a_pull_request_is_judged_by_its_application(project):
    scope = (
        '\n[scope."app"]\nroot = "exe:/usr/bin/tool"\n'
        '\n[scope."app/deb:tool:amd64"]\nclass = "declared"\nvia = "app"\n'
    )

    def both(tool, other):
        return f'{lock(other, name="other:amd64")}\n[deb."tool:amd64"]\nversion = "{tool}"\n{scope}'

    project.lock.write_text(both("1.0-1", "1.0-1"))
    project.base = project.commit()
    project.lock.write_text(both("1.0-1", "3.0-1"))
    _, outputs = project.run(0)
    assert (outputs["result"], outputs["drift-count"]) == ("equal", "0")
    assert "outside of app: 1 difference" in project.summary.read_text()
    project.lock.write_text(both("2.0-1", "3.0-1"))
    _, outputs = project.run(1, fail_on="low")
    assert (outputs["result"], outputs["drift-count"]) == ("drift", "1")
    assert "tool" in project.summary.read_text()


def test_drift_below_the_threshold_passes_and_is_reported(project, github):
    project.lock.write_text(lock("1.1-1"))
    _, out = project.run(0, fail_on="never", comment="always", comment_tag="a b")
    assert (out["result"], out["drift-count"]) == ("drift", "1")
    assert github.comments[0]["body"].startswith("<!-- envlock:a-b -->\n## envlock: ✅")


def test_a_fork_gets_the_summary_only(project, github):
    project.head = "stranger/r"
    project.lock.write_text(lock("0.9-1"))
    project.run(1)
    assert github.asked == []
    assert "❌ drift" in project.summary.read_text()


@pytest.mark.parametrize(
    ("text", "status", "result", "words"),
    [
        (lock(coverage="unreadable"), 3, "inconclusive", "inconclusive"),
        ("<<<<<<< ours\n", 2, "error", "lockfile that cannot be read"),
        ("", 2, "error", "lockfile that cannot be read"),
    ],
)
def test_a_failed_comparison_has_a_status_of_its_own(project, github, text, status, result, words):
    (project.folder / "envlock.toml").write_text('[diff]\nrequire = ["deb"]\n')
    project.base = project.commit()
    project.lock.write_text(text)
    log, out = project.run(status)
    assert out["result"] == result
    assert words in log
    assert words.split()[0] in github.comments[0]["body"]


def test_the_policy_of_the_pull_request_is_not_used(project):
    project.lock.write_text(lock("0.9-1"))
    (project.folder / "envlock.toml").write_text('[diff]\nignore = ["deb:**"]\n')
    project.run(1)
    project.git("stash", "-q")
    (project.folder / "envlock.toml").write_text('[diff]\nignore = ["deb:**"]\n')
    project.base = project.commit()
    project.lock.write_text(lock("0.9-1"))
    (project.folder / "envlock.toml").write_text("not TOML")
    project.run(0)
    assert "no other.toml" in project.run(2, policy="other.toml")[0]


def test_locks_that_only_one_side_has(project):
    project.git("rm", "-q", "locks/prod.lock")
    (project.folder / "locks").mkdir(exist_ok=True)
    (project.folder / "locks/new.lock").write_text(lock())
    log, out = project.run(1)
    assert "locks/new.lock: new" in log
    assert "locks/prod.lock: removed" in log
    assert out["severity"] == "high"
    project.run(0, locks="locks/new.lock")
    assert "no such lock" in project.run(2, locks="locks/absent.lock")[0]


def test_nothing_to_compare_is_an_error(project):
    project.git("rm", "-q", "locks/prod.lock")
    project.base = project.commit()
    assert "no lock to compare" in project.run(2)[0]
    assert "not a pull request" in project.run(2, event="{}")[0]
    assert "not a valid revision" in project.run(2, base="--output=x")[0]


def test_a_shallow_checkout_fetches_its_base(project, tmp_path):
    project.lock.write_text(lock("0.9-1"))
    project.commit()
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    project.git("clone", "-q", "--depth=1", f"file://{project.folder}", str(clone), cwd=tmp_path)
    project.run(1, cwd=clone)
    project.git("branch", "before", project.base)
    project.run(1, cwd=clone, base="before", event="{}")
    project.run(1, cwd=clone, base="origin/before", event="{}")
    assert "fetch" in project.run(4, cwd=clone, base="0" * 40)[0]


@pytest.fixture
def comments(monkeypatch):
    """Return the module that writes comments."""
    monkeypatch.syspath_prepend(str(ROOT / "ci"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield importlib.import_module("github_comment")
    del sys.modules["github_comment"]


def put(comments, github, **words):
    issue = comments.Issue(github.url, "o/r", 7, "token-of-the-job")
    return comments.put_comment(issue, MARKER, "text", create=True, pauses=(0, 0), **words)


@pytest.mark.parametrize("answers", [[502], [200, 502], [429, 500], [200, 500, 200, 503]])
def test_an_error_of_the_server_is_retried(comments, github, answers):
    github.answers = answers
    assert put(comments, github) == "https://example.org/comment"
    assert [comment["body"] for comment in github.comments] == [f"{MARKER}\ntext"]


@pytest.mark.parametrize("answers", [[500] * 3, [422], [302], [200, 422]])
def test_an_error_that_persists_is_raised(comments, github, answers):
    github.answers = list(answers)
    with pytest.raises(comments.CommentError, match=str(answers[-1])):
        put(comments, github)
    assert (github.comments, github.answers) == ([], [])


def test_an_unreachable_server_is_an_error(comments, github):
    issue = comments.Issue("http://127.0.0.1:9", "o/r", 7, "t")
    with pytest.raises(comments.CommentError):
        comments.put_comment(issue, MARKER, "text", create=True, pauses=())
    with pytest.raises(comments.CommentError, match="characters"):
        comments.put_comment(issue, MARKER, "x" * 65_536, create=True)


def test_a_comment_that_fails_fails_the_job(project, github):
    github.answers = [422]
    log, out = project.run(4, comment="always")
    assert "cannot write the comment: 422" in log
    assert out["result"] == "equal"


def test_a_token_that_may_not_comment_is_reported(project, github):
    project.lock.write_text(lock("0.9-1"))
    assert "::warning title=envlock::no comment" in project.run(1, token="another")[0]
    project.lock.write_text(lock())
    project.run(4, token="another", comment="always")
    assert github.comments == []


@pytest.mark.parametrize(
    ("event", "inputs"),
    [("not JSON", {}), ('{"pull_request": 1}', {}), ("{}", {"comment": "maybe", "base": "main"})],
)
def test_an_invalid_job_is_neither_drift_nor_success(project, event, inputs):
    status = 2 if inputs else 70
    log, out = project.run(status, event=event, **inputs)
    assert out["result"] == "error"
    assert log.startswith("::error title=envlock::") or inputs


def test_a_target_is_captured_and_compared_with_its_baseline(project, tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=example\nVERSION_ID=1\n")
    target = f"dir:{root}"
    capture = [Path(sys.executable).with_name("envlock"), "capture", target, "--name", "root", "-q"]
    subprocess.run(capture, cwd=project.folder, check=True, capture_output=True)
    assert project.run(0, target=target, baseline="root")[1]["result"] == "equal"
    (root / "etc/os-release").write_text("ID=example\nVERSION_ID=2\n")
    assert project.run(1, target=target, baseline="locks/root.lock")[1]["result"] == "drift"
    project.run(4, target="dir:/does/not/exist", baseline="root")
    assert "baseline" in project.run(2, target=target)[0]


def test_captured_text_is_neither_command_nor_markup(project, github):
    name = "::error::x<!-- --> @all ![i](https://example.org) | ```"
    project.lock.write_text(lock(name=name))
    log, _ = project.run(1)
    token = log.partition("::stop-commands::")[2].split()[0]
    outside = log.partition("::stop-commands::")[0] + log.rpartition(f"::{token}::")[2]
    assert "\n::error::x" not in f"\n{outside}"
    assert len(token) == 32


def test_a_long_report_is_cut_to_the_limit_of_a_comment(project, github):
    text = lock().rpartition("\n[deb.")[0]
    for number in range(4000):
        text += f'\n[deb."{"p" * 90}{number:04d}:amd64"]\nversion = "1"\n'
    project.lock.write_text(text)
    project.run(0, fail_on="never", comment="always")
    assert len(github.comments[0]["body"]) <= 65_536
    assert github.comments[0]["body"].startswith(MARKER)


def test_the_action_passes_every_input_and_output():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    compare = action["runs"]["steps"][-1]
    handed = {name.removeprefix("INPUT_").lower().replace("_", "-") for name in compare["env"]}
    assert handed == set(action["inputs"]) - {"python", "working-directory"}
    source = SCRIPT.read_text()
    for name in handed - {"base"}:
        assert f'input("{name}"' in source
    for name in action["outputs"]:
        assert f'"{name}":' in source
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
