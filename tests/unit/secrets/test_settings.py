"""Secret values of settings are replaced, and nothing else is."""

from __future__ import annotations

import pytest

from envlock.secrets.settings import Finding, redact_settings
from tests.unit.secrets.samples import MARKER, PLANTED, SECRETS


def test_there_are_enough_plants() -> None:
    assert len(set(PLANTED)) == len(PLANTED)
    assert len(PLANTED) >= 400


@pytest.mark.parametrize(("path", "template"), PLANTED)
def test_no_planted_secret_survives(path: str, template: str) -> None:
    for secret in SECRETS:
        redacted = redact_settings(path, template.replace("{S}", secret))
        assert MARKER not in redacted.text
        assert redacted.findings
        assert redact_settings(path, redacted.text) == (redacted.text, ()), (
            "nothing is left to find"
        )


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "/etc/a.ini",
            "[db]\nuser = app\npassword = hunter2\n",
            "[db]\nuser = app\npassword = ***\n",
        ),
        ("/etc/a.ini", "a = 1\r\npassword = 'hunter2'\r\n", "a = 1\r\npassword = '***'\r\n"),
        ("/srv/a.env", "A=1\nDB_PASSWORD=hunter2\nB=2\n", "A=1\nDB_PASSWORD=***\nB=2\n"),
        ("/srv/a.json", '{"a": 1, "password":  "hunter2"}', '{"a": 1, "password":  "***"}'),
        ("/srv/a.yml", "password: hunter2  # db1\n", "password: ***  # db1\n"),
        ("/srv/a.yml", "password: |\n  a1b2\n  c3d4\nb: 1\n", "password: |\n  ***\nb: 1\n"),
        ("/srv/a.xml", "<password>hunter2</password>", "<password>***</password>"),
        ("/srv/a.sh", "mysql -u app -phunter2 db\n", "mysql -u app -p*** db\n"),
        ("/srv/a.sh", "curl -u bob:hunter2 x\n", "curl -u bob:*** x\n"),
        ("/etc/a.conf", "u = pg://app:hunter2@db/x\n", "u = pg://app:***@db/x\n"),
        (
            "/etc/a.conf",
            "u = https://x/?a=b&token=hunter2&c=d\n",
            "u = https://x/?a=b&token=***&c=d\n",
        ),
        (
            "/etc/fstab",
            "//n /m cifs user=b,pass=hunter2,uid=0 0 0\n",
            "//n /m cifs user=b,pass=***,uid=0 0 0\n",
        ),
        (
            "/etc/a.service",
            "Environment=A=1 TOKEN=hunter2 B=2\n",
            "Environment=A=1 TOKEN=*** B=2\n",
        ),
    ],
)
def test_only_the_value_is_replaced(path: str, before: str, after: str) -> None:
    assert redact_settings(path, before).text == after


def test_findings_name_the_key_or_the_line() -> None:
    token = "ghp_" + "aB3dE6gH9jK2" * 3
    text = f"a = 1\npassword = hunter2\nurl = http://bob:hunter2@x/\nx = {token}\n"
    assert redact_settings("/etc/a.ini", text).findings == (
        Finding("password-setting", "password"),
        Finding("url-credentials", "line 3"),
        Finding("github-token", "line 4"),
    )


def test_a_name_that_is_a_token_is_not_told() -> None:
    token = "ghp_" + "aB3dE6gH9jK2" * 3
    text = f"{token}.password = hunter2\n"
    assert all(
        token not in finding.where for finding in redact_settings("/etc/a.ini", text).findings
    )


def test_a_private_key_is_replaced_as_a_whole() -> None:
    begin, end = "-----BEGIN {} PRIVATE KEY-----", "-----END {} PRIVATE KEY-----"
    body = "MIIEpAIBAAKCAQEAx1Zq7vK2\nZq7vK2abcdefghij0123456789\n"
    for kind in ("RSA", "EC", "OPENSSH", "ENCRYPTED"):
        block = f"{begin.format(kind)}\n{body}{end.format(kind)}"
        for text in (f"a: 1\n{block}\nb: 2\n", f"a: 1\nx: {block!r}\nb: 2\n"):
            redacted = redact_settings("/srv/a.yml", text)
            assert MARKER not in redacted.text
            assert "a: 1" in redacted.text
            assert "b: 2" in redacted.text


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/etc/a.conf", "password={S}\n"),
        ("/etc/a.conf", "a=1 password={S} b=2\n"),
        ("/etc/a.conf", "u=https://x/?token={S}&a=b\n"),
        ("/etc/a.conf", "u=https://bob:{S}@x/\n"),
        ("/srv/a.json", '{"password":"{S}"}'),
        ("/srv/a.yml", "password: {S}\n"),
        ("/srv/a.xml", "<password>{S}</password>"),
        ("/srv/a.sh", "export TOKEN={S}\n"),
        ("/srv/a.sh", "mysql -p{S} app\n"),
    ],
)
def test_long_secrets_are_replaced_to_their_end(path: str, template: str) -> None:
    secret = f"{MARKER}a1" * 6_000
    assert MARKER not in redact_settings(path, template.replace("{S}", secret)).text


def test_lines_are_found_far_down() -> None:
    text = "# filler\n" * 100_000 + "DB_PASSWORD=hunter2\n"
    assert "hunter2" not in redact_settings("/srv/a.env", text).text


@pytest.mark.parametrize(
    "path",
    ["/var/lib/dpkg/info/shop.postinst", "/var/lib/pacman/local/shop-1-1/install"],
)
def test_scripts_of_packages_lose_only_what_is_plainly_a_secret(path: str) -> None:
    script = "#!/bin/sh\nmysql -pchangeit app\npassword=ask-me\n"
    assert redact_settings(path, script).text == script
    token, key = "ghp_" + "aB3dE6gH9jK2" * 3, "x" + MARKER + "Zk3jfu39Gh28sLqQ7w"
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    block = f"{begin}\nMIIEpAIBAAKCAQEAx1{MARKER}\n{end}"
    for secret in (f"TOKEN={token}", f"DB_PASSWORD='{key}'", block):
        redacted = redact_settings(path, f"{script}{secret}\n").text
        assert redacted.startswith(script)
        assert MARKER not in redacted
        assert token not in redacted


def test_a_file_beside_the_scripts_of_packages_is_judged_as_before() -> None:
    text = "#!/bin/sh\nmysql -phunter2 app\n"
    for path in ("/var/lib/dpkg/info/shop/postinst.sh", "/root/shop.postinst"):
        assert redact_settings(path, text).text == "#!/bin/sh\nmysql -p*** app\n"
