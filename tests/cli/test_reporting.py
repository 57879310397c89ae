"""Destinations of reports: several formats in one run, standard output and files."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from lxml import etree

HEAD = (
    "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
    'lock-version = "1.0"\n'
)
LEFT = f'{HEAD}\n[deb."curl:amd64"]\nversion = "7.1-1"\n\n[os]\nid = "debian"\n'
RIGHT = (
    f'{HEAD}\n[deb."curl:amd64"]\nversion = "7.0-1"\n\n[env."gr\\\\xffß"]\nvalue = "1"\n'
    '\n[os]\nid = "debian"\n'
)


@pytest.fixture
def locks(envlock):
    (envlock.folder / "locks").mkdir()
    (envlock.folder / "locks/dev.lock").write_text(LEFT)
    (envlock.folder / "locks/prod.lock").write_text(RIGHT)
    return envlock.folder


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "locks")


def test_one_run_writes_every_format(envlock, locks):
    ran = envlock(
        "diff", "dev", "prod", "--format", "github",
        "--format", "sarif", "--output", "a.sarif", "--format", "markdown", "--output", "b.md",
        "--json", "--output", "c", "--output", "d.html", "--output", "e.xml", "--output", "f.txt",
        "--format", "gitlab", "--output", "g.json",
        status=1,
    )  # fmt: skip
    location = "file=locks/prod.lock,line=5,title=DEB-DOWNGRADE"
    assert ran.out.startswith(f"::error {location}")
    assert ran.err == ""
    run = json.loads((locks / "a.sarif").read_text())["runs"][0]
    assert run["results"][0]["ruleId"] == "DEB-DOWNGRADE"
    assert (locks / "b.md").read_text().startswith("## ❌ Drift")
    assert json.loads((locks / "c").read_text())["result"] == "drift"
    assert (locks / "d.html").read_text().startswith("<!doctype html>")
    etree.parse(locks / "e.xml")
    assert (locks / "f.txt").read_text().startswith("DRIFT  dev → prod\n")
    assert json.loads((locks / "g.json").read_text())[0]["check_name"] == "DEB-DOWNGRADE"
    assert files(locks) == ["a.sarif", "b.md", "c", "d.html", "e.xml", "f.txt", "g.json"]


def test_when_all_reports_are_files_a_note_has_the_verdict(envlock, locks):
    ran = envlock("diff", "dev", "prod", "--output", "a.md", status=1)
    assert ran.out == ""
    assert ran.err == "DRIFT dev → prod: 1 high, 1 low; written: a.md\n"
    assert envlock("diff", "dev", "prod", "-q", "--output", "a.md", status=1).err == ""


@pytest.mark.parametrize(
    ("words", "destination"),
    [
        (["--format", "json", "--format", "sarif"], "standard output"),
        (["--json", "--output", "x", "--format", "html", "--output", "x"], "x"),
        (["--output", "x", "--output", "y", "--output", "x"], "x"),
    ],
)
def test_two_reports_with_the_same_destination_are_an_error(envlock, locks, words, destination):
    ran = envlock("diff", "dev", "prod", *words, status=2)
    assert f"envlock: error: two reports would go to {destination}" in ran.err
    assert (ran.out, files(locks)) == ("", [])


def test_a_report_that_cannot_be_written_is_a_usage_error(envlock, locks):
    ran = envlock("diff", "dev", "prod", "--json", "--output", "none/a.json", status=2)
    assert "cannot write the report: No such file or directory" in ran.err
    (locks / "folder").mkdir()
    ran = envlock("diff", "dev", "prod", "--output", "folder", status=2)
    assert "cannot write the report" in ran.err
    assert files(locks) == ["folder"]


def test_a_report_replaces_a_file_atomically_and_follows_a_link(envlock, locks):
    (locks / "real").mkdir()
    (locks / "real/report.json").write_text("old")
    (locks / "a.json").symlink_to("real/report.json")
    envlock("diff", "dev", "prod", "--output", "a.json", status=1)
    assert (locks / "a.json").is_symlink()
    assert json.loads((locks / "real/report.json").read_text())["right"] == "prod"
    assert os.listdir(locks / "real") == ["report.json"]
    envlock("diff", "dev", "prod", "--output", "/dev/null", status=1)


def test_a_file_has_no_color_and_is_utf8(envlock, locks):
    environ = {"FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    envlock("diff", "dev", "prod", "--output", "a.txt", status=1, **environ)
    text = (locks / "a.txt").read_text()
    assert "\x1b" not in text
    assert "gr\\xffß" in text
    shown = envlock("diff", "dev", "prod", status=1, **environ).out
    assert shown.isascii()
    assert "\x1b[" in shown
    envlock("diff", "dev", "prod", "--color", "always", "--output", "a.txt", status=1)
    assert "\x1b[" in (locks / "a.txt").read_text()


@pytest.mark.parametrize("form", ["markdown", "html", "junit", "github"])
def test_formats_that_require_utf8_use_it_in_any_locale(envlock, locks, form):
    environ = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    assert "ß" in envlock("diff", "dev", "prod", "--format", form, status=1, **environ).out


@pytest.mark.parametrize("form", ["text", "html", "sarif"])
def test_a_closed_pipe_does_not_change_the_verdict(envlock, locks, form):
    records = "".join(f'\n[env."V{n:05}"]\nvalue = "{n}"\n' for n in range(3000))
    (locks / "locks/prod.lock").write_text(f"{HEAD}{records}")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "envlock", "diff", "dev", "prod", "--all", "--format", form],
            cwd=envlock.folder,
            stdout=nobody,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("words", [["--json", "--output", "x"], ["--output", "x", "--json"]])
def test_one_format_and_one_file_belong_together_in_any_order(envlock, locks, words):
    assert envlock("diff", "dev", "prod", *words, status=1).out == ""
    assert json.loads((locks / "x").read_text())["left"] == "dev"


def test_paths_are_relative_to_the_root_of_the_repository(envlock, locks):
    subprocess.run(["git", "init", "-q", "."], cwd=locks.parent, check=True)
    ran = envlock("diff", "dev", "prod", "--format", "gitlab", status=1)
    assert {issue["location"]["path"] for issue in ran.json} == {"project/locks/prod.lock"}
    ran = envlock("diff", "dev", f"{locks}/locks/prod.lock", "--format", "gitlab", status=1)
    assert {issue["location"]["path"] for issue in ran.json} == {"project/locks/prod.lock"}


def test_lines_are_those_of_the_work_tree(envlock, locks):
    git = ["git", "-C", locks, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    (locks / "locks/prod.lock").write_text(RIGHT.replace("7.0-1", "6.0-1"))
    ran = envlock("diff", "git:HEAD:locks/prod.lock", "prod", "--format", "sarif", status=1)
    (result,) = ran.json["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "locks/prod.lock"
    assert location["region"] == {"startLine": 5}


def test_verify_writes_the_same_formats(envlock, tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=example\n")
    envlock("capture", f"dir:{root}", "--name", "small", "-q")
    (root / "etc/os-release").write_text("ID=other\n")
    target = f"dir:{root}"
    ran = envlock("verify", "small", target, "--format", "junit", "--output", "a.html", status=1)
    document = etree.fromstring((envlock.folder / "a.html").read_bytes())
    assert int(document.get("failures")) >= 1
    assert "written: a.html" in ran.err
    assert envlock("verify", "small", target, "--json", status=1).json["result"] == "drift"
