"""The ceilings and habits of the architecture page."""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = sorted((ROOT / "envlock").rglob("*.py"))
OURS = ("envlock", "tests", "docs", "scripts", "benchmarks", ".ci", "ci")
HEAVY = ("docker", "tomlkit", "deepdiff", "jsonschema", "rich", "yaml", "zstandard")

MODULE_LINES = 400
FUNCTION_LINES = 50
PRAGMAS = 5


def files() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project and its text."""
    roots = [path for name in OURS for path in (ROOT / name).rglob("*")]
    for path in sorted([*roots, *ROOT.glob("*")]):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path, path.read_bytes().decode(errors="replace")


def test_no_module_is_too_long() -> None:
    sources = [
        *PACKAGE,
        *(ROOT / "tests").rglob("*.py"),
        *(path for path in (ROOT / "scripts").iterdir() if path.is_file()),
        *(ROOT / "ci").glob("*.py"),
    ]
    lengths = {path: len(path.read_text().splitlines()) for path in sources}
    assert {str(path): n for path, n in lengths.items() if n > MODULE_LINES} == {}


def test_no_function_is_too_long() -> None:
    found = {}
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found[f"{path.name}:{node.name}"] = length
    assert found == {}


def test_every_module_has_a_name_of_its_own() -> None:
    named = {path.stem for path in PACKAGE}
    assert named.isdisjoint({"utils", "util", "helpers", "helper", "common", "misc", "tools"})


def test_classes_are_called_what_they_are() -> None:
    vague = re.compile(r"(Manager|Info|Helper|Utils?)$")
    classes = [
        node.name
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in classes if vague.search(name)] == []


def test_hardly_anything_is_kept_from_coverage() -> None:
    needle = "pragma: no " + "cover"
    assert sum(text.count(needle) for path, text in files() if path.suffix == ".py") <= PRAGMAS


def test_nothing_is_printed_outside_the_command_line() -> None:
    says = {"print", "sys.stdout.write", "sys.stderr.write"}
    found = [
        f"{path.name}:{node.lineno}"
        for path in PACKAGE
        if path.parent.name != "cli" and path.name != "__main__.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in says
    ]
    assert found == []


def test_no_type_error_is_waved_through_unnamed() -> None:
    bare = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")
    found = [
        f"{path.name}:{token.start[0]}"
        for path in PACKAGE
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
        if token.type == tokenize.COMMENT and bare.search(token.string)
    ]
    assert found == []


def test_no_file_names_a_registry_of_this_machine() -> None:
    hosts = sorted(set(apt_hosts()) | set(pip_hosts()))
    if not hosts:
        unavailable("registry", "neither apt nor pip names a host here")
    found = {
        f"{path.relative_to(ROOT)}: {host}"
        for path, text in files()
        for host in hosts
        if host in text
    }
    assert found == set()


def apt_hosts() -> Iterator[str]:
    """Yield the hosts of apt's sources and proxies, not the two loopback names."""
    if shutil.which("apt-get") is None:
        return
    told = ""
    for argv in (["apt-get", "indextargets", "--format", "$(REPO_URI)"], ["apt-config", "dump"]):
        told += subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    yield from hosts_in(told)


def pip_hosts() -> Iterator[str]:
    """Yield the hosts of pip's indexes."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    told += "\n".join(value for name, value in os.environ.items() if name.startswith("PIP_"))
    yield from hosts_in(told)


def hosts_in(text: str) -> Iterator[str]:
    """Yield the hosts of the URLs in `text`."""
    for url in re.findall(r"[a-z]+://[^\s\"']+", text):
        host = urlsplit(url).hostname or ""
        if "." in host and not host.startswith("127."):
            yield host


def test_hosts_are_found() -> None:
    text = "x 'http://u:p@mirror.example.org:80/debian/' file:///opt https://pip.example.org"
    assert list(hosts_in(text)) == ["mirror.example.org", "pip.example.org"]


def test_no_file_names_this_checkout() -> None:
    place = str(ROOT)
    assert [str(path) for path, text in files() if place in text] == []


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["diff", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    loaded = modules_of(words)
    assert "envlock.cli.main" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_diff_of_files_loads_no_other_wing(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text(
        "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
        'lock-version = "1.0"\n\n[os]\nid = "example"\n'
    )
    loaded = modules_of(["diff", str(lock), str(lock)])
    assert "envlock.diff.engine" in loaded
    assert not [
        name for name in loaded if name.startswith(("envlock.capture", "envlock.materialize"))
    ]
    assert loaded.isdisjoint({*HEAVY, "subprocess", "concurrent.futures", "sqlite3"})


def modules_of(words: list[str]) -> set[str]:
    """Return the modules that a run of the command line has loaded at its end."""
    script = (
        "import sys; from envlock.cli.main import run; run(sys.argv[1:]);"
        "sys.stderr.write('loaded ' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.partition("loaded ")[2].split())


def test_the_command_and_its_version_are_declared_once() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == "envlockfile"
    assert project["scripts"] == {"envlock": "envlock.__main__:main"}
    assert "version" in project["dynamic"]


INSTALLS = re.compile(r"\b(?:(?:pip3?|pipx|uv tool|uv pip) install|uvx|pipx run)\b([^|&;`#\n]*)")
OWN_NAMES = re.compile(r"envlock(?:file|[-_]cli)?(?:\[[a-z,]*\])?(?:[=<>~!].*)?")


def installed_by_name(text: str) -> list[str]:
    """Return the words of commands that install envlock by a bare name."""
    return [
        word
        for arguments in INSTALLS.findall(text)
        for word in arguments.replace("'", " ").replace('"', " ").split()
        if OWN_NAMES.fullmatch(word)
    ]


def test_nothing_is_installed_by_a_name_that_may_be_another_tool() -> None:
    told = installed_by_name(
        "`pip install -q envlock` uvx envlock; pipx run 'envlock-cli[nvml]==1'"
    )
    assert told == ["envlock", "envlock", "envlock-cli[nvml]==1"]
    assert not installed_by_name("pip install . git+https://example.org/envlock@v1")
    tracked = [*ROOT.glob("*.*"), *(path for top in OURS for path in (ROOT / top).rglob("*"))]
    kinds = {".md", ".yml", ".yaml", ".toml", ".py", ".sh", ".html", ".txt", ""}
    for path in tracked:
        if path.is_file() and path.suffix in kinds and path != Path(__file__):
            text = path.read_text(errors="replace")
            assert not installed_by_name(text), path


def test_scripts_are_shell_that_posix_knows() -> None:
    for name in ("demo", "test", "environment.sh"):
        subprocess.run(["sh", "-n", ROOT / "scripts" / name], check=True)
