"""The access log tells which changes matter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from envlock.capture.scan.access_log import AccessLog, PathChanges, with_symlinks
from envlock.capture.scan.index import Index
from envlock.model.tree import Entry, EntryType

FILE, FOLDER, LINK = EntryType.FILE, EntryType.DIRECTORY, EntryType.SYMLINK
INDEX = Index.of(
    (
        Entry("/etc", FOLDER),
        Entry("/usr", FOLDER),
        Entry("/usr/lib", FOLDER),
        Entry("/usr/lib/x", FILE),
        Entry("/lib", LINK, target="usr/lib"),
        Entry("/etc/x", LINK, target="/lib/x"),
        Entry("/loop", LINK, target="loop"),
    )
)


def programs(names: Sequence[str], modes: Sequence[int]) -> list[str]:
    return [name for name, mode in zip(names, modes, strict=True) if mode & 0o111]


def change(*entries: Entry, gone: tuple[Entry, ...] = ()) -> PathChanges:
    return PathChanges({e.path: e for e in gone}, {e.path: e for e in entries})


def asked() -> AccessLog:
    log = AccessLog()
    log.paths |= {"/etc/x", "/opt/app/version", "/loop/x"}
    log.folders.add("/lib")
    log.patterns.add("**/package.json")
    log.record_pick(programs)
    return with_symlinks(log, INDEX)


@pytest.mark.parametrize(
    "touching",
    [
        change(Entry("/etc/x", FILE)),
        change(gone=(Entry("/usr/lib/x", FILE),)),
        change(Entry("/lib", LINK)),
        change(Entry("/usr/lib/another", FILE)),
        change(Entry("/opt/app", LINK)),
        change(Entry("/srv/package.json", FILE)),
        change(Entry("/srv/tool", FILE, mode=0o755)),
        change(gone=(Entry("/srv/tool", FILE, mode=0o755),)),
    ],
)
def test_what_somebody_asked_for_matters(touching):
    assert asked().is_affected_by(touching)


@pytest.mark.parametrize(
    "apart",
    [
        change(),
        change(Entry("/srv/data", FILE)),
        change(Entry("/usr/share/x", FILE), gone=(Entry("/usr/share/x", FILE),)),
        change(Entry("/opt/other", LINK)),
    ],
)
def test_what_nobody_asked_for_does_not(apart):
    assert not asked().is_affected_by(apart)


def test_a_function_that_cannot_be_found_again_is_never_trusted():
    log = AccessLog()
    log.record_pick(lambda _names, _modes: ())
    assert log.is_affected_by(change())
