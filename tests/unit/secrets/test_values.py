"""Which values of named settings are secrets, and which only stand where one could."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE, judge_value

LITERALS = [
    "hunter2",
    "s3cr3t",
    "letmein",
    "postgres",
    "supersecret",
    "mysecretpassword",
    "Passw0rd!",
    "qwerty123",
    "12345",
    "p@ss;w(o)rd",
    "Zk3jfu39Gh28sL",
    "kkjh2398dkjh23kjhd",
    "correct horse battery staple",
    "aHVudGVyMg==",
    "/9j4AAQSkZJRgABAQEASABIAAD=",
    "${DB_PASSWORD:-hunter2}",
    "<%= ENV['X'] || 'hunter2' %>",
    "密码123",
    "pässwört1",
    "a" * 500 + "1",
    "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    "testing123",
    "admin",
    "=hunter2",
    "#hunter2",
    "@hunter2",
    "%hunter2",
    "~hunter2",
]

PLACEHOLDERS = [
    "",
    " ",
    "CHANGEME",
    "changeme",
    "change_me",
    "change-me-please",
    "changeit",
    "xxxx",
    "XXXXXXXX",
    "xxxx-xxxx-xxxx",
    "****",
    "***",
    "....",
    "---",
    "${VAR}",
    "$VAR",
    "$var",
    "${VAR:-}",
    "${VAR:?unset}",
    "$(cat /x)",
    "`cat /x`",
    "%(x)s",
    "%s",
    "%VAR%",
    "%{x}",
    "{{ x }}",
    "{{x}}",
    "{x}",
    "<%= x %>",
    "#{x}",
    "@VAR@",
    "__VAR__",
    "((x))",
    "<password>",
    "<your-token>",
    "[password]",
    "example",
    "example-token",
    "your-password",
    "your_api_key_here",
    "YOUR_TOKEN",
    "insert-token-here",
    "replace_me",
    "REPLACE_WITH_X",
    "null",
    "None",
    "nil",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "0",
    "1",
    "42",
    "512",
    "required",
    "optional",
    "none",
    "basic",
    "digest",
    "md5",
    "sha256",
    "sha-512",
    "scram-sha-256",
    "bcrypt",
    "argon2id",
    "plain",
    "prompt",
    "ask",
    "auto",
    "default",
    "disabled",
    "oauth2",
    "jwt",
    "peer",
    "files systemd",
    "true|false",
    "password",
    "secret",
    "token",
    "passwd",
    "db-password",
    "github-token",
    "my_secret_key",
    "/etc/x/password",
    "/run/secrets/db",
    "./secret.txt",
    "~/.pw",
    "../x",
    "C:\\x\\y",
    "token.txt",
    "privkey.pem",
    "certs/server.key",
    "30d",
    "15m",
    "3600s",
    "24h",
    "10MB",
    "512k",
    "1.2.3",
    "^7.1.2",
    "2024-01-01",
    "10.0.0.1",
    "10.0.0.0/8",
    "db:5432",
    "0x0800",
    "#cccccc",
    "464/tcp",
    "https://x.example.org/token",
    "file:/etc/x",
    "env:TOKEN",
    "vault:secret/x",
    "arn:aws:x",
    "op://v/i",
    "process.env.TOKEN",
    "os.environ['X']",
    "getenv('X')",
    "var.db_password",
    "self.password",
    "ENC[AES256_GCM,data:p673w==]",
    "!Ref Token",
    "!secret db",
    "string",
    "String",
    "varchar(255)",
    "Enter your password",
    "The password of the user",
    "Your secret token",
    "Passwort eingeben.",
    "Mot de passe",
    "must be at least 8 characters long.",
    "insecure",
    "notasecret",
]


@pytest.mark.parametrize("value", LITERALS)
def test_a_literal_under_the_name_of_a_password_is_one(value: str) -> None:
    for name in ("password", "DB_PASS", "spring.datasource.password", "--passphrase"):
        assert judge_value(name, value)


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_none_under_any_name(value: str) -> None:
    for name in ("password", "api_token", "SECRET_KEY", "auth"):
        assert judge_value(name, value) == ""


@pytest.mark.parametrize("value", LITERALS)
def test_a_literal_under_another_name_is_none_unless_its_shape_says_so(value: str) -> None:
    for name in ("user", "path", "public_key", "token_ttl"):
        assert judge_value(name, value) in ("", "crypt-hash")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("auth", "admin:letmein", SETTING_RULE),
        ("auth", "required", ""),
        ("auth", "ldap2", ""),
        ("token", "4096", ""),
        ("token", "123456", SETTING_RULE),
        ("password", "1234", SETTING_RULE),
        ("storage_key", "theme", ""),
        ("app_key", "base64:kjh2398dkjh23kjhdKJHKJH9==", SETTING_RULE),
        ("db_password", "db_password", ""),
        ("apiKey", "API_KEY", ""),
        (
            "mnemonic",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            SETTING_RULE,
        ),
        ("url", "postgres://app:hunter2@db/app", "url-credentials"),
        ("note", "ghp_" + "aB3dE6gH9jK2" * 3, "github-token"),
        ("Authorization", "Bearer hunter2hunter2", SETTING_RULE),
        ("Authorization", "Bearer", ""),
        ("Authorization", "Bearer ${TOKEN}", ""),
    ],
)
def test_names_and_shapes_decide_together(name: str, value: str, rule: str) -> None:
    assert judge_value(name, value) == rule


@given(st.text(max_size=100), st.text(max_size=300))
def test_any_value_is_judged(name: str, value: str) -> None:
    assert isinstance(judge_value(name, value), str)
    assert measure(value) in Strength
