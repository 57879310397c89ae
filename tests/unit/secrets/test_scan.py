"""Which files are secret because of their content."""

import pytest

from envlock.secrets.scan import is_secret_file


@pytest.mark.parametrize(
    "line",
    [
        b"API_TOKEN=not-for-you",
        b"export DB_PASSWORD='hunter2222'",
        b"access_token: abcdef123",
        b"requirepass correct-horse",
        b"SECRET_KEY = abcdef123",
    ],
)
def test_a_setting_named_like_a_secret(line: bytes) -> None:
    assert is_secret_file("/srv/app/.env", b"DEBUG=1\n" + line + b"\n") == "password-setting"


@pytest.mark.parametrize(
    "line",
    [
        b"server_tokens off;",
        b"token_endpoint = /oauth",
        b"password = $FROM_ENV",
        b"tokenizer = bpe",
    ],
)
def test_a_setting_that_only_resembles_one(line: bytes) -> None:
    assert is_secret_file("/etc/app.conf", line + b"\n") is None


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "password": "hunter2secret", "b": 2}',
        b'{"db":{"user":"app","db_password":"p@ss;w(o)rd"}}',
        b'{"a": 1, "api_key" :\t"0123456789"}',
        b'<c password="hunter2secret"/>',
        b"<c a='1' client-secret='hunter2secret' />",
        b"<db><password>hunter2secret</password></db>",
        b"<bean:password type='plain'> hunter2secret </bean:password>",
        b"db: {user: app, password: hunter2secret}",
        b'db = { user = "app", password = "hunter2secret" }',
        b'connect("db", password="hunter2secret")  # here',
        b"a: 1\n" + b" " * 100_000 + b'{"password": "hunter2secret"}',
    ],
)
def test_a_password_within_a_line(content: bytes) -> None:
    for path in ("/etc/app/one", "/srv/app/one.json"):
        assert is_secret_file(path, content) == "password-setting"
    assert is_secret_file("/srv/app/one.py", content) is None, "that is no configuration"


@pytest.mark.parametrize(
    "content",
    [
        b'{"password": "", "passwords": 3, "secret": true, "api_key": null}',
        b'{"password": "${DB_PASSWORD}", "secret": "%SECRET%"}',
        b'<c password="${db.password}"/><password>@x</password>',
        b'# {"password": "hunter2secret"}\n// password="hunter2secret"',
        b'<!-- <c password="hunter2secret"/> -->',
        b'{"title": "Enter the password: at least eight", "compass": "north-west"}',
        b'{"passwordField": "a-field", "tokens": "abcdefgh"}',
        b"{password: prompt, secret: required}",
    ],
)
def test_no_password_within_a_line(content: bytes) -> None:
    assert is_secret_file("/etc/app/one.json", content) is None


@pytest.mark.parametrize("word", [b"a-password", b'"', b"password", b"{password:", b"<password "])
def test_long_lines_take_linear_time(word: bytes) -> None:
    """In quadratic time this would take minutes."""
    assert is_secret_file("/etc/app/one.json", word * (1_000_000 // len(word))) is None
