"""Which files are secret by what stands in them."""

import pytest

from envlock.capture.redact import is_secret_file


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
def test_a_setting_that_only_sounds_like_one(line: bytes) -> None:
    assert is_secret_file("/etc/app.conf", line + b"\n") is None
