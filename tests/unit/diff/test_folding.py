"""What is new below a directory is told in one line, but for what decides."""

from envlock.diff.engine import Options, compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

F, D = EntryType.FILE, EntryType.DIRECTORY
STATE = FileClass.STATE


def row(path, kind=F, cls=FileClass.UNOWNED, mode=0o644):
    return Row(Entry(path, kind, mode), cls)


def changes(*rows, **options):
    trees = Tree.of(rows), Tree.of(())
    locks = [Lock.of([Record("tree", "", {"content": tree.content_digest()})]) for tree in trees]
    report = compare(*locks, left_tree=trees[0], right_tree=trees[1], options=Options(**options))
    return {change.key: change.left for change in report.changes}, report.hidden


def test_what_decides_has_a_line_of_its_own():
    found, _ = changes(
        row("/etc/sysctl.d", D),
        row("/etc/sysctl.d/99-x.conf"),
        row("/home/ada", D),
        row("/home/ada/.ssh", D),
        row("/home/ada/.ssh/authorized_keys"),
        row("/home/ada/notes"),
    )
    assert set(found) == {
        "/etc/sysctl.d",
        "/etc/sysctl.d/99-x.conf",
        "/home/ada",
        "/home/ada/.ssh/authorized_keys",
    }
    assert found["/home/ada"] == "directory 0644 0:0, 2 entries below"


def test_a_directory_of_many_settings_stays_short():
    found, _ = changes(row("/etc/apt", D), *(row(f"/etc/apt/{n:02}") for n in range(40)))
    assert found["/etc/apt"] == "directory 0644 0:0, 20 entries below, among them 20, 21, 22"
    assert len(found) == 21


def test_programs_and_settings_are_named():
    found, _ = changes(
        row("/opt/app", D),
        row("/opt/app/README"),
        row("/opt/app/app.yml"),
        row("/opt/app/bin", D),
        row("/opt/app/bin/tool", mode=0o755),
    )
    text = "directory 0644 0:0, 4 entries below, among them bin/tool, app.yml"
    assert found == {"/opt/app": text}


def test_a_quiet_directory_stands_for_the_significant_files_in_it():
    found, hidden = changes(
        row("/var/lib/x", D, STATE),
        row("/var/lib/x/plugins", D, STATE),
        row("/var/lib/x/plugins/a.jar"),
        row("/var/lib/x/plugins/b.jar"),
        row("/var/lib/x/db", cls=STATE),
        row("/var/lib/y", D, STATE),
        row("/var/lib/y/y.conf"),
        row("/var/lib/z", D, STATE),
    )
    text = "directory 0644 0:0, 2 entries below, among them a.jar, b.jar"
    assert found == {"/var/lib/x/plugins": text, "/var/lib/y/y.conf": "file 0644 0:0"}
    assert hidden == {"state": 4}
