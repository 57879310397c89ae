"""Comparisons in a CI job: `envlock diff` in a process of its own, and the outcome of each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

SEVERITIES = ("critical", "high", "medium", "low", "info")
_BROKEN = 70
_FILES = {
    "json": ".json",
    "markdown": ".md",
    "html": ".html",
    "sarif": ".sarif",
    "github": ".commands",
}
_MEANING: Mapping[int, str] = {
    2: "usage, configuration, or a lockfile that cannot be read",
    3: "inconclusive: a required section was not covered, or the two are not comparable",
    4: "a target or source is unreachable",
    6: "refused: a secret would have been written",
    70: "internal error",
    130: "interrupted",
}


class Comparison(NamedTuple):
    """Two environments to compare, and the name of the comparison in reports."""

    name: str
    left: str
    right: str


class Outcome(NamedTuple):
    """The outcome of one comparison.

    `status` is that of envlock; `message` says what it means.  `counts` are the differences that
    count, by severity.  `markdown` is the report for people, `commands` are GitHub annotations.
    """

    name: str
    status: int
    message: str
    counts: Mapping[str, int]
    markdown: str = ""
    commands: str = ""

    @property
    def result(self) -> str:
        """The outcome in one word: ``equal``, ``drift`` (at any severity), or the failure."""
        if self.status == 3:
            return "inconclusive"
        if self.status not in (0, 1):
            return "error"
        return "drift" if self.status == 1 or any(self.counts.values()) else "equal"


def envlock(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the envlock that is installed with this Python, never one in the project directory."""
    command = Path(sys.executable).with_name("envlock")
    return subprocess.run([str(command), *words], capture_output=True, check=False)


@cache
def _help() -> str:
    return envlock("diff", "--help").stdout.decode(errors="replace")


def formats() -> frozenset[str]:
    """Return the report formats that this envlock can write."""
    found = re.search(r"--format \{([^}]*)\}", _help())
    return frozenset(found[1].split(",")) if found else frozenset({"text"})


def takes(option: str) -> bool:
    """True when this envlock has an option of `envlock diff`."""
    return re.search(rf"{re.escape(option)}\b", _help()) is not None


def compare(comparison: Comparison, options: Sequence[str], directory: Path) -> Outcome:
    """Compare, write every report into `directory`, and return the outcome; never raises."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", comparison.name).strip("-.") or "report"
    files = {
        form: directory / f"{stem}{suffix}" for form, suffix in _FILES.items() if form in formats()
    }
    words = ("diff", comparison.left, comparison.right, *options)
    reports = [("--format", form, "--output", str(path)) for form, path in files.items()]
    done = envlock(*words, *(word for report in reports for word in report))
    if done.returncode not in (0, 1, 3):
        return failed(comparison.name, done)
    try:
        counts = _counts(json.loads(files["json"].read_bytes()), done.returncode)
        page = _read(files.get("markdown")) or _as_text(words)
        commands = _read(files.get("github"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        return Outcome(comparison.name, _BROKEN, f"unexpected report: {error}", {})
    message = _MEANING.get(done.returncode) or _in_words(counts)
    return Outcome(comparison.name, done.returncode, message, counts, page, commands)


def failed(name: str, done: subprocess.CompletedProcess[bytes]) -> Outcome:
    """Return the outcome of a comparison or capture that failed."""
    status = done.returncode if done.returncode > 1 else _BROKEN
    stderr = done.stderr.decode(errors="replace").strip()
    meaning = _MEANING.get(status, f"ended with {done.returncode}")
    lines = [line for line in stderr.splitlines() if line.startswith(("envlock: error:", "hint:"))]
    detail = "; ".join(lines) or stderr[-500:]
    return Outcome(name, status, f"{meaning}: {detail}" if detail else meaning, {})


def _counts(document: Mapping[str, object], status: int) -> Mapping[str, int]:
    """Return the differences by severity.  Raise ValueError when report and status disagree."""
    result, summary = document["result"], document["summary"]
    if document["schema_version"] != 1 or not isinstance(summary, dict):
        raise ValueError("its schema version is not 1")
    expected = {0: ("equal", "drift"), 1: ("drift",), 3: ("inconclusive",)}[status]
    if result not in expected:
        raise ValueError(f"its result is {result}, but the exit status is {status}")
    return {severity: int(summary[severity]) for severity in SEVERITIES}


def _in_words(counts: Mapping[str, int]) -> str:
    found = [f"{count} {severity}" for severity, count in counts.items() if count]
    return ", ".join(found) or "no drift"


def _read(path: Path | None) -> str:
    return path.read_text(encoding="utf-8") if path else ""


def _as_text(words: Sequence[str]) -> str:
    """Return the text report as a code block, fenced with more backticks than it contains."""
    done = envlock(*words, "--format", "text", "--exit-zero")
    text = done.stdout.decode("utf-8", errors="replace")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 3)
    return f"{fence}text\n{text}{fence}\n"
