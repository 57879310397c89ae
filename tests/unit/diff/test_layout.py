"""Line ends, byte order marks and last newlines: told in words, and severe where a reader cares."""

import pytest

from envlock.diff.contents import with_contents
from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.layout import layout_changes
from envlock.diff.severity import classify

SCRIPT = "FILE-INTERPRETER-LINE"
MARK = b"\xef\xbb\xbf"
SHA = {name: name * 64 for name in "ab"}


def judged(path, before, after):
    """Return the rule and severity of a changed file, and its settings as rows."""
    delta = Delta("file", path, "sha256", ChangeKind.CHANGED, SHA["a"], SHA["b"], {})
    contents = {SHA["a"]: before, SHA["b"]: after}.get
    first, *rest = with_contents([delta], contents, lambda _name, value: value)
    change = classify(first, "dev", "prod")
    return change.rule, change.severity.value, [(d.field, d.left, d.right) for d in rest]


@pytest.mark.parametrize(
    ("path", "before", "after", "rule", "severity"),
    [
        ("/opt/run", b"#!/bin/sh\nx\n", b"#!/bin/sh\r\nx\r\n", SCRIPT, "high"),
        ("/opt/run", b"#!/bin/sh\nx\n", MARK + b"#!/bin/sh\nx\n", SCRIPT, "high"),
        ("/opt/a.py", b"#!/bin/python3\nx\n", b"#!/bin/python3\r\nx\n", SCRIPT, "high"),
        ("/usr/lib/functions.sh", b"x\n", b"x\r\n", "FILE-LAYOUT", "medium"),
        ("/srv/app/.env", b"A=1\n", b"A=1\r\n", "FILE-LAYOUT", "medium"),
        ("/etc/sysctl.d/a.conf", b"a = 1\n", MARK + b"a = 1\n", "FILE-LAYOUT", "medium"),
        ("/etc/cron.d/job", b"* * * * * root x\n", b"* * * * * root x", "FILE-LAYOUT", "medium"),
        ("/var/spool/cron/crontabs/bob", b"* * * * * x\n", b"* * * * * x", "FILE-LAYOUT", "medium"),
        ("/srv/a.py", b"x = 1\n", b"x = 1\r\n", "FILE-COMMENTS", "info"),
        ("/srv/a.json", b"{}\n", b"{}", "FILE-COMMENTS", "info"),
        ("/etc/motd.conf", b"[a]\nb = 1\n", b"[a]\nb = 1", "FILE-COMMENTS", "info"),
    ],
)  # fmt: skip
def test_severity_follows_who_reads_the_file(path, before, after, rule, severity):
    assert judged(path, before, after)[:2] == (rule, severity)
    assert judged(path, after, before)[:2] == (rule, severity)


def test_the_words_name_both_sides():
    _, _, rows = judged("/opt/run", b"#!/bin/sh\nx\n", b"#!/bin/sh\r\nx\r\n")
    assert rows == [
        ("content:script", "starts", "cannot be started"),
        ("content:line ends", "LF", "CRLF"),
    ]


def test_a_changed_setting_keeps_its_own_rule_beside_the_layout():
    rule, _, rows = judged("/srv/app/.env", b"A=1\n", b"A=2\r\n")
    assert rule == "FILE-CONTENT"
    assert ("content:line ends", "LF", "CRLF") in rows


def test_lost_tabs_of_a_makefile_are_counted():
    found = layout_changes("/srv/Makefile", b"all:\n\tx\n\ty\n", b"all:\n    x\n\ty\n")
    assert [(c.name, c.left, c.right) for c in found] == [("lines that start with a tab", "2", "1")]


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b"x\r\n"), (b"a\0b\r\n", b"a\0b\n"), (b"a\r\n", b"b\r\n"), (b"", b"")],
)
def test_empty_equal_and_binary_files_have_no_layout(before, after):
    assert list(layout_changes("/srv/x", before, after)) == []


class TestFilesOnOneSide:
    def rows(self, path, content, **facts):
        facts = {"sha256": SHA["a"], "size": str(len(content)), **facts}
        delta = Delta("file", path, "", ChangeKind.REMOVED, "file 0644 0:0", None, facts)
        found = with_contents([delta], {SHA["a"]: content}.get, lambda _name, value: value)
        return [(d.field, d.kind.value, d.left, d.right) for d in found][1:]

    def test_settings_of_a_known_format_are_listed(self):
        content = b"[Service]\nLimitNOFILE=65536\nEnvironment=A=1\n"
        assert self.rows("/etc/systemd/system/a.service.d/x.conf", content) == [
            ("content:Service.LimitNOFILE", "removed", "65536", None),
            ("content:Service.Environment", "removed", "A=1", None),
        ]

    @pytest.mark.parametrize(
        ("path", "content", "facts"),
        [
            ("/srv/note", b"free text", {}),
            ("/srv/a.json", b"{", {}),
            ("/srv/a.json", b"{}", {}),
            ("/srv/a.json", b'{"a": 1}', {"size": "16385"}),
            ("/srv/a.json", b'{"a": 1}', {"size": ""}),
            ("/srv/a.json", b'{"a": 1}', {"sha256": ""}),
            ("/srv/a.json", b"{" + b",".join(b'"%d": 1' % n for n in range(41)) + b"}", {}),
        ],
    )
    def test_other_files_only_say_that_they_are_there(self, path, content, facts):
        assert self.rows(path, content, **facts) == []

    def test_values_go_through_the_redaction(self):
        facts = {"sha256": SHA["a"], "size": "9"}
        delta = Delta("file", "/srv/.env", "", ChangeKind.ADDED, None, "file", facts)
        found = list(with_contents([delta], {SHA["a"]: b"TOKEN=abc"}.get, lambda *_: "***"))
        assert [d.right for d in found] == ["file", "***"]


SSHD = "/etc/ssh/sshd_config"


@pytest.mark.parametrize(
    ("before", "after", "rule", "severity"),
    [
        (b"Port 22\n", b"Port 22\nPermitRootLogin yes\n", "SSH-LOGIN", "high"),
        (b"PasswordAuthentication no\n", b"PasswordAuthentication yes\n", "SSH-LOGIN", "high"),
        (b"PermitRootLogin yes\n", b"PermitRootLogin no\n", "FILE-CONTENT", "medium"),
        (b"Port 22\n", b"Port 222\n", "FILE-CONTENT", "medium"),
    ],
)
def test_what_lets_more_in_by_ssh_is_high(before, after, rule, severity):
    assert judged(SSHD, before, after)[:2] == (rule, severity)


def test_a_drop_in_that_lets_root_in_by_ssh_is_high():
    facts = {"sha256": SHA["a"], "size": "20"}
    path = "/etc/ssh/sshd_config.d/root.conf"
    delta = Delta("file", path, "", ChangeKind.ADDED, None, "file 0644 0:0", facts)
    contents = {SHA["a"]: b"PermitRootLogin yes\n"}.get
    first, *rest = with_contents([delta], contents, lambda _name, value: value)
    assert classify(first, "dev", "prod").rule == "SSH-LOGIN"
    assert [(d.field, d.right) for d in rest] == [("content:permitrootlogin", "yes")]
