"""A lock as text and as JSON."""

import hashlib
import json

import pytest

from envlock.lockfile.writer import render_lock
from envlock.model.digest import digests
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.lock import lock_document, render_lock_summary, render_sections

LOCK = Lock.of(
    [
        Record("os", "", {"id": "debian", "version": "12"}),
        Record("deb", "libc6:amd64", {"version": "2.36-9", "mark": "auto"}),
        Record("deb", "nginx:amd64", {"version": "1.22", "mark": "manual"}),
        Record("env", "LANG", {"value": "C.UTF-8"}),
        Record("env", "TOKEN", {"secret": "present"}),
        Record("file", "/etc/\udcff\x1b", {"mode": "0644", "class": "unowned"}),
        Record("host.kernel", "", {"release": "6.1.0"}),
        Record("tree", "", {"content": "sha256:1", "entries": "12", "residue": "99"}),
    ],
    {
        "deb": {"status": "ok"},
        "rpm": {"status": "absent"},
        "host.gpu": {"status": "unsupported"},
        "file": {"status": "partial", "gaps": "2", "reason": "/root\x1b: denied"},
    },
)


def test_the_document_has_the_records_and_the_digests():
    document = lock_document(LOCK)
    found = digests(LOCK)
    digest_names = ["environment_digest", "host_digest", "file_digest"]
    assert list(document) == ["schema_version", *digest_names, "sections", "coverage"]
    assert document["environment_digest"] == found.environment
    assert document["host_digest"] == found.host
    assert document["file_digest"] == f"sha256:{hashlib.sha256(render_lock(LOCK)).hexdigest()}"
    assert document["sections"]["os"] == {"id": "debian", "version": "12"}
    assert document["sections"]["host.kernel"] == {"release": "6.1.0"}
    assert document["sections"]["deb"]["libc6:amd64"] == {"version": "2.36-9", "mark": "auto"}
    assert list(document["sections"]["file"]) == ["/etc/\\xff\\x1b"]
    assert document["coverage"]["rpm"] == {"status": "absent"}
    assert json.loads(json.dumps(document)) == document


def test_the_file_digest_is_that_of_the_bytes_given():
    raw = b"# other bytes\n"
    assert (
        lock_document(LOCK, raw=raw)["file_digest"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    )


def test_the_document_of_some_sections():
    assert list(lock_document(LOCK, ("os", "deb"))["sections"]) == ["deb", "os"]


def test_the_summary_fits_a_screen():
    found = digests(LOCK)
    assert render_lock_summary(LOCK) == (
        f"environment  {found.environment}\n"
        f"host         {found.host}\n"
        "\n"
        "operating system       debian, 12\n"
        "Debian packages        2 (1 manual)\n"
        "environment variables  2 (1 by name only)\n"
        "files                  1\n"
        "file tree              12 paths, 99 bytes stored by value\n"
        "kernel                 6.1.0\n"
        "\n"
        "not covered\n"
        "? file: partial, 2 gaps  /root\\x1b: denied\n"
        "? not supported by the target: host.gpu\n"
    )


def test_sections_in_full():
    assert render_sections(LOCK, ("os", "deb", "file", "coverage")) == (
        "os\n"
        "  version  12\n"
        "  id  debian\n"
        "\n"
        "deb\n"
        "  libc6:amd64  version 2.36-9  mark auto\n"
        "  nginx:amd64  version 1.22  mark manual\n"
        "\n"
        "file\n"
        "  /etc/\\xff\\x1b  class unowned  mode 0644\n"
        "\n"
        "coverage\n"
        "  deb       status ok\n"
        "  file      gaps 2  reason /root\\x1b: denied  status partial\n"
        "  host.gpu  status unsupported\n"
        "  rpm       status absent\n"
    )


@pytest.mark.parametrize("color", [False, True])
def test_an_empty_lock_has_a_summary(color):
    assert digests(Lock.of([])).environment in render_lock_summary(Lock.of([]), color=color)
