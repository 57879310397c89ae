"""Every target records the same extended attributes."""

import os

import pytest

from envlock.targets import attributes
from envlock.targets.local.walk_worker import read_xattrs
from envlock.targets.remote import ssh_remote
from tests.conftest import unavailable

LIST = bytes.fromhex(
    "02000000 01000700ffffffff 02000700 21000000 04000500ffffffff 10000700ffffffff 20000500ffffffff"
)


def test_the_program_for_other_machines_has_the_same_table():
    assert (ssh_remote.PREFIXES, ssh_remote.LEFT_OUT) == (attributes.PREFIXES, attributes.LEFT_OUT)


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("security.capability", True),
        ("system.posix_acl_access", True),
        ("system.posix_acl_default", True),
        ("trusted.note", True),
        ("user.note", True),
        ("security.selinux", False),
        ("trusted.overlay.opaque", False),
        ("system.nfs4_acl", False),
    ],
)
def test_labels_of_a_machine_are_left_out(name, recorded):
    assert attributes.is_recorded(name) is recorded


def test_access_lists_are_read_from_files_and_folders(tmp_path):
    try:
        os.setxattr(tmp_path, "system.posix_acl_access", LIST)
        os.setxattr(tmp_path, "user.note", b"x")
    except OSError as error:
        unavailable("mounts", f"the file system keeps no access lists: {error}")
    found = dict(read_xattrs(str(tmp_path)))
    assert found == {"system.posix_acl_access": LIST, "user.note": b"x"}
