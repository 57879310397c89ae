"""The table of formats: it is complete, and each format writes its golden file."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import envlock.report
from envlock import __version__
from envlock.report.formats import FORMATS, format_of_file
from envlock.report.input import Canvas, MatrixInput, PairInput
from tests.unit.report.samples import (
    LOCKS,
    everything,
    fleet,
    hostile,
    many,
    scoped,
    without_changes,
)

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/reports"
PAGE = ROOT / "docs/how-to/share-a-report.md"


def pair(report, **rest):
    return PairInput(report, locks=lambda: LOCKS, **rest)


def stable(page):
    """Leave out what changes with a release, or with an edit of the page's looks."""
    page = page.replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "VERSION"')
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL)
    return re.sub(r"'sha256-[^']*'", "'sha256-DIGEST'", page)


def check_golden(name, page):
    golden = GOLDEN / name
    if os.environ.get("ENVLOCK_REGOLD"):
        golden.write_text(stable(page), encoding="utf-8")
    assert golden.exists(), f"{name} is missing: run with ENVLOCK_REGOLD=1 and read it"
    assert stable(page) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [row.name for row in FORMATS.values() if row.pair])
def test_two_environments_in_each_format(name, everything):
    check_golden(f"everything.{name}", FORMATS[name].render(pair(everything)))


@pytest.mark.parametrize("name", [row.name for row in FORMATS.values() if row.pair])
def test_two_applications_in_each_format(name):
    page = FORMATS[name].render(pair(scoped()))
    check_golden(f"scoped.{name}", page)
    assert "vim" not in page or name == "json"


@pytest.mark.parametrize("name", [row.name for row in FORMATS.values() if row.many])
def test_many_environments_in_each_format(name, matrix):
    check_golden(f"fleet.{name}", FORMATS[name].render(MatrixInput(matrix)))


def test_every_change_in_full(everything):
    check_golden("everything-full.text", FORMATS["text"].render(pair(everything, full=True)))


def test_every_golden_file_belongs_to_a_format():
    named = {path.suffix[1:] for path in GOLDEN.glob("everything.*")} | {
        path.suffix[1:] for path in GOLDEN.glob("fleet.*")
    }
    assert named == set(FORMATS)


def renderers():
    """Yield each public renderer of the package as a row would name it, and the kind of input."""
    for info in iter_modules(envlock.report.__path__):
        module = import_module(f"envlock.report.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("render_") and function.__module__ == module.__name__:
                kinds = [p.annotation for p in inspect.signature(function).parameters.values()]
                if kinds in (["PairInput"], ["MatrixInput"]):
                    yield f"{info.name}:{name}", kinds[0]


def test_every_renderer_has_a_row_and_every_row_its_renderers():
    written = dict(renderers())
    listed = {row.pair: "PairInput" for row in FORMATS.values() if row.pair}
    listed |= {row.many: "MatrixInput" for row in FORMATS.values() if row.many}
    assert written == listed


def test_every_format_has_its_line_in_the_documentation():
    described = re.findall(r"^\| `([a-z]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert described == list(FORMATS)


def test_names_and_suffixes_are_unique():
    assert [row.name for row in FORMATS.values()] == list(FORMATS)
    suffixes = [row.suffix for row in FORMATS.values() if row.suffix]
    assert len(set(suffixes)) == len(suffixes)
    for row in FORMATS.values():
        if row.suffix:
            assert format_of_file(row.suffix) is row
    assert {format_of_file(suffix).name for suffix in ("", ".txt")} == {"text"}


def test_a_format_that_cannot_show_a_comparison_says_so(matrix):
    given = MatrixInput(matrix)
    cannot = [row for row in FORMATS.values() if not row.can_render(given)]
    assert cannot
    for row in cannot:
        with pytest.raises(ValueError, match=row.name):
            row.render(given)


def test_the_table_imports_no_renderer():
    code = "import sys, envlock.report.formats; print([m for m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for row in FORMATS.values():
        for renderer in filter(None, (row.pair, row.many)):
            assert f"'envlock.report.{renderer.partition(':')[0]}'" not in done.stdout


def test_only_formats_that_point_at_lines_read_the_locks(everything):
    def locks():
        asked.append(row.name)
        return LOCKS

    asked = []
    for row in FORMATS.values():
        row.render(PairInput(everything, locks=locks))
    assert asked == ["sarif", "junit", "github", "gitlab"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_equal_environments(name):
    page = FORMATS[name].render(PairInput(without_changes()))
    assert page.endswith("\n")
    assert len(page.splitlines()) >= 1


SCRIPT = """
import hashlib
from tests.unit.report import test_formats as this
for given in this.inputs():
    for row in this.FORMATS.values():
        if row.can_render(given):
            print(hashlib.sha256(row.render(given).encode()).hexdigest())
"""


def inputs():
    """Return comparisons of two and of many."""
    reports = (everything(), hostile(), many(50))
    return [*map(pair, reports), MatrixInput(fleet(), Canvas(width=60))]


def test_equal_reports_are_equal_bytes_whatever_the_hash_seed():
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)
    (digests,) = outputs
    assert digests.count("\n") == 3 * len(FORMATS) + 3
