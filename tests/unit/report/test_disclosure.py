"""No format shows a secret of a lock that an older version or a person wrote."""

from __future__ import annotations

import pytest

from envlock.diff.engine import Options, compare
from envlock.diff.many.matrix import compare_many
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.disclosure import disclosed
from envlock.report.formats import FORMATS
from envlock.report.input import Canvas, MatrixInput, PairInput
from envlock.report.lock import lock_document, render_lock_summary, render_sections
from envlock.report.lock_disclosure import disclosed_lock

TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


def lock(secret: str) -> Lock:
    """Return a lock as no capture of this version writes it."""
    return Lock.of(
        [
            Record("env", "DB_PASSWORD", {"value": secret}),
            Record("deb", "app:amd64", {"version": f"1+{TOKEN}{secret}"}),
            Record("process", "", {"cmd": f'["x","--token={secret}"]'}),
            Record("file", f"/srv/{TOKEN}{secret}", {"target": f"/x?password={secret}"}),
        ],
        {"env": {"status": "partial", "gaps": "1", "reason": f"password={secret}: malformed"}},
    )


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_secret(name: str) -> None:
    sides = {key: lock(f"hunter2{key}Zq7") for key in "abc"}
    report = compare(sides["a"], sides["b"], options=Options(all=True))
    given = [PairInput(report, Canvas(200), full=True)]
    given += [MatrixInput(compare_many(sides, Options()), Canvas(200), full=True)]
    for each in given:
        if FORMATS[name].can_render(each):
            text = FORMATS[name].render(each)
            assert "hunter2" not in text
            assert TOKEN not in text
            assert "PASSWORD" in text


def test_a_lock_is_shown_without_its_secrets() -> None:
    found = lock("hunter2")
    sections = (*found.sections, "coverage")
    texts = (
        str(lock_document(found, raw=b"")),
        render_lock_summary(found),
        render_sections(found, sections),
    )
    for text in texts:
        assert "hunter2" not in text
        assert TOKEN not in text
    assert "DB_PASSWORD" in texts[2]


def test_what_holds_no_secret_is_shown_as_it_is() -> None:
    left = Lock.of(
        [Record("env", "LANG", {"value": "C"}), Record("login", "b", {"password": "set"})]
    )
    right = Lock.of([Record("env", "LANG", {"value": "de_DE.UTF-8"})])
    given = PairInput(compare(left, right, options=Options()))
    assert disclosed(given) == given
    assert disclosed_lock(left) == left


def test_a_line_of_a_secret_file_is_not_shown() -> None:
    from envlock.report.disclosure import disclosed_change

    left = Lock.of([Record("env", "LANG", {"value": "C"})])
    right = Lock.of([Record("env", "LANG", {"value": "de"})])
    (change,) = compare(left, right, options=Options()).changes
    from dataclasses import replace

    line = replace(change, section="file", field="content:line 1", left="letmein", right="web1")
    for path in ("/etc/restic/password", "/etc/credstore/db", "/srv/app/db_password"):
        shown = disclosed_change(replace(line, key=path))
        assert shown.left == "(not shown)", path
    shown = disclosed_change(replace(line, key="/etc/hostname"))
    assert (shown.left, shown.right) == ("letmein", "web1")


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_prints_what_a_reader_does_not_see(name: str) -> None:
    hidden = "\u202e\u2066\u200b\u200d\ufeff\u2028\x1b\x07\x9b"

    def side(text: str) -> Lock:
        facts = {"value": f"naïve {hidden} {text}"}
        return Lock.of([Record("env", f"NAME{hidden}", facts), Record("env", "日本", facts)])

    sides = {f"{key}{hidden}": side(key) for key in "abc"}
    locks = list(sides.values())
    options = Options(all=True, left_name=f"l{hidden}", right_name="r")
    given = [PairInput(compare(locks[0], locks[1], options=options), Canvas(200), full=True)]
    given += [MatrixInput(compare_many(sides, Options()), Canvas(200), full=True)]
    for each in given:
        if FORMATS[name].can_render(each):
            text = FORMATS[name].render(each)
            assert not set(hidden) & set(text)
            if name in ("text", "html", "markdown", "junit", "github"):
                assert "naïve" in text
                assert "日本" in text
