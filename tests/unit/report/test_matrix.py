"""Reports of many environments as text and as JSON."""

import json
from pathlib import Path

import jsonschema

import envlock.report
from envlock.diff.engine import Options
from envlock.diff.many.matrix import compare_many
from envlock.model.lock import Lock
from envlock.report.input import Canvas, MatrixInput
from envlock.report.matrix import render_matrix
from envlock.report.matrix_json import render_matrix_json
from tests.unit.report.samples import environment

SCHEMA = json.loads((Path(envlock.report.__file__).parent / "matrix.schema.json").read_text())


TABLE = """\
DRIFT  19 environments in 3 groups
1 critical  1 high  1 low  0 % of the records are alike everywhere

A  db
B  old
=  web-1..web-17 (17)  same as most

Debian packages: 2
                        most                      A                         B
  critical libc6:amd64  2.36-9                    ↓ 2.31-13                 ↓ 2.31-13
      programs built against 2.36-9 may need symbols that 2.31-13 lacks [DEB-CORE-OLDER]
  low      tool         absent                    =                         + 1

environment variables: 1
                        most                      A                         B
  high     LANG         C.UTF-8                   ~ C                       =
      without UTF-8 programs read and write text as ASCII [ENV-CHARSET]

legend: + most lack it, ↓ older, ~ differs
"""


def text_of(locks, **rest):
    return render_matrix(MatrixInput(compare_many(locks, Options()), **rest))


def test_a_table_if_it_fits(matrix):
    assert render_matrix(MatrixInput(matrix, Canvas(width=100))) == TABLE


def test_a_list_if_it_does_not_fit(matrix):
    text = render_matrix(MatrixInput(matrix, Canvas(width=50)))
    assert "      ↓ 2.31-13  db, old (2)\n" in text
    assert "  2.36-9  (17)\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_ascii_and_color(matrix):
    assert render_matrix(MatrixInput(matrix, Canvas(ascii=True))).isascii()
    assert "\x1b[" in render_matrix(MatrixInput(matrix, Canvas(color=True)))
    assert "\x1b[" not in render_matrix(MatrixInput(matrix))


def test_escape_sequences_in_names_and_values_are_shown():
    one = environment("1")
    text = text_of({"a\x1b[2J": one, "b": environment("1\x1b]0;x\x07"), "c": one}, full=True)
    assert "\x1b" not in text
    assert "\\x1b" in text


def test_coverage_gaps_are_folded_into_one_line():
    packages = {f"p{n}": "1" for n in range(30)}
    whole = {name: environment("1", **packages) for name in "abc"}
    blind = Lock.of([], {"deb": {"status": "unreadable"}, "env": {"status": "ok"}})
    text = text_of({**whole, "d": blind})
    assert "? 31 unknown in d: unreadable" in text
    assert "p1" not in text


def test_the_json_follows_its_schema_and_holds_every_finding(matrix):
    document = json.loads(render_matrix_json(MatrixInput(matrix)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    [libc, tool, lang] = document["findings"]
    assert libc["outliers"][0]["environments"] == ["db", "old"]
    assert (libc["majority"], libc["agreeing"]) == ("2.36-9", 17)
    assert (tool["majority"], tool["outliers"][0]["kind"]) == (None, "added")
    assert lang["outliers"][0]["value"] == "C"
    assert document["groups"][2] == {
        "name": "web-1..web-17 (17)",
        "environments": [f"web-{n}" for n in range(1, 18)],
    }


def test_equal_environments():
    same = MatrixInput(compare_many({name: environment("1") for name in "abc"}, Options()))
    assert render_matrix(same) == "EQUAL  3 environments, all alike\n"
    assert json.loads(render_matrix_json(same))["findings"] == []
