"""scripts/compare-versions tells data from wording, and finds a version that writes other bytes."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = """\
lock-version = "1.0"

[coverage."file"]
reason = "{reason}"
status = "partial"

[deb."tool:amd64"]
version = "{version}"

[tree]
content = "sha256:1"
object = "sha256:{object}"
"""
TREE = "envlock-tree 1\n/\td\t755\t0\t0\t{mtime}\t0\t\t\t\t\tstate\t\t\n"


@pytest.fixture(scope="module")
def comparison() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "output_comparison", ROOT / "scripts/output_comparison.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def verdicts(comparison, tmp_path):
    """Write two sets of files and return the verdict of each name."""

    def compare(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
        for side, files in (("old", old), ("new", new)):
            for name, text in files.items():
                path = tmp_path / side / "demo" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        found = comparison.compare_outputs(tmp_path / "old", tmp_path / "new", 1000)
        return {item.name.removeprefix("demo/"): item.verdict.value for item in found}

    return compare


def lock(reason: str = "denied", version: str = "1.0", tree: str = "2") -> str:
    return LOCK.format(reason=reason, version=version, object=tree)


def report(**members: object) -> str:
    change = {"id": "1", "left": "1.0", "right": "1.1", "why": "w", "fix": "f", **members}
    return json.dumps({"result": "drift", "changes": [change], "notes": [{"text": "n"}]})


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (lock(), "same"),
        (lock(tree="3"), "same"),
        (lock(reason="not readable"), "wording"),
        (lock(version="1.1"), "DIFFERENT"),
        (lock(reason="not readable", version="1.1"), "DIFFERENT"),
    ],
)
def test_a_lock_may_differ_in_reasons_only(verdicts, other, verdict):
    assert verdicts({"demo.lock": lock()}, {"demo.lock": other}) == {"demo.lock": verdict}


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (TREE.format(mtime=2000), "same"),
        (TREE.format(mtime=999), "DIFFERENT"),
        (TREE.format(mtime=2000).replace("755", "700"), "DIFFERENT"),
        (TREE.format(mtime=1500) * 2, "DIFFERENT"),
    ],
)
def test_a_tree_may_differ_in_times_of_the_run_only(verdicts, other, verdict):
    assert verdicts({"demo.tree": TREE.format(mtime=1500)}, {"demo.tree": other}) == {
        "demo.tree": verdict
    }


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (report(why="because"), "wording"),
        (report(fix=""), "DIFFERENT"),  # that there is a text is data
        (report(right="1.2"), "DIFFERENT"),
        (report(why="because", id="2"), "DIFFERENT"),
        ("Traceback", "DIFFERENT"),
    ],
)
def test_text_for_people_is_wording(verdicts, other, verdict):
    """The formats beside the JSON are judged by it."""
    old = {"report.json": report(), "report.sarif": report(), "report.text": "w", "x.messages": "w"}
    new = {"report.json": other, "report.sarif": other, "report.text": "W", "x.messages": "W"}
    assert verdicts(old, new) == {
        "report.json": verdict,
        "report.sarif": verdict,
        "report.text": verdict,
        "x.messages": "wording",
    }


def test_what_nothing_vouches_for_must_be_equal(verdicts):
    assert verdicts(
        {"capture.json.status": "0", "image.digests": "1", "show.text": "a", "old.lock": ""},
        {"capture.json.status": "1", "image.digests": "2", "show.text": "b", "new.lock": ""},
    ) == dict.fromkeys(
        ("capture.json.status", "image.digests", "show.text", "old.lock", "new.lock"), "DIFFERENT"
    )


def test_the_digest_of_a_lock_differs_as_the_lock_does(verdicts):
    one, two = ('{"file_digest": "1"}', '{"file_digest": "2"}')
    assert verdicts({"digest.json": one}, {"digest.json": two}) == {"digest.json": "DIFFERENT"}
    assert verdicts(
        {"digest.json": one, "demo.lock": lock()},
        {"digest.json": two, "demo.lock": lock(reason="not readable")},
    ) == {"digest.json": "same", "demo.lock": "wording"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small root without packages; its one real program tells the architecture."""
    root = tmp_path / "root"
    for name, text in {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "etc/app.conf": "port = 1\n",
        "usr/bin/tool": "#!/bin/sh\n",
        "usr/share/doc/tool": "how",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "usr/bin/tool").chmod(0o755)
    shutil.copy("/usr/bin/env", root / "usr/bin/env")
    return root


def test_two_versions_that_differ(root, tmp_path):
    """The new version is this one, but for a further remark and a mode in one report."""
    command = f"{sys.executable} -m envlock"
    other = tmp_path / "other"
    other.write_text(
        "#!/bin/sh\n"
        f'{command} "$@"; status=$?\n'
        "case $1 in\n"
        "    materialize) echo a further remark >&2 ;;\n"
        "    diff) sed -i s/4755/4711/ out/changes/report.json ;;\n"
        "esac\n"
        "exit $status\n"
    )
    other.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/compare-versions", "--root", root, command, other],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1, done.stderr
    lines = [line.split()[:2] for line in done.stdout.splitlines() if not line.startswith(" ")]
    verdicts = {name: verdict for verdict, name in lines[:-1]}
    assert {name: verdict for name, verdict in verdicts.items() if verdict != "same"} == {
        "changes/report.json": "DIFFERENT",
        "root-0/materialize.json.messages": "wording",
    }, done.stdout + done.stderr
    written = {"changed/changed.tree", "root-0/root-0.lock", "root-0/image.digests", "store.names"}
    assert written <= set(verdicts)
