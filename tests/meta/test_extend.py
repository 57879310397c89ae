"""What docs/how-to/extend.md says about adding to envlock is true of what was added before."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/extend.md").read_text()
SECTIONS = dict(re.findall(r"(?ms)^## (.+?)$(.*?)(?=^## |\Z)", PAGE))
TESTS = {
    name
    for path in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"(?m)^def (test_\w+)", path.read_text())
}


class Example(NamedTuple):
    """An extension that exists.

    `names` are what the placeholders of the page stand for.  Wherever the code speaks of the
    extension, it does so with one of `words`: a text, or the last parts of what is imported.
    `unrelated` are modules in which a word means something else.
    """

    section: str
    names: Mapping[str, str]
    words: tuple[str, ...]
    unrelated: frozenset[str] = frozenset()


EXAMPLES = (
    Example("A collector", {"GROUP": "hpc", "NAME": "spack"}, ("spack", "hpc.spack")),
    Example(
        "A collector",
        {"GROUP": "language", "NAME": "composer"},
        ("composer",),
        frozenset({"envlock/capture/files/state_rules.py"}),  # its cache
    ),
    Example(
        "A target",
        {"NAME": "process"},
        ("pid", "targets.process"),
        frozenset(
            {
                "envlock/model/scope.py",  # the kind of root
                "envlock/scope/roots.py",
                "envlock/capture/files/state_kinds.py",  # names of files
            }
        ),
    ),
    Example("A severity rule", {"NAME": "system"}, ("OS-ARCH",)),
    Example("A needs edge", {"NAME": "python_base"}, ("python-base", "edges.python_base")),
    Example("A report format", {"NAME": "junit"}, ("junit", "report.junit.render_junit")),
    Example(
        "An artifact kind",
        {"NAME": "wheel", "SOURCE": "pip", "GROUP": "language", "COLLECTOR": "python"},
        ("wheel", "kinds.wheel", "kinds.wheel.Wheel", "sources.pip"),
        frozenset({"envlock/diff/rules/state.py"}),  # the group of accounts
    ),
    Example("An artifact source", {"SOURCE": "pip"}, ("sources.pip",)),
    Example("A sink", {"NAME": "archive"}, ("ArchiveSink", "sinks.archive.ArchiveSink")),
)


def listed(example: Example) -> set[str]:
    """Return the modules that the page tells to write or change, for an example."""
    steps = SECTIONS[example.section].partition("\n| forgotten")[0]
    for placeholder, name in example.names.items():
        steps = re.sub(rf"\b{placeholder}\b", name, steps)
    return set(re.findall(r"`(envlock/[\w./-]+\.py)`", steps))


def speaking_of(words: tuple[str, ...]) -> set[str]:
    """Return the modules that name an extension, docstrings and comments aside."""
    return {
        module
        for module, found in texts_by_module().items()
        if any(is_named(words, text) for text in found)
    }


@cache
def texts_by_module() -> Mapping[str, frozenset[str]]:
    return {
        path.relative_to(ROOT).as_posix(): frozenset(texts(ast.parse(path.read_text())))
        for path in ROOT.glob("envlock/**/*.py")
    }


def is_named(words: tuple[str, ...], text: str) -> bool:
    """True when `text` is a word, begins with one, or is a dotted name that ends with one."""
    return any(
        re.match(rf"{re.escape(word)}(?![\w.-])", text) or f".{text}".endswith(f".{word}")
        for word in words
    )


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module, the names it imports, and the classes it defines."""
    bodies = (body for node in ast.walk(tree) if isinstance(body := getattr(node, "body", 0), list))
    statements = (statement for body in bodies for statement in body)
    docstrings = {id(s.value) for s in statements if isinstance(s, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docstrings:
                yield node.value
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.section)
def test_nothing_but_the_listed_modules_names_an_extension(example: Example) -> None:
    found = speaking_of(example.words) - example.unrelated
    assert found, "the words of the example occur"
    assert found <= listed(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.section)
def test_every_listed_module_exists(example: Example) -> None:
    assert listed(example)
    assert {name for name in listed(example) if not (ROOT / name).is_file()} == set()


def test_every_section_has_an_example() -> None:
    assert SECTIONS.keys() == {example.section for example in EXAMPLES}


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 5
    assert named <= TESTS


def test_every_table_that_the_page_names_is_in_its_module() -> None:
    tables = re.findall(r"`([A-Z]{2,})`\s+(?:in|of)\s+`([\w/]+\.py)`", PAGE)
    assert len(tables) > 4
    for table, module in tables:
        assigned = {
            name.id
            for node in ast.parse((ROOT / module).read_text()).body
            for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        assert table in assigned, module


@pytest.mark.parametrize(
    ("folder", "table", "shared"),
    [
        ("materialize/artifacts/kinds", "materialize/artifacts/table.py", set()),
        (
            "materialize/artifacts/sources",
            "materialize/artifacts/table.py",
            {
                "cache",
                "directory",
                "registry",
                "snapshot",
                "archive",
                "download",
                "program",
                "mirrors",
            },
        ),
        ("materialize/sinks", "materialize/sinks/table.py", set()),
        ("diff/rules", "diff/rules/__init__.py", set()),
        ("scope/edges", "scope/edges/__init__.py", {"dynamic_lookup"}),
    ],
)
def test_every_extension_module_is_in_its_table(folder: str, table: str, shared: set[str]) -> None:
    """`shared` are modules that serve several rows."""
    package = f"envlock/{folder}".replace("/", ".")
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "envlock" / table).read_text())):
        if isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
            imported.add(str(node.module))
        elif isinstance(node, ast.Constant):
            imported.add(f"{package}.{node.value}")
    modules = {path.stem for path in (ROOT / "envlock" / folder).glob("*.py")}
    rest = modules - {"__init__", "base", "table", *shared}
    assert {name for name in rest if f"{package}.{name}" not in imported} == set()
