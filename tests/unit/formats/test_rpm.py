"""rpm's headers, signatures and databases, in unusual but valid forms."""

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from envlock.formats.rpm.database import PARSERS, parse_bdb, parse_ndb
from envlock.formats.rpm.header import Header, parse_files, parse_package, parse_signer
from tests.conftest import unavailable

STRING, INT16, INT32, TEXTS = 6, 3, 4, 8


def header(tags):
    """Return a header as rpm's headerExport writes it: an index, then the data it points into."""
    index, data = b"", b""
    for tag, (kind, values) in tags.items():
        offset = len(data)
        if kind in (STRING, TEXTS):
            data += b"".join(value.encode() + b"\0" for value in values)
        else:
            form = {INT16: "H", INT32: "I"}[kind]
            data += struct.pack(f">{len(values)}{form}", *values)
        index += struct.pack(">4I", tag, kind, offset, len(values))
    return struct.pack(">2I", len(tags), len(data)) + index + data


NAMED = {1000: (STRING, ["shop"]), 1001: (STRING, ["1"]), 1002: (STRING, ["2"])}


def test_an_old_header_has_whole_paths_and_md5():
    old = {
        **NAMED,
        1027: (TEXTS, ["/usr/bin/shop", "/toplevel", "/etc/é"]),
        1030: (INT16, [0o100755, 0o040755, 0o100644]),
        1035: (TEXTS, ["0" * 32, "", "1" * 32]),
    }
    files = parse_files(Header(header(old)))
    assert [(f.directory, f.name, f.digest, f.mode) for f in files] == [
        ("/usr/bin/", "shop", f"md5:{'0' * 32}", 0o100755),
        ("/", "toplevel", "", 0o040755),
        ("/etc/", "é", f"md5:{'1' * 32}", 0o100644),
    ]


def test_tags_added_at_installation_override_signed_ones():
    """The index may contain a tag twice: in the signed region, and after it."""
    twice = bytearray(header({**NAMED, 1003: (INT32, [1]), 9999: (INT32, [7])}))
    twice[8 + 4 * 16 : 8 + 4 * 16 + 4] = struct.pack(">I", 1003)
    assert parse_package(Header(bytes(twice))).evr == "7:1-2"


@pytest.mark.parametrize(
    "tags",
    [
        {1000: (STRING, ["shop"])},
        {**NAMED, 1003: (STRING, ["one"])},
        {**NAMED, 1001: (INT32, [1])},
    ],
)
def test_a_header_without_name_or_version_is_rejected(tags):
    with pytest.raises(ValueError, match=r"header|tag"):
        parse_package(Header(header(tags)))


@pytest.mark.parametrize(
    "tags",
    [
        {1117: (TEXTS, ["a", "b"]), 1118: (TEXTS, ["/"]), 1116: (INT32, [0])},
        {1117: (TEXTS, ["a"]), 1118: (TEXTS, ["/"]), 1116: (INT32, [1])},
        {1117: (TEXTS, ["a"]), 1118: (TEXTS, ["/"]), 1116: (INT32, [0]), 1030: (INT16, [1, 2])},
        {1117: (TEXTS, ["a"]), 1116: (INT32, [0])},
    ],
)
def test_inconsistent_lists_of_files_are_rejected(tags):
    with pytest.raises(ValueError, match="files"):
        parse_files(Header(header({**NAMED, **tags})))


def test_the_source_package_is_split_into_name_and_version():
    tags = {**NAMED, 1044: (STRING, ["shop-suite-2.0-3.el9.src.rpm"]), 1022: (STRING, ["noarch"])}
    package = parse_package(Header(header(tags)))
    assert (package.source, package.source_version) == ("shop-suite", "2.0-3.el9")
    assert (package.label, package.nevra) == ("shop.noarch", "shop-1-2.noarch")


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_a_large_berkeley_db_round_trips(tmp_path, page_size):
    if not shutil.which("db5.3_load"):
        unavailable("rpm", "db5.3_load is not here")
    dice = random.Random(page_size)
    blobs = [dice.randbytes(dice.choice([5, 100, 2000, 9000, 70_000])) for _ in range(60)]
    rows = "".join(f" {i:08x}\n {blob.hex()}\n" for i, blob in enumerate(blobs, start=1))
    dump = f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize={page_size}\nHEADER=END\n"
    path = tmp_path / "Packages"
    subprocess.run(["db5.3_load", path], input=f"{dump}{rows}DATA=END\n", text=True, check=True)
    raw = path.read_bytes()
    assert sorted(parse_bdb(raw)) == sorted(blobs)
    with pytest.raises(ValueError, match="package"):
        list(parse_bdb(raw[: len(raw) // 2 // page_size * page_size]))


def test_a_btree_or_an_encrypted_database_is_rejected(tmp_path):
    if not shutil.which("db5.3_load"):
        unavailable("rpm", "db5.3_load is not here")
    dump = "VERSION=3\nformat=bytevalue\ntype={}\nHEADER=END\n 01\n 02\nDATA=END\n"
    for kind, options in (("btree", []), ("hash", ["-P", "secret"])):
        path = tmp_path / kind
        argv = ["db5.3_load", *options, path]
        subprocess.run(argv, input=dump.format(kind), text=True, check=True)
        with pytest.raises(ValueError, match=r"Berkeley|encrypted"):
            list(parse_bdb(path.read_bytes()))


def test_an_ndb_of_another_version_is_rejected():
    with pytest.raises(ValueError, match="version 0"):
        list(parse_ndb(struct.pack("<4s4I", b"RpmP", 1, 0, 1, 0).ljust(4096, b"\0")))


OLD = bytes.fromhex("03050000000000" + "0123456789abcdef" + "0102")
HASHED_NONE = bytes.fromhex("04000108" + "0000")


@pytest.mark.parametrize(
    ("packet", "signer"),
    [
        # Version 3, in both forms of the packet's head.
        (b"\x88\x11" + OLD, "0123456789abcdef"),
        (b"\xc2\x11" + OLD, "0123456789abcdef"),
        # Version 4, the issuer behind another subpacket, and the fingerprint of the issuer.
        (b"\xc2\x16" + HASHED_NONE + b"\0\x0e\3\2ab\x09\x10" + bytes(range(8)), "0001020304050607"),
        (b"\xc2\x20\4\0\1\x08\0\x17\x16\x21\4" + bytes(range(20)) + b"\0\0", "0c0d0e0f10111213"),
        # Version 6, the fingerprint of a key of version 6.
        (b"\xc2\x2c\6\0\1\x08\0\0\0\x23\x22\x21\6" + bytes(range(32)), "0001020304050607"),
        (b"", ""),
        (b"\xc1\x02\4\0", ""),
        (b"\x88\x05\4\0\1\x08\0\xff\xff", ""),
    ],
)
def test_every_form_of_signature_gives_its_key_id(packet, signer):
    assert parse_signer(packet) == signer


def test_a_berkeley_db_that_lost_a_page_or_its_end_is_damaged(tmp_path):
    if not shutil.which("db5.3_load"):
        unavailable("rpm", "db5.3_load is not here")
    rows = "".join(f" {i:08x}\n {'ab' * 300}\n" for i in range(40))
    dump = f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=512\nHEADER=END\n{rows}DATA=END\n"
    path = tmp_path / "Packages"
    subprocess.run(["db5.3_load", path], input=dump, text=True, check=True)
    raw = path.read_bytes()
    assert len(list(parse_bdb(raw))) == 40
    for page in range(1, len(raw) // 512):
        zeroed = raw[: page * 512] + bytes(512) + raw[(page + 1) * 512 :]
        with pytest.raises(ValueError, match=r"entries are there|not a page of a package"):
            list(parse_bdb(zeroed))
        with pytest.raises(ValueError, match=r"entries are there|not a page of a package"):
            list(parse_bdb(raw[: page * 512]))


ROOTS = Path(__file__).parents[2] / "collectors/rpm"
DATABASES = sorted(
    path for path in ROOTS.rglob("*") if path.name in PARSERS and "damaged" not in path.parts
)


@pytest.mark.parametrize("path", DATABASES, ids=lambda path: path.name)
def test_no_package_of_a_database_with_zeros_in_it_is_told_as_whole(path):
    """Wherever a loss of power left zeros, headers are whole, or the damage is found."""
    raw = path.read_bytes()

    def told(content):
        for header in map(Header, PARSERS[path.name](content)):
            header.check_digest()
            package = parse_package(header)
            yield package.nevra, package.source, tuple(parse_files(header))

    whole = set(told(raw))
    assert whole
    for start in range(0, len(raw), 512):
        if not any(raw[start : start + 512]):
            continue
        found, is_damaged = set(), False
        try:
            found.update(told(raw[:start] + bytes(512) + raw[start + 512 :]))
        except ValueError:
            is_damaged = True
        assert is_damaged or found == whole, start


def test_a_header_that_does_not_match_its_digest_is_damaged():
    blob = next(PARSERS[DATABASES[0].name](DATABASES[0].read_bytes()))
    Header(blob).check_digest()
    name = Header(blob).text(1000).encode()
    with pytest.raises(ValueError, match="does not match its digest"):
        Header(blob.replace(name, b"x" * len(name), 1)).check_digest()
