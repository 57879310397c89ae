"""No damage of a file that a collector reads goes unsaid: what is lost leaves a gap.

Each file that a collector reads in the golden data is replaced in turn, by what a loss of power, a
broken link or a wrong copy leaves.  A capture then neither ends nor tells fewer things as if it had
read all of them.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import closing, nullcontext

import pytest

from envlock.capture.engine import capture
from envlock.capture.request import Request
from envlock.model.depth import Depth
from tests.collectors.test_collectors import (
    CASES,
    COLLECTORS,
    NOISE,
    Fixture,
    as_nobody,
    open_folder,
)

__all__ = ["open_folder"]

ALLOWED = {
    r"\S+ /(proc|sys)/\S+ \w+": "files of the kernel say what is so, and no disk can damage them",
    r"(apt-source|repository|cron|locale|login|service) /etc/\S+ (empty|cut)": "settings: any text",
    r"(setting|user|dangling|host\.\w+) /etc/\S+ (empty|cut)": "settings may be any text as well",
    r"host\.sysctl /usr/lib/\S+ (empty|cut)": "settings as well",
    r"host\.driver /(var/)?run/cdi/\S+ dangling": "a link below /run is made while a machine runs",
    r"alternative /var/lib/dpkg/\S+ empty": "dpkg leaves an empty file when the last entry goes",
    r"certificate /etc/ca-certificates\.conf (empty|cut)": "settings as well",
    r"certificate \S+ (folder|dangling)": "folders are searched, and links are the vendor's",
    r"cron /etc/cron\.d/\S+ folder": "cron does not look into folders",
    r"cron /var/spool/cron/\S+ (folder|dangling|empty|cut)": "nor at links here; settings as well",
    r"service \S+ folder": "a folder is no unit",
    r"(software|go|cargo) \S+/(bin|sbin|lib|app)/\S+ \w+": "what is no program is not software",
    r"(blas|cuda|loaded) \S+\.so[.\d]* \w+": "what is no library is none of these",
    r"software \S+/\w+\.pc (empty|cut)": "a description without a version is written by hand",
    r"npm \S+\.zip (folder|dangling)": "as of an archive",
    r"java \S+\.(jar|war|ear|hpi|jpi) (folder|dangling)": "a folder was unpacked; it is no archive",
}
"""``COLLECTOR PATH FORM`` in which fewer records are right, or nobody can know, and why."""
_ALLOWED = re.compile("|".join(f"(?:{pattern})" for pattern in ALLOWED))


def _rewrite(change):
    return lambda path: path.write_bytes(change(path.read_bytes()))


def _replace(make):
    def damage(path):
        path.unlink()
        make(path)

    return damage


FORMS = {
    "folder": _replace(lambda path: path.mkdir()),
    "dangling": _replace(lambda path: path.symlink_to("nothing-of-this-name")),
    "empty": _rewrite(lambda _: b""),
    "noise": _rewrite(lambda _: NOISE),
    "zeros": _rewrite(lambda content: content[: len(content) // 2] + bytes(len(content))),
    "cut": _rewrite(lambda content: content[: len(content) * 2 // 3]),
    "closed": lambda path: path.chmod(0),
}


class Watched(Fixture):
    """A fixture that notes which files are read."""

    def __init__(self, case, needs):
        super().__init__(case, needs)
        self.seen = set()

    def open(self, path):
        self.seen.add(os.path.realpath(f"{self._root}{path}"))
        return super().open(path)


def told(case, collector):
    """Return the records, the gaps, and the real paths that were read."""
    owners = {c.name for c in COLLECTORS.values() if c.claims} if collector.needs_owners else set()
    request = Request(only=frozenset({collector.name, *owners}), depth=Depth.CONFIG, jobs=1)
    with closing(Watched(case, collector.needs)) as target:
        found = capture(target, COLLECTORS.values(), request)
    records = {
        (record.section, record.key)
        for record in found.lock.records()
        if record.section in collector.sections
    }
    return records, {gap for cover in found.coverage.values() for gap in cover.gaps}, target.seen


def restore(path, content, mode):
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.chmod(0o600) if not path.is_symlink() else path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_damage_is_a_gap(case, open_folder):
    collector = COLLECTORS[case.parent.name]
    copy = open_folder / "case"
    shutil.copytree(case, copy, symlinks=True)
    before, known, seen = told(copy, collector)
    root = os.path.realpath(copy / "rootfs")
    files = [
        copy / "rootfs" / path[len(root) + 1 :] for path in sorted(seen) if os.path.isfile(path)
    ]
    unsaid = []
    for path in files:
        content, mode = path.read_bytes(), path.stat().st_mode
        for form, damage in FORMS.items():
            damage(path)
            with as_nobody() if form == "closed" else nullcontext():
                after, gaps, _ = told(copy, collector)
            restore(path, content, mode)
            assert not [gap for gap in gaps if "nothing was read from here" in gap.reason]
            what = f"{collector.name} /{path.relative_to(copy / 'rootfs')} {form}"
            if before - after and not gaps - known and not _ALLOWED.fullmatch(what):
                unsaid.append(what)
    assert unsaid == []
