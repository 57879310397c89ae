"""Variables whose values are not recorded: compared by fingerprint, else counted."""

from envlock.diff.drift import Result
from envlock.diff.engine import compare
from envlock.model.lock import Lock
from envlock.report.input import PairInput
from envlock.report.json import render_json
from envlock.report.markdown import render_markdown
from envlock.report.text import render_text

HIDDEN = {"secret": "present"}


def lock(**variables):
    return Lock(sections={"env": variables})


def keyed(fingerprint):
    return {**HIDDEN, "fingerprint": fingerprint}


def told(left, right):
    return [
        (c.field, c.kind.value, c.left, c.right)
        for c in compare(lock(X=left), lock(X=right)).changes
    ]


def test_fingerprints_of_one_key_are_compared_and_never_shown():
    shown = "(value not recorded)", "(another value, not recorded)"
    assert told(keyed("k1:aa"), keyed("k1:bb")) == [("value", "changed", *shown)]
    assert told(keyed("k1:aa"), keyed("k1:aa")) == []
    assert told(keyed("k1:aa"), keyed("k2:bb")) == []
    assert told(keyed("k1:aa"), HIDDEN) == []


def test_a_value_on_one_side_only_is_unknown():
    assert told(HIDDEN, {"value": "1"}) == [("value", "unknown", "(value not recorded)", "1")]
    assert told({"empty": "true"}, HIDDEN)[0][1] == "unknown"


def test_what_was_compared_by_presence_is_counted_and_said():
    left = lock(A=HIDDEN, B=keyed("k1:aa"), C=HIDDEN, D={"value": "1"})
    right = lock(A=HIDDEN, B=keyed("k1:aa"), D={"value": "1"}, E=HIDDEN)
    report = compare(left, right)
    assert report.variables_by_presence == 1
    line = "1 variable is compared by presence only"
    for render in (render_text, render_markdown):
        assert line in render(PairInput(report)).replace("&#95;", "_")
    assert '"presence_only": {"variables": 1, "files": 0}' in render_json(PairInput(report))
    assert [c.left or c.right for c in report.changes] == ["(value not recorded)"] * 2
    same = compare(lock(A=HIDDEN), lock(A=HIDDEN))
    assert same.result is Result.EQUAL
    assert line in render_text(PairInput(same))
