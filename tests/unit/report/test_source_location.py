"""Lines of lockfiles that changes are pointed at."""

from __future__ import annotations

from dataclasses import replace

from envlock.lockfile.writer import render_lock
from envlock.report.source_location import LockTexts, SourceLocation
from tests.unit.report.samples import LEFT, LOCKS, RIGHT, lock_text


def test_the_line_of_a_fact_a_record_or_a_section(everything):
    locations = {c.key + c.field: LOCKS.locate(c) for c in everything.changes}
    left, right = (render_lock(lock).decode().split("\n") for lock in (LEFT, RIGHT))

    def line(location):
        lock = left if location.path == "locks/dev.lock" else right
        return lock[location.line - 1]

    assert line(locations["curl:amd64version"]) == 'version = "7.88.1-10+deb12u5"'
    assert line(locations["libc"]) == 'libc = "glibc 2.31"'
    assert line(locations["old:all"]) == '[deb."old:all"]'
    assert locations["LANG"] == SourceLocation("locks/dev.lock", left.index('[env."LANG"]') + 1)
    assert line(locations["/srv/data"]) == "[tree]"
    assert line(locations["older:all"]) == '[deb."curl:amd64"]'
    assert locations["overlay"] == SourceLocation("locks/prod.lock", 1)
    odd = replace(everything.changes[1], key='odd"\\\udcff:all', field="")
    assert line(LOCKS.locate(odd)).startswith('[deb."odd')


def test_lines_of_another_revision_are_not_used(everything):
    lang = next(change for change in everything.changes if change.key == "LANG")
    old = lock_text(LEFT, "locks/prod.lock", is_current=False)
    locks = LockTexts(old, lock_text(RIGHT, "locks/prod.lock"))
    line = locks.right.lines.find_section("env")
    assert locks.locate(lang) == SourceLocation("locks/prod.lock", line)
    assert LockTexts(old, None).locate(lang).path == "locks/prod.lock"
    assert LockTexts(None, None).locate(lang) == SourceLocation("envlock.toml", 1)
