"""The documentation says what the program does."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envlock.cli.main import build_parser
from envlock.config.settings import SETTINGS
from envlock.lockfile.writer import write_lock
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import FileClass

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def verbs() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    return dict(next(a for a in actions if isinstance(a, argparse._SubParsersAction)).choices)


def test_the_generated_tables_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/generate-docs", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run scripts/generate-docs\n{done.stdout}{done.stderr}"


def test_the_drawings_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/draw-diagrams", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run scripts/draw-diagrams\n{done.stdout}{done.stderr}"


def test_every_drawing_is_shown_with_a_description() -> None:
    shown_in = {path: re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", path.read_text()) for path in PAGES}
    for drawing in ROOT.glob("docs/pictures/*.svg"):
        described = [
            description
            for page, pictures in shown_in.items()
            for description, link in pictures
            if (page.parent / link).resolve() == drawing
        ]
        assert described, f"no page shows {drawing.name}"
        assert all(described), f"a page shows {drawing.name} without a description"


def test_every_verb_and_option_is_in_the_reference() -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text()
    sections = dict(re.findall(r"(?ms)^### envlock (\S+)$(.*?)(?=^##|\Z)", text))
    everywhere = text.partition("## Options of every verb")[2].partition("## Verbs")[0]
    assert set(sections) == set(verbs())
    for name, parser in verbs().items():
        options = {o for a in parser._actions for o in a.option_strings} - {"-h", "--help"}
        named = set(re.findall(r"`(--?[a-z][a-z-]*)", sections[name] + everywhere))
        assert options <= named, name


def test_every_flag_of_a_setting_exists() -> None:
    options = {o for p in verbs().values() for a in p._actions for o in a.option_strings}
    assert {s.flag for s in SETTINGS.values() if s.flag} <= options


def test_every_option_a_page_names_exists() -> None:
    known = {o for p in verbs().values() for a in p._actions for o in a.option_strings}
    known |= {"--version", "--help"}
    for page in (p for p in PAGES if "adr" not in p.parts and p.name != "CHANGELOG.md"):
        for line in re.findall(r"envlock [a-z-]+ [^\n`]*", page.read_text()):
            command = re.split(r"[|;&#>]|--section host --fail|\$\(", line)[0]
            for option in re.findall(r"(?<=\s)(--[a-z][a-z-]*)", command):
                assert option in known, f"{page.relative_to(ROOT)}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", target.read_text()), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    """Paths are from the top of the project or, like `model/facts.py`, from the package.

    Words in capitals, such as NAME, stand for names to be chosen. A path that starts with `..` is
    an example of an archive's member and not a file of the project.
    """
    for path in re.findall(r"`(?!\.\./)([\w.-]+/[\w./-]*)`", page.read_text()):
        name = re.split(r"\b(?:NAME|GROUP|CASE|SOURCE|COLLECTOR)\b", path)[0]
        bases = [base for base in (ROOT, ROOT / "envlock") if (base / name.split("/")[0]).exists()]
        assert not bases or any((base / name).exists() for base in bases), name


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def test_the_page_about_equal_has_a_row_for_each_class() -> None:
    page = (ROOT / "docs/explanation/what-equal-means.md").read_text()
    table = page.partition("<!-- checked: a row for each class -->")[2].partition("\n\n`--all`")[0]
    assert re.findall(r"(?m)^\| `([a-z-]+)` \|", table) != []
    assert {*re.findall(r"(?m)^\| `([a-z-]+)` \|", table)} == {str(name) for name in FileClass}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for page in ROOT.glob("docs/*/*.md"):
        kind = page.parent.name
        name = "adr/" if kind == "adr" else f"{kind}/{page.name}"
        assert f"]({name})" in index, name


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/adr/*.md")), ids=lambda page: page.stem)
def test_every_decision_has_its_parts(page: Path) -> None:
    """A decision without the alternatives it was chosen over cannot be judged later."""
    number = int(page.stem[:4])
    text = page.read_text()
    assert text.startswith(f"# {number}. ")
    parts = re.findall(r"(?m)^\*\*([A-Z][a-z ]+)\.\*\*", text)
    assert [
        part for part in parts if part in ("Status", "Decision", "Rejected", "What follows")
    ] == [
        "Status",
        "Decision",
        "Rejected",
        "What follows",
    ]
    assert re.search(r"\*\*Status\.\*\* (Accepted|Superseded by \[).*?\d{4}-\d\d-\d\d", text)


def test_the_tutorial_runs(tmp_path: Path) -> None:
    """Each command is run; the lines shown must be printed in that order; `…` matches anything."""
    page = (ROOT / "docs/tutorial/first-lock.md").read_text()
    directory = tmp_path / "lesson"
    directory.mkdir()
    for block in _BLOCK.findall(page):
        commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for command in commands:
            line, _, expected = command.partition("\n")
            done = subprocess.run(
                ["sh", "-c", line],
                cwd=directory,
                env={
                    **os.environ,
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                    "PYTHONUNBUFFERED": "1",
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}"
            assert shown(expected, done.stdout), f"{line}\n{done.stdout}"


def test_the_policy_page_runs(tmp_path: Path) -> None:
    """Settings are added as the page shows them; the lines shown must be printed in that order."""
    page = (ROOT / "docs/how-to/ignore-and-waive.md").read_text()
    settings = tmp_path / "envlock.toml"
    write_example_locks(tmp_path / "locks")
    who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    environ = {
        **os.environ,
        **who,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SOURCE_DATE_EPOCH": "1798761600",  # 2027-01-01
    }
    for kind, block in re.findall(r"(?ms)^```(toml|console)\n(.*?)^```$", page):
        if kind == "toml":
            settings.write_text(f"{settings.read_text() if settings.exists() else ''}{block}\n")
            begin = "git init -q -b main . && git add . && git commit -qm policy"
            subprocess.run(["sh", "-c", begin], cwd=tmp_path, env=environ, check=True)
            continue
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = command.partition("\n")
            done = subprocess.run(
                ["sh", "-c", line],
                cwd=tmp_path,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode in (0, 1), f"{line}\n{done.stderr}"
            assert shown(expected, done.stdout), f"{line}\n{done.stdout}"


def write_example_locks(directory: Path) -> None:
    """Write the locks that the policy page compares."""
    curl, ssl = "7.88.1-10+deb12u", ("3.0.11-1~deb12u2", "3.0.15-1~deb12u1")
    gdb = Record("deb", "gdb:amd64", {"version": "13.1-3", "mark": "manual"})
    kernel = Record("deb", "linux-image-6.1.0-21-amd64:amd64", {"version": "6.1.90-1"})
    for name, minor, tls, region, more in (
        ("last", "12", ssl[0], "eu-1", gdb),
        ("dev", "12", ssl[1], "eu-dev", gdb),
        ("prod", "5", ssl[0], "eu-1", kernel),
    ):
        records = (
            Record("deb", "curl:amd64", {"version": f"{curl}{minor}", "mark": "manual"}),
            Record("deb", "libssl3:amd64", {"version": tls, "mark": "auto"}),
            Record("env", "APP_REGION", {"value": region}),
            more,
        )
        write_lock(directory / f"{name}.lock", Lock.of(records))


def shown(expected: str, output: str) -> bool:
    """True when the lines of `expected` occur in `output` in that order."""
    lines = iter(output.splitlines())
    for wanted in filter(None, expected.splitlines()):
        pattern = re.escape(wanted).replace("…", ".*")
        if wanted != "…" and not any(re.fullmatch(pattern, line) for line in lines):
            return False
    return True


def test_shown_can_fail() -> None:
    assert shown("a\n…\nc 1…\n", "a\nb\nc 12\n")
    assert not shown("a\nd\n", "a\nb\n")
    assert not shown("b\na\n", "a\nb\n")


def test_the_tutorial_needs_an_installed_command() -> None:
    assert shutil.which("envlock", path=str(Path(sys.executable).parent))
