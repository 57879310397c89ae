"""The rpm collector on roots that rpm installed, compared with rpm's own output."""

import os
import shutil
import sqlite3
import struct
import subprocess
import zlib
from contextlib import closing

import pytest

from envlock.formats.rpm.database import parse_bdb, parse_ndb, parse_sqlite
from envlock.model.depth import Depth
from envlock.model.tree import FileClass
from tests.conftest import unavailable
from tests.packages import SHOP, build_rpm, install, rpm

FLAGS = {
    "packaged-mode": "M",
    "packaged-owner": "UG",
    "packaged-target": "L",
    "packaged-capability": "P",
    "packaged-type": "M",
}


def blobs(root):
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite")) as database:
        return database.execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()


def test_packages_agree_with_rpm_query(rpm_root, captured):
    form = r"%{NAME}.%{ARCH}\t%{EVR}\t%{VENDOR}\t%{SOURCERPM}\t%{SHA256HEADER}\n"
    output = rpm(rpm_root, "-qa", "--qf", form.replace(r"\t", "\t").replace(r"\n", "\n"))
    expected = {}
    for line in output.splitlines():
        label, evr, vendor, source, sha256 = line.split("\t")
        name, _, arch = label.rpartition(".")
        key = f"{name}-{evr}.{arch}" if name == "kernel-core" else label
        expected[key] = {"version": evr, "source": source.rsplit("-", 2)[0], "sha256": sha256}
        if vendor != "(none)":
            expected[key]["vendor"] = vendor
    found = captured(rpm_root, depth=Depth.RECORDS).lock.sections["rpm"]
    assert found == expected
    assert sorted(found) == [
        "kernel-core-5.14.1-1.x86_64", "kernel-core-5.14.2-1.x86_64", "shop.x86_64",
    ]  # fmt: skip


def test_an_unmodified_root_has_no_file_records(rpm_root, captured):
    assert rpm(rpm_root, "-Va", "--nodeps") == ""
    found = captured(rpm_root)
    assert "file" not in found.lock.sections
    rows = {row.entry.path: row for row in found.tree.rows}
    assert rows["/var/log/shop"].owner == "rpm shop.x86_64"
    assert rows["/etc/shop/kept.conf"].file_class is FileClass.CONFFILE
    assert rows["/usr/bin/shop"].owner == "rpm shop.x86_64"
    assert rows["/boot/vmlinuz-2"].owner == "rpm kernel-core-5.14.2-1.x86_64"


def tamper(root):
    """Modify a root in every way that rpm can detect."""
    (root / "etc/shop/edited.conf").write_text("edited=2\n")
    (root / "etc/shop/lost.conf").unlink()
    (root / "etc/shop/optional.conf").unlink()
    (root / "usr/bin/edited").write_text("something else\n")
    (root / "usr/bin/setuid").chmod(0o4755)
    os.chown(root / "usr/bin/given", 1234, 1)
    os.removexattr(root / "usr/bin/capable", "security.capability")
    (root / "usr/bin/lost").unlink()
    (root / "usr/bin/link").unlink()
    (root / "usr/bin/link").symlink_to("edited")
    (root / "usr/bin/becomes-file").unlink()
    (root / "usr/bin/becomes-file").write_text("a file\n")
    (root / "var/log/shop").chmod(0o700)
    (root / "var/log/shop/log").write_text("more\n")
    (root / "var/log/shop/log").chmod(0o640)
    shutil.rmtree(root / "usr/share/shop dir/deep")


def by_rpm(root):
    """Return path -> flags of ``rpm --verify``, without sizes and times."""
    found = {}
    for line in rpm(root, "-Va", "--nodeps", status=None).splitlines():
        flags, path = line[:9].strip(), line[13:] if line[9] == " " else ""
        if line.startswith("missing"):
            found[line.partition("/")[1] + line.partition("/")[2]] = {"missing"}
            continue
        changes = {flag for flag in flags if flag in "5MUGLP"}
        if changes:
            found[path] = changes
    return found


def by_envlock(capture):
    found = {}
    for path, facts in capture.lock.sections["file"].items():
        changes = set()
        if facts["class"].endswith("-missing"):
            changes = {"missing"}
        elif facts["class"].endswith("-modified") and not {*facts} & {*FLAGS}:
            changes = {"5"}
        for name in facts.keys() & FLAGS.keys():
            changes |= set(FLAGS[name])
        found[path] = changes
    return found


def test_drift_agrees_with_rpm_verify(rpm_root, captured):
    tamper(rpm_root)
    theirs, ours = by_rpm(rpm_root), by_envlock(captured(rpm_root))
    # What lies in a missing folder is missing with it, and rpm asks a link that became a file
    # for its mode.
    assert theirs.pop("/usr/share/shop dir/deep/file") == {"missing"}
    became = "/usr/bin/becomes-file"
    assert theirs.pop(became) >= {"M"}
    assert ours.pop(became) == {"L"}
    assert ours == theirs


def test_records_have_the_packaged_values(rpm_root, captured):
    tamper(rpm_root)
    files = captured(rpm_root).lock.sections["file"]
    assert files["/usr/bin/setuid"]["mode"] == "4755"
    assert files["/usr/bin/setuid"]["packaged-mode"] == "0644"
    assert files["/usr/bin/setuid"]["class"] == "package"
    assert files["/usr/bin/given"]["packaged-owner"] == "0:0"
    assert files["/usr/bin/capable"]["capability"] == "none"
    assert files["/usr/bin/capable"]["packaged-capability"] == "cap_net_admin,cap_net_raw=p"
    assert files["/usr/bin/link"]["packaged-target"] == "shop"
    assert files["/usr/bin/link"]["class"] == "package-modified"
    assert files["/usr/share/shop dir/deep"] == {"class": "package-missing"}
    assert files["/etc/shop/lost.conf"] == {"class": "conffile-missing"}
    assert files["/etc/shop/edited.conf"]["class"] == "conffile-modified"


@pytest.mark.parametrize(
    ("number", "is_known"), [("1", True), ("2", True), ("8", True), ("10", False)]
)
def test_files_are_compared_in_the_algorithm_of_the_package(
    rpms, tmp_path, captured, number, is_known
):
    """MD5, SHA-1, SHA-256; SHA-512 is not computed, and such a file does not count as modified."""
    top = tmp_path / "top"
    top.mkdir()
    built = build_rpm(top, SHOP, _binary_filedigest_algorithm=number)
    root = install(tmp_path / "aged", built)
    assert "file" not in captured(root).lock.sections
    (root / "usr/bin/edited").write_text("something else\n")
    expected = {"/usr/bin/edited"} if is_known else set()
    assert {*captured(root).lock.sections.get("file", {})} == expected


def test_a_capture_of_configuration_does_not_report_unread_files(rpm_root, captured):
    """Programs are not read, so nothing is known of their content and capabilities."""
    assert "file" not in captured(rpm_root, depth=Depth.CONFIG).lock.sections
    tamper(rpm_root)
    files = captured(rpm_root, depth=Depth.CONFIG).lock.sections["file"]
    assert {path: facts["class"] for path, facts in files.items()} == {
        "/etc/shop/edited.conf": "conffile-modified",
        "/etc/shop/lost.conf": "conffile-missing",
        "/usr/bin/lost": "package-missing",
        "/usr/share/shop dir/deep": "package-missing",
    }


def test_ignored_paths_are_not_missing(rpm_root, captured):
    tamper(rpm_root)
    ignored = captured(rpm_root, ignore=("/usr/**", "/etc/shop/**")).lock.sections["file"]
    assert not [path for path in ignored if path.startswith("/usr")]
    assert "/etc/shop/lost.conf" not in ignored


def test_owners_do_not_count_where_an_ordinary_user_unpacked_the_files(rpm_root, captured):
    for folder, folders, files in os.walk(rpm_root):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), 1234, 1234, follow_symlinks=False)
    os.chown(rpm_root, 1234, 1234)
    files = captured(rpm_root).lock.sections.get("file", {})
    assert not [path for path, facts in files.items() if "packaged-owner" in facts]


def test_documentation_that_was_not_installed_is_not_missing(rpms, tmp_path, captured):
    root = install(tmp_path / "small", rpms, "--excludedocs")
    assert not (root / "usr/share/doc/shop/README").exists()
    assert "file" not in captured(root).lock.sections


def test_packages_in_the_write_ahead_log_count(rpm_root, captured):
    """A crash leaves committed packages in the write-ahead log and not in the database."""
    database = rpm_root / "var/lib/rpm/rpmdb.sqlite"
    expected = captured(rpm_root, depth=Depth.RECORDS).lock.sections["rpm"]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        (blob,) = connection.execute("SELECT blob FROM Packages WHERE hnum = 3").fetchone()
        connection.execute("DELETE FROM Packages WHERE hnum = 3")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO Packages VALUES (3, ?)", (blob,))
        connection.commit()
        connection.execute("DELETE FROM Packages")
        connection.execute("PRAGMA cache_spill = ON")
        raw, wal = (
            path.read_bytes() for path in (database, database.with_name(f"{database.name}-wal"))
        )
        connection.rollback()
    assert len(list(parse_sqlite(raw))) == 2
    assert len(list(parse_sqlite(raw, wal))) == 3
    # The end of a log that was being written, and what an earlier log left behind, do not count.
    assert len(list(parse_sqlite(raw, wal[:-100]))) == 2
    assert len(list(parse_sqlite(raw, wal + wal[32:]))) == 3
    assert len(list(parse_sqlite(raw, b"\0" * len(wal)))) == 2
    for path, content in ((database, raw), (database.with_name(f"{database.name}-wal"), wal)):
        path.write_bytes(content)
    assert captured(rpm_root, depth=Depth.RECORDS).lock.sections["rpm"] == expected


@pytest.mark.parametrize("order", ["1234", "4321"])
def test_berkeley_db_is_parsed_in_both_byte_orders(rpm_root, tmp_path, captured, order):
    if not shutil.which("db5.3_load"):
        unavailable("rpm", "db5.3_load is not here")
    held = blobs(rpm_root)
    pairs = "".join(
        f" {struct.pack('<I', n).hex()}\n {b.hex()}\n" for n, b in [(0, b"\4\0\0\0"), *held]
    )
    dump = (
        f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={order}\nHEADER=END\n{pairs}DATA=END\n"
    )
    old = tmp_path / "old/var/lib/rpm"
    old.mkdir(parents=True)
    subprocess.run(["db5.3_load", old / "Packages"], input=dump, text=True, check=True)
    assert sorted(parse_bdb((old / "Packages").read_bytes())) == sorted(blob for _, blob in held)
    expected = captured(rpm_root, depth=Depth.RECORDS).lock.sections["rpm"]
    assert captured(tmp_path / "old", depth=Depth.RECORDS).lock.sections["rpm"] == expected
    if order == "1234":
        known = rpm(tmp_path / "old", "-D", "_db_backend bdb_ro", "-qa").split()
        assert sorted(known) == sorted(rpm(rpm_root, "-qa").split())


def ndb(packages):
    """Return an ndb database as rpm's lib/backend/ndb/rpmpkg.c writes one."""
    first, slots, body = 4096 // 16, [], b""
    for number, blob in packages:
        count = (16 + len(blob) + 12 + 15) // 16
        content = struct.pack("<4s3I", b"BlbS", number, 1, len(blob)) + blob
        content = content.ljust(count * 16 - 12, b"\0")
        slots.append(struct.pack("<4s3I", b"Slot", number, first + len(body) // 16, count))
        body += content + struct.pack("<2I4s", zlib.adler32(content), len(blob), b"BlbE")
    slots += [struct.pack("<4s3I", b"Slot", 0, 0, 0)] * (254 - len(slots))
    head = struct.pack("<4s4I", b"RpmP", 0, 7, 1, len(packages) + 1).ljust(32, b"\0")
    return head + b"".join(slots) + body


def test_ndb_is_parsed(rpm_root, tmp_path, captured):
    raw = ndb(blobs(rpm_root))
    assert list(parse_ndb(raw)) == [blob for _, blob in blobs(rpm_root)]
    new = tmp_path / "new/usr/lib/sysimage/rpm"
    new.mkdir(parents=True)
    (new / "Packages.db").write_bytes(raw)
    expected = captured(rpm_root, depth=Depth.RECORDS).lock.sections["rpm"]
    assert captured(tmp_path / "new", depth=Depth.RECORDS).lock.sections["rpm"] == expected


def test_the_signing_key_is_recorded(rpms, tmp_path, captured):
    if not (shutil.which("gpg") and shutil.which("rpmsign")):
        unavailable("rpm", "gpg or rpmsign is not here")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environ = {**os.environ, "GNUPGHOME": str(home)}

    def run(*argv):
        return subprocess.run(argv, env=environ, check=True, capture_output=True, text=True).stdout

    run(
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-gen-key",
        "Shop <shop@example.org>",
        "rsa2048",
    )
    shop = next(path for path in rpms if path.name.startswith("shop"))
    signed = shutil.copy(shop, tmp_path / "signed.rpm")
    names = ("-D", "_gpg_name shop@example.org", "-D", f"__gpg {shutil.which('gpg')}")
    run("rpmsign", "--addsign", *names, signed)
    run("gpgconf", "--kill", "gpg-agent")
    root = install(tmp_path / "signed", [signed], "--nosignature")
    output = rpm(root, "-q", "--qf", "%{RSAHEADER:pgpsig}", "shop")
    found = captured(root, depth=Depth.RECORDS).lock.sections["rpm"]["shop.x86_64"]
    assert found["signed-by"] == output.rpartition(" ")[2]
    assert len(found["signed-by"]) == 16


def test_a_damaged_header_is_a_gap(rpm_root, captured):
    """A package that does not match its digest is not recorded: any of its facts may be wrong."""
    path = rpm_root / "var/lib/rpm/rpmdb.sqlite"
    basenames = struct.pack(">2I", 1117, 8)
    with closing(sqlite3.connect(path)) as database:
        for number, blob in database.execute("SELECT hnum, blob FROM Packages").fetchall():
            if b"\0shop\0" in blob and basenames in blob:
                damaged = blob.replace(basenames, struct.pack(">2I", 1117, 4))
                database.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (damaged, number))
        database.commit()
        database.execute("INSERT INTO Packages (blob) VALUES (x'00')")
        database.commit()
    found = captured(rpm_root)
    assert "shop.x86_64" not in found.lock.sections["rpm"]
    assert found.coverage["rpm"].status == "partial"
    reasons = {gap.reason.partition(": ")[2] for gap in found.coverage["rpm"].gaps}
    assert reasons == {"shop does not match its digest", "truncated header"}


def test_removed_documentation_is_not_recorded(rpm_root, captured):
    (rpm_root / "usr/share/doc/shop/README").unlink()
    assert "file" not in captured(rpm_root).lock.sections


NEEDY = """\
Name: needy
Version: 1
Release: 1
Summary: needy
License: MIT
Provides: given = 2
Requires: given >= 1
Requires: (gone if shop)
Requires: /usr/bin/nowhere
Requires: absent >= 3
%description
needy
%files
"""


def test_what_a_package_requires_and_nothing_provides_is_recorded(rpms, tmp_path, captured):
    (tmp_path / "top").mkdir()
    root = install(tmp_path / "root", build_rpm(tmp_path / "top", NEEDY), "--nosignature")
    found = captured(root, depth=Depth.RECORDS).lock.sections["rpm"]["needy.x86_64"]
    assert found["unmet"] == "absent"
