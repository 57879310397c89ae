"""The JSON report of two environments."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.engine import Options, compare
from envlock.diff.policy.policy import Policy
from envlock.diff.side import Side
from envlock.diff.three_way import with_base
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.input import PairInput
from envlock.report.json import render_json

SCHEMA = json.loads((files("envlock.report") / "diff.schema.json").read_text())


def lock(*records):
    return Lock.of(Record(*record) for record in records)


CURL = ("deb", "curl:amd64", {"version": "1.0-1", "sha256": "a"})
ODD = ("file", "/a\udcff\n\\", {"class": "unowned", "mode": "0644"})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (lock(), lock()),
        (lock(CURL), lock()),
        (lock(CURL), lock(("deb", "curl:amd64", {"version": "1.1-1", "sha256": "b"}), ODD)),
    ],
)
def test_it_follows_the_schema(left, right):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = compare(left, right, options=Options(left_name="dev", right_name="prod"))
    jsonschema.validate(json.loads(render_json(PairInput(report))), SCHEMA)


def test_one_change_in_full():
    upgraded = lock(("deb", "curl:amd64", {"version": "1.1-1", "sha256": "a"}))
    report = compare(lock(CURL), upgraded, options=Options(left_name="dev", right_name="prod"))
    document = json.loads(render_json(PairInput(report)))
    assert document == {
        "schema_version": 1,
        "result": "drift",
        "left": "dev",
        "right": "prod",
        "base": "",
        "scope": {},
        "changes": [
            {
                "id": "e7d5d1abdacd",
                "section": "deb",
                "key": "curl:amd64",
                "field": "version",
                "kind": "changed",
                "left": "1.0-1",
                "right": "1.1-1",
                "relation": "newer",
                "severity": "medium",
                "rule": "DEB-UPDATE",
                "why": "another upstream version",
                "fix": "apt-get install --no-install-recommends --allow-downgrades curl=1.0-1",
                "commands": [
                    [
                        "apt-get",
                        "install",
                        "--no-install-recommends",
                        "--allow-downgrades",
                        "curl=1.0-1",
                    ]
                ],
                "next": "",
                "explained_by": "",
                "status": "new",
                "policy": "",
                "moved": None,
                "scope": [],
                "via": "",
            }
        ],
        "notes": [],
        "presence_only": {"variables": 0, "files": 0},
        "hidden": {},
        "summary": {"critical": 0, "high": 0, "medium": 1, "low": 0, "info": 0},
        "outside": {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0},
        "parity": 0.0,
    }


def test_every_kind_and_status_follows_the_schema(everything, hostile, many):
    for report in (everything, hostile, many(20)):
        document = json.loads(render_json(PairInput(report)))
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        assert len(document["changes"]) == len(report.changes)


def test_the_schema_describes_every_member():
    """Users rely on the schema, so a member must not be missing from it."""
    report = compare(lock(CURL), lock())
    document = json.loads(render_json(PairInput(report)))
    assert set(document) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    described = SCHEMA["properties"]["changes"]["items"]
    assert set(document["changes"][0]) == set(described["properties"]) == set(described["required"])


def test_policy_results_are_in_it():
    expectation = Expectation(
        section="deb", key="*", fact="", demand=Demand.AT_LEAST, version="2", reason="r",
        severity="low",
    )  # fmt: skip
    unused = replace(expectation, section="gem")
    options = Options(policy=Policy(expect=(expectation, unused)))
    base = Side("last", lock(CURL))
    report = compare(lock(CURL), lock(CURL, ODD), options=options)
    document = json.loads(
        render_json(PairInput(with_base(report, base, base, Side("b", lock(CURL, ODD)))))
    )
    jsonschema.validate(document, SCHEMA)
    assert document["base"] == "last"
    assert [(c["field"], c["moved"]) for c in document["changes"]] == [
        ("expect:at-least", None),
        ("", "right"),
    ]
    assert [note["kind"] for note in document["notes"]] == ["unused-expectation"]


def test_text_of_any_bytes_is_escaped_as_in_the_lockfile():
    document = json.loads(render_json(PairInput(compare(lock(), lock(ODD)))))
    assert document["changes"][0]["key"] == "/a\\xff\\x0a\\\\"


def test_absent_is_null_and_a_change_is_a_line():
    written = render_json(PairInput(compare(lock(CURL, ODD), lock())))
    changes = json.loads(written)["changes"]
    assert [change["right"] for change in changes] == [None, None]
    assert sum(line.startswith('    {"id"') for line in written.split("\n")) == 2
