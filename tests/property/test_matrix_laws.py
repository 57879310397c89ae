"""Laws of the comparison of many: order does not matter, and two compare as in a diff."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from envlock.diff.drift import Result
from envlock.diff.engine import Options, compare
from envlock.diff.many.matrix import compare_many
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.input import MatrixInput
from envlock.report.matrix import render_matrix
from envlock.report.matrix_json import render_matrix_json

keys = st.sampled_from(["a", "b", "/etc/x", "\udcff\n"])
facts = st.dictionaries(
    st.sampled_from(["version", "value", "sha256", "mark", "object"]),
    st.sampled_from(["1", "1.0", "1.10-1", "1.9-1", "not a version", "\udc80"]),
    min_size=1,
    max_size=3,
)
sections = st.sampled_from(["deb", "python", "env", "file", "os", "process", "novel"])
statuses = st.sampled_from(["ok", "absent", "partial", "skipped"])


@st.composite
def found(draw):
    chosen = draw(st.lists(st.tuples(sections, keys), max_size=6))
    single = ("os", "process")
    return {(s, "" if s in single else k): draw(facts) for s, k in chosen}


SIZES = st.integers(2, 6)


@st.composite
def fleets(draw, size=SIZES):
    """Return environments made from one by edits, so that most of them agree on most records."""
    base = draw(found())
    fleet = {}
    for number in range(draw(size)):
        mine = {key: value for key, value in base.items() if draw(st.integers(0, 5))}
        if draw(st.booleans()):
            mine |= draw(found())
        rows = draw(st.dictionaries(sections, statuses.map(lambda s: {"status": s}), max_size=3))
        records = [Record(section, key, value) for (section, key), value in mine.items()]
        fleet[f"n{number}"] = Lock.of(records, rows)
    return fleet


@settings(max_examples=50)
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_environments_changes_nothing(fleet, random):
    names = list(fleet)
    random.shuffle(names)
    matrix, other = (compare_many(f, Options()) for f in (fleet, {n: fleet[n] for n in names}))
    assert matrix == other
    assert render_matrix_json(MatrixInput(matrix)) == render_matrix_json(MatrixInput(other))
    assert render_matrix(MatrixInput(matrix, full=True)) == render_matrix(
        MatrixInput(other, full=True)
    )


@settings(max_examples=50)
@given(fleets())
def test_the_order_of_records_changes_nothing(fleet):
    turned = {
        name: Lock(
            sections={
                section: dict(reversed(entries.items()))
                for section, entries in reversed(lock.sections.items())
            },
            coverage=lock.coverage,
        )
        for name, lock in fleet.items()
    }
    assert compare_many(fleet, Options()) == compare_many(turned, Options())


@settings(max_examples=50)
@given(fleets(size=st.just(2)))
def test_the_matrix_of_two_finds_what_their_diff_finds(fleet):
    report = compare(*fleet.values())
    matrix = compare_many(fleet, Options())
    assert {(f.section, f.key) for f in matrix.findings} == {
        (c.section, c.key) for c in report.changes
    }
    assert (matrix.report.result, matrix.report.parity) == (report.result, report.parity)


@settings(max_examples=50)
@given(fleets(), st.integers(1, 3))
def test_copies_are_equal_to_each_other(fleet, copies):
    name, lock = next(iter(fleet.items()))
    copied = {f"{name}-copy{n}": lock for n in range(copies)}
    assert compare_many({name: lock, **copied}, Options()).report.result is Result.EQUAL
    groups = compare_many({**fleet, **copied}, Options()).groups
    assert any({name, *copied} <= set(group.environments) for group in groups)


@settings(max_examples=50)
@given(fleets())
def test_every_environment_agrees_is_an_outlier_or_lacks_the_record(fleet):
    matrix = compare_many(fleet, Options())
    for finding in matrix.findings:
        odd = [name for o in finding.outliers for name in o.environments]
        assert len(odd) == len(set(odd))
        assert finding.agreeing + len(odd) + len(finding.missing) == len(fleet)
    assert sorted(name for g in matrix.groups for name in g.environments) == sorted(fleet)
    json.loads(render_matrix_json(MatrixInput(matrix)).encode("ascii"))
