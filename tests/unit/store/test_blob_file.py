"""A blob file is read back unchanged, or not at all."""

from __future__ import annotations

import os

import pytest

from envlock.store.blob_file import BlobFile, DamagedBlobFileError, is_blob_file, write_blob_file

KEY = "a" * 64
BLOBS = {"one": b"1" * 1000, "empty": b"", "\udcff": b"odd"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "snapshot"
    write_blob_file(path, KEY, {"paths": ["a", 1]}, BLOBS)
    return path


def test_value_and_blobs_are_read_back(path):
    found = BlobFile.open(path, KEY)
    assert found.value == {"paths": ["a", 1]}
    assert {name: found.blob(name) for name in BLOBS} == BLOBS
    assert found.blob("another") is None
    assert found.blobs(["one"]) == {"empty": b"", "\udcff": b"odd"}
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_it_is_recognised_by_its_key(path, tmp_path):
    assert is_blob_file(path, KEY)
    assert not is_blob_file(path, "b" * 64)
    assert not is_blob_file(tmp_path / "none", KEY)
    assert BlobFile.open(path, "b" * 64) is None


def test_an_open_file_can_be_read_after_it_was_replaced(path):
    found = BlobFile.open(path, KEY)
    write_blob_file(path, KEY, "other", {})
    assert found.blob("one") == BLOBS["one"]
    assert BlobFile.open(path, KEY).value == "other"


def test_every_flipped_bit_is_noticed(path):
    raw = path.read_bytes()
    for at in range(0, len(raw), 3):
        damaged = bytearray(raw)
        damaged[at] ^= 16
        path.write_bytes(damaged)
        found = BlobFile.open(path, KEY)
        if found is not None:
            with pytest.raises(DamagedBlobFileError):
                found.blobs(())


@pytest.mark.parametrize("size", [0, 1, 40, 120, 900])
def test_a_truncated_file_is_ignored(path, size):
    path.write_bytes(path.read_bytes()[:size])
    assert BlobFile.open(path, KEY) is None


@pytest.mark.parametrize("value", [object(), {"x": object()}])
def test_a_value_that_cannot_be_written_leaves_the_old_file(path, value):
    write_blob_file(path, KEY, value, {})
    assert BlobFile.open(path, KEY).value == {"paths": ["a", 1]}
    assert os.listdir(path.parent) == [path.name]


def test_a_path_that_cannot_be_written_is_no_error(tmp_path):
    write_blob_file(tmp_path / "none/snapshot", KEY, 1, {})
    assert not (tmp_path / "none").exists()
