"""Laws of the diff, for pairs of environments made by edits, so that they share keys."""

import dataclasses
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envlock.diff.drift import ChangeKind, Result
from envlock.diff.engine import Options, compare
from envlock.model.digest import digests, section_digest
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.report.input import Canvas, PairInput
from envlock.report.json import render_json
from envlock.report.text import render_text
from envlock.versions.relation import Relation

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

names = st.sampled_from(
    ["a", "b", "libc6:amd64", "app/x", "/etc/x", "/etc/x/y", "é", "\udcff\n\x1b"]
)
versions = st.sampled_from(["1", "1.0", "1.10-1", "1.9-1", "2~rc1", "not a version", "1!2.post1"])
values = st.sampled_from(["0", "1", "True", "C.UTF-8", "\udc80", "[red]x[/red]", "{0}"])
facts = st.dictionaries(
    st.sampled_from(
        ["version", "value", "sha256", "mode", "class", "mark", "object", "uid", "packaged-mode"]
    ),
    st.one_of(versions, values, st.sampled_from(["0644", "4755"])),
    min_size=1,
    max_size=4,
)
sections = st.sampled_from(
    [
        "deb",
        "rpm",
        "python",
        "env",
        "file",
        "user",
        "apt-source",
        "host.driver",
        "os",
        "process",
        "novel",
    ]
)


@st.composite
def record_maps(draw):
    found = {}
    for section in draw(st.lists(sections, max_size=5)):
        key = "" if section in ("os", "process") else draw(names)
        found[section, key] = draw(facts)
    return found


@st.composite
def edited(draw, found):
    """Return `found` after a few edits: records removed or added, facts changed."""
    after = dict(found)
    for (section, key), old in found.items():
        match draw(st.sampled_from(["keep", "keep", "drop", "change", "replace"])):
            case "drop":
                del after[section, key]
            case "change":
                after[section, key] = {**old, **draw(facts)}
            case "replace":
                after[section, key] = draw(facts)
    return {**draw(record_maps()), **after}


def as_lock(found):
    return Lock.of(Record(section, key, facts) for (section, key), facts in found.items())


@st.composite
def lock_pairs(draw):
    found = draw(record_maps())
    return as_lock(found), as_lock(draw(edited(found)))


paths = st.sampled_from(
    ["/", "/etc", "/etc/a", "/etc/x", "/etc-a", "/opt", "/opt/x", "/opt/x/y", "/opt/x/\udcff"]
)


@st.composite
def rows(draw, path):
    kind = draw(st.sampled_from([*EntryType]))
    entry = Entry(
        path,
        kind,
        mode=draw(st.sampled_from([0o644, 0o755, 0o4755])),
        uid=draw(st.sampled_from([0, 1])),
        mtime=draw(st.sampled_from([1, 2])),
        size=draw(st.sampled_from([0, 1])) if kind is EntryType.FILE else 0,
        sha256=draw(st.sampled_from(["", "a" * 64, "b" * 64])) if kind is EntryType.FILE else "",
        target=draw(st.sampled_from(["x", "y"])) if kind is EntryType.SYMLINK else "",
        device=(1, draw(st.sampled_from([3, 5]))) if kind is EntryType.CHAR else None,
        xattrs=draw(st.sampled_from([(), (("security.capability", b"\1"),)])),
    )
    owner = draw(st.sampled_from(["", "deb libc6:amd64", "rpm b"]))  # keys of `names`
    return Row(entry, draw(st.sampled_from([*FileClass])), owner)


@st.composite
def trees(draw):
    return Tree.of([draw(rows(path)) for path in draw(st.sets(paths))])


@st.composite
def tree_pairs(draw):
    """Return two trees; the second is made from the first by edits, most of a single field."""
    left = draw(trees())
    right = {row.entry.path: row for row in draw(trees()).rows if draw(st.booleans())}
    for row in left.rows:
        other = draw(rows(row.entry.path))
        match draw(st.sampled_from(["keep", "keep", "drop", "field", "class", "owner", "other"])):
            case "keep":
                right[row.entry.path] = row
            case "drop":
                right.pop(row.entry.path, None)
            case "field":
                field = draw(st.sampled_from(["mode", "uid", "mtime", "size", "sha256", "device"]))
                entry = row.entry._replace(**{field: getattr(other.entry, field)})
                right[row.entry.path] = row._replace(entry=entry)
            case "class":
                right[row.entry.path] = row._replace(file_class=other.file_class)
            case "owner":
                changed = row.entry._replace(uid=1 - row.entry.uid)
                right[row.entry.path] = row._replace(owner=other.owner, entry=changed)
            case "other":
                right[row.entry.path] = other
    return left, Tree.of(right.values())


def with_tree(lock, tree):
    record = Record("tree", "", {"content": tree.content_digest()})
    return Lock.of([*lock.records(), record])


def facts_of(report):
    return {
        (c.section, c.key, c.field, c.kind, c.left, c.right, c.relation, c.explained_by)
        for c in report.changes
    }


MIRRORED_KIND = {
    ChangeKind.ADDED: ChangeKind.REMOVED,
    ChangeKind.REMOVED: ChangeKind.ADDED,
    ChangeKind.CHANGED: ChangeKind.CHANGED,
    ChangeKind.UNKNOWN: ChangeKind.UNKNOWN,
}
MIRRORED_RELATION = {
    Relation.NEWER: Relation.OLDER,
    Relation.OLDER: Relation.NEWER,
    Relation.DIFFERS: Relation.DIFFERS,
}


def mirrored(report):
    return {
        (section, key, field, MIRRORED_KIND[kind], right, left, MIRRORED_RELATION[relation], by)
        for section, key, field, kind, left, right, relation, by in facts_of(report)
    }


def identity(lock):
    process = lock.sections.get("process")
    return digests(lock), process and section_digest("process", process)


def differ_in_provenance(left, right):
    """True for the one exception in ADR 0003: both sides have a provenance, and they differ."""
    return any(
        {left.get(s, k).get("sha256"), right.get(s, k).get("sha256")}.isdisjoint({None})
        and left.get(s, k)["sha256"] != right.get(s, k)["sha256"]
        for s in ("deb", "python")
        for k in left.sections.get(s, {})
    )


@QUIET
@given(lock_pairs(), tree_pairs())
def test_nothing_differs_from_itself(locks, pair):
    lock, tree = with_tree(locks[0], pair[0]), pair[0]
    for shown in (False, True):
        report = compare(lock, lock, left_tree=tree, right_tree=tree, options=Options(all=shown))
        assert (report.result, report.changes, report.hidden) == (Result.EQUAL, (), {})
        assert report.parity == 100.0


@QUIET
@given(lock_pairs(), tree_pairs(), st.booleans())
def test_the_diff_is_a_mirror(locks, pair, everything):
    (a, b), (x, y) = map(with_tree, locks, pair), pair
    options = Options(all=everything)
    forth = compare(a, b, left_tree=x, right_tree=y, options=options)
    back = compare(b, a, left_tree=y, right_tree=x, options=options)
    assert facts_of(forth) == mirrored(back)
    assert (forth.result, forth.parity) == (back.result, back.parity)
    assert sum(forth.hidden.values()) == sum(back.hidden.values())


@QUIET
@given(lock_pairs())
def test_equal_digests_if_and_only_if_no_drift(locks):
    left, right = locks
    report = compare(left, right)
    expected = identity(left) == identity(right) and not differ_in_provenance(left, right)
    assert (report.result is Result.EQUAL) == expected
    assert (not report.changes) == expected
    assert (report.parity == 100.0) == expected


@QUIET
@given(tree_pairs())
def test_equal_trees_if_and_only_if_no_drift(pair):
    left, right = pair
    a, b = (with_tree(Lock.of([]), tree) for tree in pair)
    report = compare(a, b, left_tree=left, right_tree=right)
    secret = {row.entry.path for tree in pair for row in tree.rows if row.file_class == "secret"}
    found = [change for change in report.changes if change.key not in secret]
    # The presence of a secret file is compared, and in no digest.
    if not secret:
        assert (not found) == (left.content_digest() == right.content_digest())
    assert not [change for change in report.changes if change.section == "tree"]


@QUIET
@given(tree_pairs())
def test_every_differing_path_is_reported_or_below_one_that_is(pair):
    left, right = pair
    a, b = (with_tree(Lock.of([]), tree) for tree in pair)
    told = {c.key for c in compare(a, b, left_tree=left, right_tree=right).changes}
    significant = [
        {row.entry.path: row.entry for row in tree.rows if row.file_class.is_significant}
        for tree in pair
    ]
    for path in significant[0].keys() ^ significant[1].keys():
        parents = {path[:end] for end in range(1, len(path) + 1)}
        assert parents & told


@QUIET
@given(lock_pairs(), tree_pairs(), st.booleans(), st.booleans())
def test_every_report_can_be_rendered_whatever_text_was_captured(locks, pair, ascii_only, full):
    (a, b), (x, y) = map(with_tree, locks, pair), pair
    report = compare(a, b, left_tree=x, right_tree=y, options=Options(right_name="p\x1b\nrod"))
    text = render_text(PairInput(report, Canvas(ascii=ascii_only), full=full))
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.isascii() or not ascii_only
    parsed = json.loads(render_json(PairInput(report)).encode("ascii"))
    assert [c["id"] for c in parsed["changes"]] == [c.id for c in report.changes]
    assert len({(c.section, c.key, c.field) for c in report.changes}) == len(report.changes)


@QUIET
@given(lock_pairs())
def test_the_order_of_records_does_not_matter(locks):
    left, right = locks
    shuffled = dataclasses.replace(
        right,
        sections={
            name: dict(reversed(entries.items()))
            for name, entries in reversed(list(right.sections.items()))
        },
    )
    assert compare(left, right) == compare(left, shuffled)
