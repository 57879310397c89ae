"""``envlock diff`` of three or more environments."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import envlock.report

HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
SCHEMA = json.loads((Path(envlock.report.__file__).parent / "matrix.schema.json").read_text())


@pytest.fixture
def fleet(envlock):
    folder = envlock.folder / "locks"
    folder.mkdir()
    for name, version in {"a": "2.36-9", "b": "2.36-9", "c": "2.31-13", "d": "2.36-9"}.items():
        (folder / f"{name}.lock").write_text(
            f'{HEADER}lock-version = "1.0"\n\n[deb."libc6:amd64"]\nversion = "{version}"\n'
        )
    return envlock


def test_the_exit_status_is_the_same_as_for_two(fleet):
    assert "c" in fleet("diff", "a", "b", "c", status=1).out
    assert fleet("diff", "a", "b", "d").out.startswith("EQUAL")
    fleet("diff", "a", "b", "c", "--fail-on", "never")
    fleet("diff", "a", "b", "c", "--exit-zero")


def test_options_may_be_anywhere_and_lockfiles_are_named_without_path(fleet):
    ran = fleet("diff", "locks/a.lock", "--json", "locks/b.lock", "locks/c.lock", "d", status=1)
    jsonschema.Draft202012Validator(SCHEMA).validate(ran.json)
    assert ran.json["environments"] == ["a", "b", "c", "d"]
    assert ran.json["findings"][0]["outliers"][0]["environments"] == ["c"]
    assert fleet("diff", "d", "c", "b", "a", "--json", status=1).out == ran.out


def test_lockfiles_with_the_same_name_are_named_by_their_path(fleet):
    other = fleet.folder / "other"
    other.mkdir()
    (other / "a.lock").write_bytes((fleet.folder / "locks/a.lock").read_bytes())
    ran = fleet("diff", "locks/a.lock", "other/a.lock", "b", "--json")
    assert ran.json["environments"] == ["b", "locks/a.lock", "other/a.lock"]


def test_a_lock_that_cannot_be_read_is_a_usage_error(fleet):
    assert "absent" in fleet("diff", "a", "b", "absent", status=2).err
