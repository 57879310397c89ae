"""The script of the GitHub Action: compare locks with the base branch, and report the outcome.

It reports in the job log, the job summary, a comment on the pull request, and the action's outputs.
All input comes from environment variables: ``INPUT_*`` are the action's inputs, ``GITHUB_*`` come
from the runner.  The exit status is that of envlock: 0 without drift at the threshold, 1 with
drift, any other if the comparison failed; the message says why.  A failure never ends with 0 or 1.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from comparison import SEVERITIES, Comparison, Outcome, compare, envlock, failed, takes
from github_comment import CommentError, Issue, put_comment

_BODY_LIMIT = 64_000
_SUMMARY_LIMIT = 1_000_000
_USAGE, _UNREACHABLE, _BROKEN = 2, 4, 70


class JobError(Exception):
    """The job cannot continue; `status` is its exit status."""

    def __init__(self, message: str, status: int = _USAGE) -> None:
        super().__init__(message)
        self.status = status


class Job(NamedTuple):
    """The job, as the runner and the workflow describe it.

    `number` is that of the pull request, 0 without one.  `is_fork` means that its head is in
    another repository, whose jobs may not write here.
    """

    environ: Mapping[str, str]
    number: int
    base: str
    is_fork: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Job:
        """Read the job from environment variables.  Raise ValueError for an invalid event."""
        path = environ.get("GITHUB_EVENT_PATH", "")
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        pull = event.get("pull_request") or {}
        head = ((pull.get("head") or {}).get("repo") or {}).get("full_name")
        base = environ.get("INPUT_BASE", "").strip() or (pull.get("base") or {}).get("sha", "")
        return cls(
            environ,
            int(pull.get("number", 0)),
            str(base),
            bool(pull) and head != environ.get("GITHUB_REPOSITORY"),
        )

    def input(self, name: str, default: str = "") -> str:
        """Return an input of the action, `default` when it is empty."""
        return self.environ.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip() or default

    @property
    def marker(self) -> str:
        """The hidden line that identifies the comment of this action."""
        tag = "".join(c if c.isalnum() or c in "._-" else "-" for c in self.input("comment-tag"))
        return f"<!-- envlock:{tag or 'default'} -->"


def main(environ: Mapping[str, str]) -> int:
    """Run the job and return its exit status; never raises."""
    try:
        job = _with_commit(Job.of(environ))
        directory = Path(
            job.input("reports") or f"{environ.get('RUNNER_TEMP', '.')}/envlock-reports"
        )
        directory.mkdir(parents=True, exist_ok=True)
        outcomes = list(_outcomes(job, directory))
        status = _worst(outcomes)
        page = _page(job, outcomes, status)
        _log(outcomes)
        _append(environ.get("GITHUB_STEP_SUMMARY"), _cut(page, _SUMMARY_LIMIT))
        comment_status = _comment(job, page, status)
        _append(environ.get("GITHUB_OUTPUT"), _outputs(outcomes, status, directory))
    except JobError as error:
        return _fail(environ, str(error), error.status)
    except Exception as error:  # noqa: BLE001  a bug must not end with the status of drift
        return _fail(environ, f"internal error: {type(error).__name__}: {error}", _BROKEN)
    return status or comment_status


def _outcomes(job: Job, directory: Path) -> Iterator[Outcome]:
    options = _options(job, directory)
    if target := job.input("target"):
        lock = directory / "target.lock"
        # The target is captured with the settings of the base branch, like the policy.
        config = [word for word in options if word.startswith("--config=")]
        done = envlock("capture", target, "-o", str(lock), "-q", *config)
        if done.returncode:
            yield failed(target, done)
            return
        yield compare(Comparison(target, _baseline(job), str(lock)), options, directory)
        return
    paths = _locks(job)
    if not paths:
        raise JobError("there is no lock to compare: give `locks`, or `baseline` and `target`")
    for path in paths:
        in_base, in_head = _is_in_git(job.base, path), Path(path).is_file()
        if in_base and in_head:
            yield compare(Comparison(path, f"git:{job.base}:{path}", path), options, directory)
        elif in_head:
            yield Outcome(path, 0, "new: the base branch has no such lock", {})
        elif in_base:
            yield Outcome(path, 1, "removed: the base branch has it", {"high": 1})
        else:
            yield Outcome(path, _USAGE, "no such lock, neither here nor in the base branch", {})


def _baseline(job: Job) -> str:
    baseline = job.input("baseline")
    if not baseline:
        raise JobError("`target` needs a `baseline` to be compared with")
    is_name = "/" not in baseline and ":" not in baseline and not baseline.endswith(".lock")
    return f"locks/{baseline}.lock" if is_name else baseline


def _options(job: Job, directory: Path) -> list[str]:
    """Return the options of every comparison: the threshold, and the policy of the base branch.

    The policy of the pull request is not used, because it could accept its own drift.
    """
    options = [f"--fail-on={job.input('fail-on')}"] if job.input("fail-on") else []
    name = job.input("policy", "envlock.toml")
    config = directory / "base-envlock.toml"
    has_policy = bool(job.base) and _is_in_git(job.base, name)
    if job.base:
        config.write_bytes(_git("show", f"{job.base}:./{name}") if has_policy else b"")
        options.append(f"--config={config}")
    if takes("--policy"):
        policy = f"git:{job.base}:{name}" if has_policy else str(config)
        options += [f"--policy={policy}"] if job.base else []
    if not has_policy and job.input("policy"):
        raise JobError(f"the base branch has no {name}")
    return options


def _with_commit(job: Job) -> Job:
    """Return the job with its base as a local commit, which a shallow checkout has to fetch."""
    if not job.base:
        if job.input("target"):
            return job
        raise JobError("not a pull request: set `base` to a branch or commit to compare with")
    if job.base.startswith("-"):
        raise JobError(f"not a valid revision: {job.base}")
    commit = _run("rev-parse", "--verify", "--quiet", f"{job.base}^{{commit}}")
    if commit.returncode:
        name = job.base.removeprefix("origin/")
        _git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", "--", name)
        commit = _run("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}")
    return job._replace(base=commit.stdout.decode().strip())


def _locks(job: Job) -> list[str]:
    named = job.input("locks").split()
    if named:
        return named
    listed = _git("ls-tree", "-z", "--name-only", job.base, "./locks/").decode()
    before = [name for name in listed.split("\0") if name.endswith(".lock")]
    return sorted({*before, *map(str, Path("locks").glob("*.lock"))})


def _is_in_git(revision: str, path: str) -> bool:
    return _run("cat-file", "-e", f"{revision}:./{path}").returncode == 0


def _git(*words: str) -> bytes:
    done = _run(*words)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise JobError(f"git {words[0]}: {said}", _UNREACHABLE)
    return done.stdout


def _run(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *words], capture_output=True, check=False)


def _worst(outcomes: Sequence[Outcome]) -> int:
    """Return the status of all comparisons: a failed one takes precedence over drift."""
    broken = [outcome.status for outcome in outcomes if outcome.status not in (0, 1)]
    return broken[0] if broken else max(outcome.status for outcome in outcomes)


def _page(job: Job, outcomes: Sequence[Outcome], status: int) -> str:
    """Return the Markdown page: the verdict, a line for each comparison, and the reports."""
    verdict = {0: "✅ no drift", 1: "❌ drift", 3: "❔ inconclusive"}.get(status, "💥 failed")
    lines = [f"## envlock: {verdict}", "", "| compared | outcome |", "|---|---|"]
    lines += [f"| {_code(o.name)} | {_code(o.message)} |" for o in outcomes]
    for outcome in outcomes:
        if outcome.markdown:
            lines += ["", f"<details{' open' if len(outcomes) == 1 else ''}>"]
            lines += [f"<summary>{_code(outcome.name)}</summary>", "", outcome.markdown]
            lines += ["</details>"]
    get = job.environ.get
    run = f"{get('GITHUB_SERVER_URL', '')}/{get('GITHUB_REPOSITORY', '')}/actions/runs/"
    against = f"compared with {_code(job.base[:12])}, " if job.base else ""
    if get("GITHUB_RUN_ID"):
        lines += ["", f"<sub>{against}by [this run]({run}{get('GITHUB_RUN_ID')})</sub>"]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Return text as inline code on one line, escaped for Markdown and HTML."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text)
    entities = "".join(c if c.isalnum() or c in " .,:;/-_=" else f"&#{ord(c)};" for c in clean)
    return f"<code>{entities}</code>"


def _cut(page: str, limit: int) -> str:
    """Return a page of at most `limit` bytes; if it is cut, the last line says so."""
    if len(page.encode()) <= limit:
        return page
    kept = page.encode()[: limit - 500].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\n</details>\n\nThis page is cut: the reports of the job are complete.\n"


def _log(outcomes: Sequence[Outcome]) -> None:
    """Write annotations and messages to the log; captured text cannot act as a command there."""
    for outcome in outcomes:
        level = "error" if outcome.status else "notice"
        sys.stdout.write(_command(level, f"{outcome.name}: {outcome.message}"))
        sys.stdout.write(outcome.commands)
        token = secrets.token_hex(16)
        sys.stdout.write(f"::stop-commands::{token}\n{outcome.markdown}\n::{token}::\n")


def _command(level: str, text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} title=envlock::{escaped}\n"


def _comment(job: Job, page: str, status: int) -> int:
    """Write the comment if it is wanted and allowed; return 0, or the status of the failure."""
    wanted = job.input("comment", "auto")
    if wanted not in ("auto", "always", "never"):
        raise JobError(f"`comment` must be auto, always or never, not {wanted}")
    if wanted == "never" or not job.number or (job.is_fork and wanted == "auto"):
        return 0
    api = job.environ.get("GITHUB_API_URL", "https://api.github.com")
    token = job.input("token")
    issue = Issue(api, job.environ.get("GITHUB_REPOSITORY", ""), job.number, token)
    try:
        put_comment(
            issue, job.marker, _cut(page, _BODY_LIMIT), create=status != 0 or wanted == "always"
        )
    except CommentError as error:
        if error.refused and wanted == "auto":
            text = f"no comment was written, see the job summary: {error}"
            sys.stdout.write(_command("warning", text))
            return 0
        sys.stdout.write(_command("error", f"cannot write the comment: {error}"))
        return _UNREACHABLE
    return 0


def _outputs(outcomes: Sequence[Outcome], status: int, directory: Path) -> str:
    counts = {s: sum(o.counts.get(s, 0) for o in outcomes) for s in SEVERITIES}
    words = {0: "equal", 1: "drift", 3: "inconclusive"}
    result = words.get(status, "error")
    if status == 0 and any(counts.values()):
        result = "drift"
    return "".join(
        f"{name}={value}\n"
        for name, value in {
            "result": result,
            "drift-count": sum(counts.values()),
            "severity": next((s for s, count in counts.items() if count), "none"),
            "report-path": str(directory),
        }.items()
    )


def _append(path: str | None, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _fail(environ: Mapping[str, str], message: str, status: int) -> int:
    """Report why the job cannot continue, in the log, the summary and the outputs."""
    sys.stdout.write(_command("error", message))
    try:
        _append(environ.get("GITHUB_STEP_SUMMARY"), f"## envlock: 💥 failed\n\n{_code(message)}\n")
        _append(environ.get("GITHUB_OUTPUT"), "result=error\n")
    except OSError as error:
        sys.stdout.write(_command("error", f"cannot write the summary or outputs: {error}"))
    return status


if __name__ == "__main__":
    sys.exit(main(os.environ))
