"""Which values of settings a report shows."""

import pytest

from envlock.secrets.disclose import NOT_SHOWN, disclose


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("worker_connections", "    worker_connections 4096;"),
        ("maxmemory", "512mb"),
        ("PasswordAuthentication", "PasswordAuthentication no"),
        ("#PasswordAuthentication", "#PasswordAuthentication yes"),
        ("MaxAuthTries", "MaxAuthTries 6"),
        ("password_required", "true"),
        ("listen", "listen [::]:80 default_server;"),
        ("origin", "https://example.org/path"),
    ],
)
def test_shown(name: str, value: str) -> None:
    assert disclose(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requirepass", "requirepass correct horse"),
        ("db_pass", "hunter2"),
        ("Environment", "Environment=PGPASSWORD=hunter2"),
        ("", '"apiKey": "abcdef"'),
        ("dsn", "postgres://app:hunter2@db.example.org/app"),
        ("url", "https://user@example.org"),
        ("value", "4f9d7a1c0b3e4f9d7a1c0b3e4f9d7a1c"),
        ("line", "-----BEGIN PRIVATE KEY-----"),
        ("password", "no way"),
        ("auth_token", "12345"),
    ],
)
def test_not_shown(name: str, value: str) -> None:
    assert disclose(name, value) == NOT_SHOWN
