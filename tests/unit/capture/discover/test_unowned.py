"""Discovery of software without an owner, and what is reported together."""

import pytest

from envlock.capture.context import Context
from envlock.capture.discover.unowned import find_unowned_software, is_software_location
from envlock.model.tree import Entry, EntryType


class Names:
    """A target that only lists directories."""

    def __init__(self, paths):
        self.paths = paths

    def names(self, folder):
        return [p.rpartition("/")[2] for p in self.paths if p.rpartition("/")[0] == folder]


def reported(*paths, owned=(), mode=0o755):
    index = {path: Entry(path, EntryType.FILE, mode) for path in (*paths, *owned)}
    context = Context(Names(index), index, owner=lambda path: "deb x" if path in owned else "")
    return [(found.reported_as, found.is_tree) for found in find_unowned_software(context)]


@pytest.mark.parametrize(
    ("path", "reported_as", "is_tree"),
    [
        ("/usr/local/bin/a", "/usr/local/bin/a", False),
        ("/usr/local/lib/liba.so.1", "/usr/local/lib/liba.so.1", False),
        ("/usr/local/lib/app/bin/a", "/usr/local/lib/app", True),
        ("/usr/local/go/bin/go", "/usr/local/go", True),
        ("/opt/single", "/opt/single", False),
        ("/opt/app/deep/down/a", "/opt/app", True),
        ("/srv/shop/run", "/srv/shop", True),
        ("/home/ada/.local/bin/a", "~/.local/bin/a", False),
        ("/root/.cargo/bin/a", "~/.cargo/bin/a", False),
    ],
)
def test_the_path_it_is_reported_under(path, reported_as, is_tree):
    assert reported(path) == [(reported_as, is_tree)]
    assert is_software_location(path)


@pytest.mark.parametrize("path", ["/home/ada/work/a", "/var/lib/x/a", "/etc/init.d/a", "/tmp/a"])
def test_other_directories_are_not_searched(path):
    assert reported(path) == []
    assert not is_software_location(path)


def test_owned_files_are_left_out():
    assert reported(owned=("/opt/app/a", "/usr/local/bin/a")) == []


def test_a_program_among_packaged_ones_is_found():
    assert reported("/usr/bin/a", owned=("/usr/bin/b",)) == [("/usr/bin/a", False)]
    assert reported("/usr/bin/a", "/usr/bin/b") == [], "no package database says who owns them"


def test_home_directories_are_anonymous():
    assert reported("/home/zoe/bin/a", "/home/ada/bin/a") == [
        ("~/bin/a", False),
        ("~2/bin/a", False),
    ]


def test_data_files_are_not_software():
    assert reported("/opt/app/readme.txt", "/srv/x/data.bin", mode=0o644) == []
    assert reported("/opt/app/lib.jar", "/opt/x.tar.gz", mode=0o644) == [
        ("/opt/app", True),
        ("/opt/x.tar.gz", False),
    ]
