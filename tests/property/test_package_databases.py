"""Parsers of package databases: agreement with SQLite, and robustness against damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envlock.formats import apk, pacman
from envlock.formats.binary.file_capabilities import (
    NO_CAPABILITIES,
    FileCapabilities,
    decode_capabilities,
    parse_capabilities,
)
from envlock.formats.binary.sqlite import parse_table
from envlock.formats.chisel import parse_chisel
from envlock.formats.debian.dpkg import parse_status
from envlock.formats.rpm import reasons
from envlock.formats.rpm.database import PARSERS
from envlock.formats.rpm.header import Header, parse_files, parse_package, parse_signer
from envlock.formats.rpm.manifest import parse_manifest

HERE = Path(__file__).resolve().parents[1] / "collectors"
DATABASES = {
    "rpmdb.sqlite": HERE / "rpm/dnf4/rootfs/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "Packages.db": HERE / "rpm/ndb-zypper/rootfs/usr/lib/sysimage/rpm/Packages.db",
    "Packages": HERE / "rpm/bdb-dnf5/rootfs/var/lib/rpm/Packages",
}
HISTORY = HERE / "rpm/dnf4/rootfs/var/lib/dnf/history.sqlite"

values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30),
    st.binary(max_size=30),
    st.integers(0, 20_000).map(lambda size: b"x" * size),
)
rows = st.lists(st.tuples(values, values), max_size=40)


@settings(max_examples=60)
@given(rows=rows, page_size=st.sampled_from([512, 1024, 4096, 65536]), deleted=st.integers(0, 5))
def test_a_table_agrees_with_the_sqlite_library(tmp_path_factory, rows, page_size, deleted):
    path = tmp_path_factory.mktemp("db") / "x"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA page_size = {page_size}")
        database.execute("CREATE TABLE other (x)")
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
        database.executemany("INSERT INTO t (a, b) VALUES (?, ?)", rows)
        database.execute("DELETE FROM t WHERE id % 7 < ?", (deleted,))
        database.commit()
        expected = database.execute("SELECT id, a, b FROM t ORDER BY id").fetchall()
    found = [(row.id, *row.values[1:]) for row in parse_table(path.read_bytes(), "t")]
    assert found == expected
    assert [type(v) for row in found for v in row] == [type(v) for row in expected for v in row]


damages = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 2**16), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.integers(0, 2**16), st.just(0)),
    st.tuples(st.just("word"), st.integers(0, 2**16), st.sampled_from([0, 0xFF, 0x7F])),
)


def damaged(raw: bytes, damage: tuple[str, int, int]) -> bytes:
    kind, position, value = damage
    position %= len(raw)
    if kind == "cut":
        return raw[:position]
    if kind == "word":
        return raw[:position] + bytes((value,)) * 4 + raw[position + 4 :]
    return raw[:position] + bytes((raw[position] ^ value,)) + raw[position + 1 :]


def parse_all(name: str, raw: bytes) -> None:
    """Parse everything in a database; only ValueError may be raised."""
    try:
        for blob in PARSERS[name](raw):
            try:
                header = Header(blob)
                parse_package(header)
                parse_files(header)
            except ValueError:
                continue
    except ValueError:
        return


@pytest.mark.parametrize("name", DATABASES)
@settings(max_examples=250)
@given(damages=st.lists(damages, min_size=1, max_size=4))
def test_damage_to_a_database_raises_only_value_error(name, damages):
    raw = DATABASES[name].read_bytes()
    for damage in damages:
        raw = damaged(raw, damage)
        if not raw:
            return
    parse_all(name, raw)


@settings(max_examples=150)
@given(damages=st.lists(damages, min_size=1, max_size=4))
def test_damage_to_a_history_raises_only_value_error(damages):
    raw = HISTORY.read_bytes()
    for damage in damages:
        raw = damaged(raw, damage)
        if not raw:
            return
    try:
        reasons.parse_history(raw, raw)
    except ValueError:
        return


@given(damage=damages)
def test_damage_to_a_header_raises_only_value_error(damage):
    for blob in PARSERS["rpmdb.sqlite"](DATABASES["rpmdb.sqlite"].read_bytes()):
        try:
            header = Header(damaged(blob, damage))
            parse_package(header)
            parse_files(header)
        except ValueError:
            continue


@given(raw=st.binary(max_size=400))
def test_arbitrary_bytes_are_rejected(raw):
    for name, read in PARSERS.items():
        if raw:
            with pytest.raises(ValueError, match=r"\w"):
                list(read(raw))
        parse_all(name, raw)
    parse_signer(raw)
    decode_capabilities(raw)
    text = raw.decode("utf-8", "surrogateescape")
    apk.parse_installed(text)
    parse_status(text)
    apk.parse_world(text)
    apk.parse_checksum(text)
    apk.ProtectedPaths.parse(text).covers("/etc/x")
    pacman.parse_fields(text)
    list(pacman.parse_mtree(text))
    pacman.parse_configuration(text).extracts("/usr/x")
    for parse in (
        lambda: parse_chisel(text),
        lambda: list(parse_manifest(text)),
        lambda: pacman.decompress_mtree(raw),
        lambda: reasons.parse_state(text, text),
        lambda: reasons.parse_locks(text, text, text),
    ):
        try:
            parse()
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NO_CAPABILITIES),
        ("=", NO_CAPABILITIES),
        ("cap_net_raw=p", FileCapabilities(1 << 13, 0, False)),
        ("cap_net_raw,cap_chown+ep", FileCapabilities(1 << 13 | 1, 0, True)),
        ("= cap_chown+eip cap_chown-i", FileCapabilities(1, 0, True)),
        ("cap_chown=i", FileCapabilities(0, 1, False)),
        ("CAP_CHOWN=EP", FileCapabilities(1, 0, True)),
        ("cap_unknown=p", None),
        ("cap_chown", None),
    ],
)
def test_capabilities_are_parsed(text, expected):
    assert parse_capabilities(text) == expected
    if expected:
        assert parse_capabilities("" if str(expected) == "none" else str(expected)) == expected
