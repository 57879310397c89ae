"""Which rows an image has, with which metadata and times."""

from __future__ import annotations

import hashlib

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.kinds.wheel import FILE_TIME
from envlock.materialize.tree.derive import derive_gshadow, derive_shadow
from envlock.materialize.tree.normalise import (
    IMAGE_LOCK_PATH,
    image_epoch,
    normalise,
    with_lock,
)
from envlock.materialize.tree.rules import RULES, Action, explain, user_rule
from envlock.model.tree import SIGNIFICANT, Entry, EntryType, FileClass, Row, Tree

EPOCH = 1_700_000_000
FILE, DIRECTORY, LINK = EntryType.FILE, EntryType.DIRECTORY, EntryType.HARDLINK


def row(path, kind=FILE, file_class=FileClass.UNOWNED, *, source=None, owner="", **fields):
    if source is None:
        source = "blob 00" if kind is FILE else ""
    entry = Entry(path, kind, **{"mode": 0o644, "mtime": 1000, **fields})
    return Row(entry, file_class, owner, source)


def unread(_row):
    raise AssertionError("no content is needed")


def apply(*rows, read=unread, epoch=EPOCH, rules=(), flatten=False):
    tree = Tree.of(rows)
    return normalise(tree, epoch=epoch, read=read, user_rules=rules, flatten=flatten)


def paths(normalised):
    return [row.entry.path for row in normalised.rows]


@pytest.mark.parametrize(
    ("path", "kind", "file_class", "rule"),
    [
        ("/proc/1", DIRECTORY, FileClass.STATE, "kernel-file-systems"),
        ("/dev/sda", EntryType.BLOCK, FileClass.STATE, "kernel-file-systems"),
        ("/run/utmp", FILE, FileClass.STATE, "runtime-files"),
        ("/tmp/x", DIRECTORY, FileClass.CACHE, "temporary-files"),
        ("/var/lib/dbus/machine-id", FILE, FileClass.IDENTITY, "dbus-machine-id"),
        ("/etc/hostname", FILE, FileClass.IDENTITY, "host-names"),
        ("/etc/resolv.conf", EntryType.SYMLINK, FileClass.STATE, "host-names"),
        ("/etc/ssh/ssh_host_rsa_key", FILE, FileClass.IDENTITY, "ssh-host-keys"),
        ("/etc/ssl/private/ssl-cert-snakeoil.key", FILE, FileClass.IDENTITY, "snakeoil"),
        ("/etc/passwd-", FILE, FileClass.GENERATED, "account-backups"),
        ("/etc/shadow-", FILE, FileClass.SECRET, "account-backups"),
        ("/var/cache/debconf/passwords.dat", FILE, FileClass.SECRET, "debconf-passwords"),
        ("/var/log/dpkg.log", FILE, FileClass.LOG, "logs"),
        ("/usr/lib/python3/x/__pycache__", DIRECTORY, FileClass.CACHE, "python-bytecode"),
        ("/root/.cache/pip/x", FILE, FileClass.CACHE, "home-caches"),
        ("/var/lib/apt/lists/x_InRelease", FILE, FileClass.CACHE, "apt-lists"),
        ("/var/cache/apt/pkgcache.bin", FILE, FileClass.CACHE, "apt-lists"),
        ("/var/cache/ldconfig/aux-cache", FILE, FileClass.CACHE, "system-caches"),
        ("/var/cache/man/de/index.db", FILE, FileClass.CACHE, "system-caches"),
        ("/var/lib/dpkg/status-old", FILE, FileClass.GENERATED, "dpkg-runtime"),
        ("/var/lib/dpkg/lock-frontend", FILE, FileClass.GENERATED, "dpkg-runtime"),
        ("/var/lib/systemd/random-seed", FILE, FileClass.STATE, "systemd-state"),
        ("/etc/.pwd.lock", FILE, FileClass.GENERATED, "etc-runtime"),
        ("/root/.bash_history", FILE, FileClass.STATE, "shell-history"),
        ("/srv/app/token", FILE, FileClass.SECRET, "secrets"),
        ("/var/lib/app/socket", EntryType.SOCKET, FileClass.STATE, "sockets"),
        ("/srv/app/socket", EntryType.SOCKET, FileClass.UNOWNED, "sockets"),
        ("/srv/.wh.deleted", FILE, FileClass.UNOWNED, "whiteout-names"),
        ("/", DIRECTORY, FileClass.GENERATED, "root-directory"),
    ],
)
def test_dropped(path, kind, file_class, rule):
    result = apply(row(path, kind, file_class))
    assert result.rows == ()
    assert {path: dropped.id for path, dropped in result.dropped.items()} == {path: rule}


@pytest.mark.parametrize(
    ("path", "kind", "file_class"),
    [
        ("/var/log/nginx", DIRECTORY, FileClass.LOG),
        ("/run/lock", DIRECTORY, FileClass.STATE),
        ("/var/cache/apt/archives/partial", DIRECTORY, FileClass.CACHE),
        ("/etc/ld.so.cache", FILE, FileClass.GENERATED),
        ("/var/lib/dpkg/status", FILE, FileClass.GENERATED),
        ("/var/lib/dbus/machine-id", EntryType.SYMLINK, FileClass.IDENTITY),
        ("/etc/hostname", FILE, FileClass.PACKAGE),
        ("/var/log/readme", FILE, FileClass.PACKAGE),
        ("/etc/rc.local", FILE, FileClass.UNOWNED),
        ("/var/lib/app/data", FILE, FileClass.STATE),
    ],
)
def test_kept(path, kind, file_class):
    result = apply(row(path, kind, file_class))
    assert paths(result) == [path]
    assert not result.dropped


def test_content_that_the_capture_did_not_keep_is_dropped_only_where_insignificant():
    result = apply(
        row("/opt/lost", source="observed"),
        row("/var/cache/app/index", FILE, FileClass.CACHE, source="observed"),
        row("/var/cache/app/packaged", FILE, FileClass.CACHE, source="deb app ./packaged"),
        row("/var/lib/app/large", FILE, FileClass.STATE, source="observed"),
    )
    assert paths(result) == ["/opt/lost", "/var/cache/app/packaged"]
    assert [rule.id for rule in result.warnings.values()] == ["large-state"]


def test_built_in_rules_drop_significant_files_only_when_no_image_can_hold_them():
    reaching = {rule.id for rule in RULES if rule.classes & SIGNIFICANT}
    assert reaching == {"root-directory", "sockets", "whiteout-names", "account-hashes"}
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_the_user_is_warned_about_secrets_but_not_about_logs():
    result = apply(row("/srv/key", FILE, FileClass.SECRET), row("/var/log/x", FILE, FileClass.LOG))
    assert list(result.warnings) == ["/srv/key"]


@pytest.mark.parametrize("path", ["/etc/machine-id", "/var/log/wtmp"])
def test_emptied(path):
    kind = FileClass.LOG if "log" in path else FileClass.IDENTITY
    result = apply(row(path, FILE, kind, source="observed", size=33, sha256="ff", mode=0o444))
    entry = result.rows[0].entry
    assert (entry.size, entry.sha256, entry.mode) == (0, hashlib.sha256().hexdigest(), 0o444)
    assert result.contents == {path: b""}


def test_account_files_are_generated_with_locked_accounts():
    held = {
        "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nweb:$6$salt$hash:33:33::/:/bin/false\n",
        "/etc/group": b"root:x:0:\nweb:x:33:root,web\n",
    }
    result = apply(
        row("/etc/group", FILE, FileClass.GENERATED),
        row("/etc/gshadow", FILE, FileClass.SECRET, source="observed", mode=0o640, gid=42),
        row("/etc/passwd", FILE, FileClass.GENERATED),
        row("/etc/shadow", FILE, FileClass.SECRET, source="observed", mode=0o640, gid=42),
        read=lambda row: held[row.entry.path],
    )
    day = EPOCH // 86_400
    shadow = f"root:*:{day}:0:99999:7:::\nweb:*:{day}:0:99999:7:::\n".encode()
    assert result.contents == {
        "/etc/shadow": shadow,
        "/etc/gshadow": b"root:*::\nweb:*::root,web\n",
        "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nweb:*:33:33::/:/bin/false\n",
    }
    made = next(row for row in result.rows if row.entry.path == "/etc/shadow")
    assert made.source == "derive shadow"
    assert (made.entry.mode, made.entry.gid, made.entry.size) == (0o640, 42, len(shadow))
    assert made.entry.sha256 == hashlib.sha256(shadow).hexdigest()
    assert not result.dropped


def test_hashes_in_old_account_files_are_locked_and_named():
    held = {
        "/etc/passwd": b"root:$6$s$h:0:0::/root:/bin/sh\nold:abJnggxhB/yWI:1:1:::\nweb:x:2:2:::\n"
        b"seen:***:3:3:::\nopen::4:4:::\nshut:*:5:5:::\nwhy:*LK*:6:6:::\nno:!$1$a$b123:7:7:::\n+::::::\n",
        "/etc/group": b"adm:$1$s$h:4:root\nweb:x:5:\n",
    }
    result = apply(
        row("/etc/group", FILE, FileClass.GENERATED, source="redacted " + "1" * 64),
        row("/etc/passwd", FILE, FileClass.GENERATED, source="blob " + "1" * 64),
        read=lambda row: held[row.entry.path],
    )
    assert result.contents == {
        "/etc/passwd": b"root:*:0:0::/root:/bin/sh\nold:*:1:1:::\nweb:x:2:2:::\n"
        b"seen:*:3:3:::\nopen::4:4:::\nshut:*:5:5:::\nwhy:*LK*:6:6:::\nno:*:7:7:::\n+::::::\n",
        "/etc/group": b"adm:*:4:root\nweb:x:5:\n",
    }
    assert result.locked == {"/etc/group": ("adm",), "/etc/passwd": ("root", "old", "seen", "no")}


def test_account_files_without_hashes_are_unchanged():
    held = {"/etc/passwd": b"root:x:0:0::/root:/bin/sh", "/etc/group": b"web:x:5:\nodd"}
    given = [
        row("/etc/group", FILE, FileClass.CONFFILE, source="rpm setup etc/group"),
        row("/etc/passwd", FILE, FileClass.GENERATED, source="blob " + "1" * 64),
    ]
    result = apply(*given, read=lambda row: held[row.entry.path])
    assert (result.contents, result.locked) == ({}, {})
    assert [r.source for r in result.rows] == [r.source for r in given]


def test_account_lines_that_name_no_account():
    passwd = b"+::::::\n-@bad\n\n#no\n:x:1\nroot:x:0:0:::\nroot:x:0:0:::\nodd"
    assert derive_shadow(passwd, 1) == b"root:*:1:0:99999:7:::\nodd:*:1:0:99999:7:::\n"
    assert derive_gshadow(b"short:x\n") == b"short:*::\n"


def test_directories_with_kept_entries_are_restored():
    result = apply(
        row("/tmp/a", DIRECTORY, FileClass.CACHE, mode=0o700),
        row("/tmp/a/b", DIRECTORY, FileClass.CACHE),
        row("/tmp/a/b/packaged", FILE, FileClass.PACKAGE),
        row("/tmp/a/c", DIRECTORY, FileClass.CACHE),
    )
    assert paths(result) == ["/tmp/a", "/tmp/a/b", "/tmp/a/b/packaged"]
    assert list(result.dropped) == ["/tmp/a/c"]


def test_a_hard_link_becomes_the_file_when_its_file_is_dropped():
    first = row(
        "/home/x/.cache/f",
        FILE,
        FileClass.CACHE,
        size=3,
        sha256="ab",
        source="deb x ./f",
        xattrs=(("user.a", b"1"),),
        mode=0o600,
    )
    links = [row(path, LINK, target="/home/x/.cache/f") for path in ("/opt/b", "/opt/c")]
    result = apply(first, *links)
    heir, link = result.rows
    assert heir.entry == first.entry._replace(path="/opt/b")
    assert heir.source == "deb x ./f"
    assert (link.entry.type, link.entry.target) == (LINK, "/opt/b")
    assert (link.entry.mode, link.entry.xattrs) == (0o600, (("user.a", b"1"),))


def test_a_hard_link_repeats_the_attributes_of_its_file():
    file = row("/bin/ping", xattrs=(("security.capability", b"\1"),), mode=0o755, uid=7)
    result = apply(file, row("/bin/ping6", LINK, target="/bin/ping"))
    link = result.rows[1].entry
    assert (link.xattrs, link.mode, link.uid) == (file.entry.xattrs, 0o755, 7)


def test_hard_links_to_a_secret_are_dropped_too():
    secret = row("/opt/a", FILE, FileClass.SECRET, source="observed")
    result = apply(secret, row("/opt/b", LINK, target="/opt/a"))
    assert result.rows == ()
    assert {rule.id for rule in result.dropped.values()} == {"secrets"}


def test_insignificant_hard_links_to_content_that_was_not_kept_are_dropped_too():
    file = row("/var/cache/a", FILE, FileClass.CACHE, source="observed")
    noise = row("/var/cache/b", LINK, FileClass.CACHE, target="/var/cache/a")
    wanted = row("/var/www/c", LINK, target="/var/cache/a")
    result = apply(file, noise, wanted)
    assert paths(result) == ["/var/www/c"]
    assert result.rows[0].source == "observed"  # the plan reports it as a blocker


@pytest.mark.parametrize(("flatten", "newest"), [(True, EPOCH), (False, EPOCH + 1)])
def test_times_are_kept_or_flattened_and_folders_do_not_depend_on_the_installation(flatten, newest):
    result = apply(
        row("/a", DIRECTORY, mtime=EPOCH + 9),
        row("/a/deb", DIRECTORY, FileClass.PACKAGE, owner="deb x", mtime=EPOCH + 9),
        row("/a/deb/old", FILE, FileClass.PACKAGE, owner="deb x", source="deb x ./old", mtime=77),
        row("/a/deb/var", DIRECTORY, FileClass.PACKAGE, owner="deb x", mtime=EPOCH + 9),
        row("/a/future", mtime=EPOCH + 1),
        row("/a/none", DIRECTORY, mtime=5),
        row("/a/past", mtime=-5),
        row("/a/wheel", owner="python y", source="wheel y y.py", mtime=EPOCH - 5),
        flatten=flatten,
    )
    assert {row.entry.path: row.entry.mtime for row in result.rows} == {
        "/a": newest,
        "/a/deb": 77,
        "/a/deb/old": 77,
        "/a/deb/var": 77,
        "/a/future": newest,
        "/a/none": EPOCH,
        "/a/past": 0,
        "/a/wheel": FILE_TIME,
    }


def test_the_epoch_is_the_newest_time_of_a_packaged_file():
    rows = [row("/a", source="deb x ./a", mtime=50), row("/b", mtime=90)]
    assert image_epoch(Tree.of(rows)) == 50
    noise = row("/var/log/x", FILE, FileClass.LOG, mtime=99)
    assert image_epoch(Tree.of([rows[1], noise, row("/c", DIRECTORY, mtime=99)])) == 90
    assert image_epoch(Tree.of([])) == 0
    assert image_epoch(Tree.of([row("/a", source="deb x ./a", mtime=10**15)])) == 253_402_300_799


def test_user_rules_come_first():
    result = apply(
        row("/opt/app", DIRECTORY),
        row("/opt/app/big", DIRECTORY),
        row("/opt/app/big/file"),
        row("/opt/app/code"),
        row("/var/log/audit", FILE, FileClass.LOG),
        rules=(user_rule("/opt/app/big"), user_rule("/var/log/audit", Action.KEEP)),
    )
    assert paths(result) == ["/opt/app", "/opt/app/code", "/var/log/audit"]
    assert result.dropped["/opt/app/big/file"].id == "user:/opt/app/big"


@pytest.mark.parametrize(
    "path", ["", "etc/passwd", "//etc", "/etc//x", "/a/../b", "/..", "/a/.", "/a/", "/a\0b"]
)
def test_hostile_paths_are_refused(path):
    with pytest.raises(MaterializeError, match="no file system has such a path"):
        apply(row(path))


@pytest.mark.parametrize("path", ["/...", "/.a", "/a/..b", "/a\nb", "/\udcff"])
def test_unusual_paths_are_accepted(path):
    assert paths(apply(row(path))) == [path]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((row("/a"), row("/a")), "twice"),
        ((row("/b"), row("/a")), "byte order"),
        ((row("/a", EntryType.SYMLINK, target="/etc"), row("/a/passwd")), "not a directory"),
        ((row("/a", LINK, target="/b"), row("/b")), "hard link to no file"),
        ((row("/a", EntryType.SYMLINK, target="x\0y"),), "no file system"),
    ],
)
def test_trees_that_no_file_system_can_hold_are_refused(rows, reason):
    with pytest.raises(MaterializeError, match=reason):
        normalise(Tree(rows), epoch=EPOCH, read=unread)


def test_the_image_contains_the_lock():
    share = [row(path, DIRECTORY, FileClass.PACKAGE) for path in ("/usr", "/usr/share")]
    older = [row("/usr/share/envlock", DIRECTORY), row("/usr/share/envlock/stale")]
    result = with_lock(apply(*share, *older), b"lock-version = 1\n", EPOCH)
    assert paths(result) == ["/usr", "/usr/share", "/usr/share/envlock", IMAGE_LOCK_PATH]
    assert result.contents == {IMAGE_LOCK_PATH: b"lock-version = 1\n"}
    assert result.rows[-1].entry.size == 17


def test_an_image_without_usr_share_gets_no_directories():
    result = apply(row("/init"))
    assert with_lock(result, b"lock", EPOCH) == result


def test_explain_names_the_rule_of_a_path():
    assert explain("/var/log/syslog").id == "logs"
    assert explain("/etc/machine-id").action is Action.EMPTY
    assert explain("/usr/bin/env") is None
    assert explain("/opt/x/y", (user_rule("/opt/x"),)).id == "user:/opt/x"
