"""Many environments as text and as JSON."""

import json
from pathlib import Path

import jsonschema
import pytest

import envlock.report
from envlock.diff.engine import Options
from envlock.diff.many.matrix import compare_many
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.matrix import render_matrix
from envlock.report.matrix_json import render_matrix_json

SCHEMA = json.loads((Path(envlock.report.__file__).parent / "matrix.schema.json").read_text())


def lock(libc, lang="C.UTF-8", **extra):
    records = [
        Record("deb", "libc6:amd64", {"version": libc}),
        Record("env", "LANG", {"value": lang}),
        *(Record("deb", name, {"version": version}) for name, version in extra.items()),
    ]
    return Lock.of(records)


@pytest.fixture
def matrix():
    fleet = {f"web-{n}": lock("2.36-9") for n in range(1, 18)}
    return compare_many(
        {**fleet, "db": lock("2.31-13", "C"), "old": lock("2.31-13", tool="1")}, Options()
    )


TABLE = """\
DRIFT  19 environments, 3 kinds
1 critical  1 high  1 low  0 % of the records are alike everywhere

A  db
B  old
=  web-1..web-17 (17)  as most

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


def test_a_table_where_it_fits(matrix):
    assert render_matrix(matrix, width=100) == TABLE


def test_a_list_where_it_does_not(matrix):
    text = render_matrix(matrix, width=50)
    assert "      ↓ 2.31-13  db, old (2)\n" in text
    assert "  2.36-9  (17)\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_ascii_and_color(matrix):
    assert render_matrix(matrix, ascii=True).isascii()
    assert "\x1b[" in render_matrix(matrix, color=True)
    assert "\x1b[" not in render_matrix(matrix)


def test_names_and_values_obey_nothing():
    hostile = {"a\x1b[2J": lock("1"), "b": lock("1\x1b]0;x\x07"), "c": lock("1")}
    text = render_matrix(compare_many(hostile, Options()), full=True)
    assert "\x1b" not in text
    assert "\\x1b" in text


def test_holes_are_folded_into_one_line():
    whole = {name: lock("1", **{f"p{n}": "1" for n in range(30)}) for name in "abc"}
    blind = Lock.of([], {"deb": {"status": "unreadable"}, "env": {"status": "ok"}})
    text = render_matrix(compare_many({**whole, "d": blind}, Options()))
    assert "? 31 not known of d: unreadable" in text
    assert "p1" not in text


def test_the_json_follows_its_schema_and_holds_every_finding(matrix):
    document = json.loads(render_matrix_json(matrix))
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


def test_equal_environments_are_said_to_be():
    same = compare_many({name: lock("1") for name in "abc"}, Options())
    assert render_matrix(same) == "EQUAL  3 environments, all alike\n"
    assert json.loads(render_matrix_json(same))["findings"] == []
