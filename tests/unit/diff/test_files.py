"""Trees are compared path by path: every field, noise counted, files of packages folded."""

import pytest

from envlock.diff.drift import ChangeKind, Result
from envlock.diff.engine import Options, compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

F, D, L = EntryType.FILE, EntryType.DIRECTORY, EntryType.SYMLINK
ACCESS = bytes.fromhex("02000000 01000700ffffffff 02000600 21000000")
SHA = {name: name * 64 for name in "abc"}


def row(path, kind=F, cls=FileClass.UNOWNED, owner="", **facts):
    return Row(Entry(path, kind, **{"mode": 0o644, **facts}), cls, owner)


def environment(*rows, records=(), coverage=None):
    tree = Tree.of(rows)
    content = Record("tree", "", {"content": tree.content_digest()})
    return Lock.of([*map(lambda r: Record(*r), records), content], coverage), tree  # noqa: C417


def diff(left, right, **options):
    return compare(
        left[0], right[0], left_tree=left[1], right_tree=right[1], options=Options(**options)
    )


def summaries(report):
    return [(c.key, c.field, c.kind.value, c.left, c.right) for c in report.changes]


@pytest.mark.parametrize(
    ("left", "right", "field", "values"),
    [
        ({"mode": 0o755}, {"mode": 0o4755}, "mode", ("0755", "4755")),
        ({"uid": 0, "gid": 1}, {"uid": 2, "gid": 1}, "owner", ("0:1", "2:1")),
        ({"sha256": SHA["a"]}, {"sha256": SHA["b"]}, "sha256", (SHA["a"], SHA["b"])),
        ({"kind": L, "target": "a"}, {"kind": L, "target": "b"}, "target", ("a", "b")),
        ({"kind": L, "target": "a"}, {"kind": D}, "type", ("symlink", "directory")),
        (
            {"kind": EntryType.CHAR, "device": (1, 3)},
            {"kind": EntryType.CHAR, "device": (1, 5)},
            "device",
            ("1:3", "1:5"),
        ),
        ({}, {"xattrs": (("security.capability", b"\1"),)}, "capability",
         (None, "0x01")),
        ({}, {"xattrs": (("system.posix_acl_access", ACCESS),)}, "acl",
         (None, "user::rwx,user:33:rw-")),
        ({"xattrs": (("user.note", b"one"),)}, {"xattrs": (("user.note", b"two"),)}, "user.note",
         ("one", "two")),
        ({"size": 1}, {"size": 2}, "size", ("1", "2")),
    ],
)  # fmt: skip
def test_every_field_is_compared(left, right, field, values):
    report = diff(environment(row("/x", **left)), environment(row("/x", **right)))
    assert [(c.key, c.field, c.left, c.right) for c in report.changes] == [("/x", field, *values)]
    assert report.result is Result.DRIFT


def test_times_and_sources_are_not_compared():
    a = environment(row("/x", mtime=1, sha256=SHA["a"]))
    b = environment(row("/x", mtime=2, sha256=SHA["a"])._replace(source="observed"))
    assert diff(a, b).changes == ()


@pytest.mark.parametrize(
    "noise",
    [c for c in FileClass if not c.is_significant and c is not FileClass.SECRET],
    ids=lambda c: c.value,
)
def test_noise_is_counted_and_shown_only_on_demand(noise):
    a = environment(row("/x", cls=noise, mode=0o600), row("/gone", cls=noise))
    b = environment(row("/x", cls=noise, mode=0o644))
    report = diff(a, b)
    assert (report.changes, report.hidden, report.result) == ((), {noise.value: 2}, Result.EQUAL)
    shown = diff(a, b, all=True)
    assert {(c.key, c.rule) for c in shown.changes} == {
        ("/x", "FILE-NOISE"),
        ("/gone", "FILE-NOISE"),
    }


def test_presence_and_mode_of_a_secret_file_are_no_secret():
    def key(path, **rest):
        return row(path, cls=FileClass.SECRET, **rest)

    a = environment(key("/x", mode=0o600), key("/gone"), row("/app", D), key("/app/.env"))
    b = environment(key("/x", mode=0o644))
    report = diff(a, b)
    assert {(c.key, c.field, c.rule, c.severity.value) for c in report.changes} == {
        ("/x", "mode", "FILE-MODE", "medium"),
        ("/gone", "", "FILE-CREDENTIALS-MISSING", "high"),
        ("/app", "", "FILE-MISSING", "medium"),
        ("/app/.env", "", "FILE-CREDENTIALS-MISSING", "high"),
    }
    assert {c.rule for c in diff(b, a).changes if not c.field} == {
        "FILE-CREDENTIALS-EXTRA",
        "FILE-EXTRA",
    }


def test_the_content_of_secret_files_is_counted_and_unknown_on_demand():
    a, b = (environment(row("/x", cls=FileClass.SECRET, mtime=time)) for time in (1, 2))
    report = diff(a, b)
    assert (report.result, report.files_by_presence) == (Result.EQUAL, 1)
    shown = diff(a, b, all=True)
    assert shown.result is Result.INCONCLUSIVE
    assert [(c.key, c.kind.value) for c in shown.changes] == [("/x", "unknown")]
    assert diff(a, a, all=True).result is Result.EQUAL


def test_a_path_that_becomes_noise_is_a_change():
    a, b = environment(row("/x")), environment(row("/x", cls=FileClass.STATE))
    assert a[0] != b[0]
    assert summaries(diff(a, b)) == [("/x", "class", "changed", "unowned", "state")]


def test_a_directory_folds_to_one_change_with_its_count():
    below = [row(f"/opt/app/{name}") for name in ("a", "b\nc", "d\udcff")]
    app = [row("/opt/app", D, mode=0o755), row("/opt/app/lib", D), row("/opt/app/lib/x")]
    beside = row("/opt/app-data")
    a, b = environment(row("/opt", D)), environment(row("/opt", D), *app, *below, beside)
    assert summaries(diff(a, b)) == [
        ("/opt/app", "", "added", None, "directory 0755 0:0, 5 entries below"),
        ("/opt/app-data", "", "added", None, "file 0644 0:0"),
    ]
    assert summaries(diff(b, a))[0] == (
        "/opt/app", "", "removed", "directory 0755 0:0, 5 entries below", None
    )  # fmt: skip


def test_a_set_id_program_is_not_folded_into_a_new_directory():
    a = environment()
    b = environment(row("/opt", D), row("/opt/su", mode=0o4755), row("/opt/x"))
    found = {c.key: c.rule for c in diff(a, b).changes}
    assert found == {"/opt": "FILE-EXTRA", "/opt/su": "FILE-PRIVILEGED"}


OWNED = {"cls": FileClass.PACKAGE, "owner": "deb curl:amd64"}


class TestPackages:
    def curl(self, version, *rows):
        record = ("deb", "curl:amd64", {"version": version})
        return environment(*rows, records=[record])

    def test_files_of_an_upgraded_package_fold_under_it(self):
        a = self.curl("1", row("/c", sha256=SHA["a"], **OWNED), row("/old", **OWNED))
        b = self.curl("2", row("/c", sha256=SHA["b"], **OWNED))
        report = diff(a, b)
        assert [(c.section, c.key, c.explained_by) for c in report.changes] == [
            ("deb", "curl:amd64", ""),
            ("file", "/c", "deb curl:amd64"),
            ("file", "/old", "deb curl:amd64"),
        ]
        assert sum(report.summary.values()) == 1

    def test_files_of_a_removed_package_fold_under_it(self):
        a = self.curl("1", row("/d", D, **OWNED), row("/d/c", **OWNED))
        report = diff(a, environment())
        assert [(c.key, c.explained_by) for c in report.changes] == [
            ("curl:amd64", ""),
            ("/d", "deb curl:amd64"),
        ]
        assert report.changes[1].left == "directory 0644 0:0, 1 entry below"

    def test_an_edited_file_is_not_explained(self):
        edited = {"cls": FileClass.CONFFILE_MODIFIED, "owner": "deb curl:amd64"}
        a = self.curl("1", row("/etc/c", sha256=SHA["a"], **OWNED))
        b = self.curl("2", row("/etc/c", sha256=SHA["b"], **edited))
        assert [(c.key, c.explained_by) for c in diff(a, b).changes] == [
            ("curl:amd64", ""),
            ("/etc/c", ""),
        ]

    @pytest.mark.parametrize("mode", [0o4755, 0o2755])
    def test_new_privileges_are_not_explained(self, mode):
        a = self.curl("1", row("/bin/c", mode=0o755, **OWNED))
        b = self.curl("2", row("/bin/c", mode=mode, **OWNED))
        change = diff(a, b).changes[1]
        assert (change.field, change.explained_by, change.rule) == ("mode", "", "FILE-PRIVILEGE")

    def test_the_explanation_of_a_file_that_moves_between_packages_is_symmetric(self):
        one, two = ({**OWNED, "owner": f"deb {name}"} for name in ("a", "b"))
        old = [("deb", name, {"version": "1"}) for name in "ab"]
        new = [("deb", name, {"version": "2"}) for name in "ab"]
        left = environment(row("/c", sha256=SHA["a"], **one), records=old)
        right = environment(row("/c", sha256=SHA["b"], **two), records=new)
        forth, back = diff(left, right), diff(right, left)
        assert [c.explained_by for c in forth.changes] == ["", "", "deb a"]
        assert [c.explained_by for c in back.changes] == ["", "", "deb a"]

    def test_an_unchanged_package_explains_nothing(self):
        a = self.curl("1", row("/c", **OWNED))
        change = diff(a, self.curl("1")).changes[0]
        assert (change.rule, change.explained_by) == ("FILE-PACKAGE-GONE", "")

    def test_ignoring_the_package_ignores_its_files(self):
        a = self.curl("1", row("/c", sha256=SHA["a"], **OWNED), row("/x"))
        b = self.curl("2", row("/c", sha256=SHA["b"], **OWNED))
        report = diff(a, b, ignore=("deb:curl*",))
        assert [c.key for c in report.changes] == ["/x"]
        assert report.hidden == {"ignored": 2}


def test_the_comparison_of_the_trees_replaces_that_of_the_records():
    old = row("/etc/c", cls=FileClass.CONFFILE, sha256=SHA["a"])
    new = row("/etc/c", cls=FileClass.CONFFILE_MODIFIED, sha256=SHA["b"])
    record = ("file", "/etc/c", {"class": "conffile-modified", "mode": "0644", "sha256": SHA["b"]})
    report = diff(environment(old), environment(new, records=[record]))
    assert summaries(report) == [("/etc/c", "sha256", "changed", SHA["a"], SHA["b"])]


def test_the_record_of_a_declared_noisy_path_stays():
    records = [[("file", "/var/log/x", {"sha256": SHA[name]})] for name in "ab"]
    noisy = row("/var/log/x", cls=FileClass.LOG)
    report = diff(*(environment(noisy, records=found) for found in records))
    assert [(c.key, c.field) for c in report.changes] == [("/var/log/x", "sha256")]


def test_paths_below_an_unreadable_directory_are_unknown():
    a = environment(
        row("/srv", D), row("/srv/x"), row("/y", sha256=SHA["a"]), coverage={"tree": WHOLE}
    )
    b = environment(row("/srv", D), row("/y"), coverage={"tree": PARTLY})
    found = diff(a, b)
    assert [(c.key, c.kind) for c in found.changes] == [
        ("/srv/x", ChangeKind.UNKNOWN),
        ("/y", ChangeKind.UNKNOWN),
    ]
    assert found.result is Result.INCONCLUSIVE


WHOLE, PARTLY = {"status": "ok"}, {"status": "partial", "gaps": "1", "reason": "/srv: denied"}


@pytest.mark.parametrize("more", [{}, {"ignored": "1"}])
def test_a_path_missing_from_a_listed_directory_is_removed(more):
    """A gap at another path hides nothing, unless the user excluded paths."""
    rows = (row("/srv", D), row("/etc", D), row("/etc/x"))
    added = (row("/etc/y"), row("/opt", D), row("/opt/z"), row("/srv/w"))
    a = environment(*rows, coverage={"tree": PARTLY | more})
    b = environment(*rows, *added, coverage={"tree": WHOLE})
    kinds = {c.key: c.kind for c in diff(a, b).changes}
    known = ChangeKind.UNKNOWN if more else ChangeKind.ADDED
    assert kinds == {"/etc/y": known, "/opt": known, "/srv/w": ChangeKind.UNKNOWN}
    back = {c.key: c.kind for c in diff(b, a).changes}
    assert back["/etc/y"] is (ChangeKind.UNKNOWN if more else ChangeKind.REMOVED)


class TestSettings:
    def files(self, before, after, path="/etc/app.json", **options):
        store = {SHA["a"]: before, SHA["b"]: after}
        a, b = (environment(row(path, sha256=SHA[name])) for name in "ab")
        return diff(a, b, contents=store.get, redact=lambda _name, value: value, **options)

    def test_a_changed_file_is_explained_by_key(self):
        report = self.files(b'{"a": 1, "b": {"c": 2}}', b'{"a": 1, "b": {"c": 3}}')
        assert [(c.field, c.left, c.right, c.explained_by) for c in report.changes] == [
            ("content:b.c", "2", "3", "file /etc/app.json"),
            ("sha256", SHA["a"], SHA["b"], ""),
        ]
        assert sum(report.summary.values()) == 1

    def test_a_change_of_layout_alone_is_info(self):
        report = self.files(b'{"a": 1}', b'{ "a": 1 }')
        assert [(c.field, c.rule) for c in report.changes] == [("sha256", "FILE-COMMENTS")]

    def test_without_the_content_only_the_digest_is_shown(self):
        assert len(self.files(None, b"{}").changes) == 1

    def test_ignoring_its_last_setting_ignores_the_file(self):
        report = self.files(b'{"a": 1}', b'{"a": 2}', ignore=("file:/etc/app.json:content:a",))
        assert (report.changes, report.hidden) == ((), {"ignored": 2})
        kept = self.files(
            b'{"a": 1, "b": 1}', b'{"a": 2, "b": 2}', ignore=("file:/etc/app.json:content:a",)
        )
        assert [c.field for c in kept.changes] == ["content:b", "sha256"]

    def test_values_are_concealed_by_default(self):
        store = {SHA["a"]: b"password=one", SHA["b"]: b"password=two"}
        a, b = (environment(row("/etc/c", sha256=SHA[name])) for name in "ab")
        report = diff(a, b, contents=store.get)
        assert [c.left for c in report.changes if c.field != "sha256"] == ["(not shown)"]
