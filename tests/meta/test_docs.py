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


def test_every_verb_and_option_is_in_the_reference() -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text()
    sections = dict(re.findall(r"(?ms)^### envlock (\S+)$(.*?)(?=^##|\Z)", text))
    everywhere = text.partition("## Options of every verb")[2].partition("## Verbs")[0]
    assert set(sections) == set(verbs())
    for name, parser in verbs().items():
        options = {o for a in parser._actions for o in a.option_strings} - {"-h", "--help"}
        said = set(re.findall(r"`(--?[a-z][a-z-]*)", sections[name] + everywhere))
        assert options <= said, name


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
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", target.read_text()), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, link


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for page in ROOT.glob("docs/*/*.md"):
        kind = page.parent.name
        name = "adr/" if kind == "adr" else f"{kind}/{page.name}"
        assert f"]({name})" in index, name


def test_the_tutorial_runs(tmp_path: Path) -> None:
    """Each command is run; each line shown must come out, in order, `…` standing for anything."""
    lesson = (ROOT / "docs/tutorial/first-lock.md").read_text()
    folder = tmp_path / "lesson"
    folder.mkdir()
    for block in _BLOCK.findall(lesson):
        commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for command in commands:
            line, _, expected = command.partition("\n")
            done = subprocess.run(
                ["sh", "-c", line],
                cwd=folder,
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


def shown(expected: str, output: str) -> bool:
    """True when the lines of `expected` are in `output` one after the other."""
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
