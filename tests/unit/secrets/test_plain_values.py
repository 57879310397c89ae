"""Values that are recorded by their shape: one example a row, and nothing that may be a secret."""

import pytest

from envlock.secrets.plain_values import SHAPES, plain_shape
from envlock.secrets.redact import redact_environ

DIGITS = "8f14e45fceea167a5a36dedd4bea2543"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_shape_has_its_example(shape) -> None:
    assert plain_shape("APP_SETTING", shape.example) == shape.name


@pytest.mark.parametrize(
    "value",
    [
        "off", "-1", "0.75", "30s", "1.5 GiB", "warn", "production", "v2.1", "3.11.2", "C.UTF-8",
        "America/Argentina/Ushuaia", "app.wsgi:application", "/usr/lib:/opt/lib",
        "10.0.0.1:5432", "a.example.org:9092,b.example.org:9092", "tcp://127.0.0.1:2375",
    ],
)  # fmt: skip
def test_plain_values(value: str) -> None:
    assert plain_shape("APP_SETTING", value)


@pytest.mark.parametrize(
    "value",
    [
        "hunter2", "letmein", "db1", "123456", "4111111111111111", "correct.horse.battery.staple",
        "correct horse", "admin:12345", "a:b@c", DIGITS, f"/hooks/{DIGITS}",
        f"https://example.org/{DIGITS}", "https://example.org/T0A1B2C3/B0A1B2C3/x9Y8z7",
        "https://example.org/?sig=abc", "https://user@example.org", "https://user:pw@example.org",
        "postgres://app:hunter2@db.example.org/app", "https://example.org/#key",
        "123456789:AAF9x8y7z6w5v4u3t2s1r0q9p8o7n6m5l4k",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Zk3jfu39Gh28sL", "AKIAABCDEFGHIJKLMNOP", "x\ny", "/a\n/b", "yes\n", "1" * 2000,
    ],
)  # fmt: skip
def test_anything_else_may_be_a_secret(value: str) -> None:
    assert not plain_shape("APP_SETTING", value)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "API_TOKEN", "SESSION_SECRET", "COOKIE_KEY", "PIN"]
)
@pytest.mark.parametrize("value", [shape.example for shape in SHAPES])
def test_a_name_with_a_word_for_a_secret_hides_every_shape(name: str, value: str) -> None:
    assert not plain_shape(name, value)


def test_variables_are_recorded_by_list_or_shape_and_never_if_denied() -> None:
    environ = {
        "NO_PROXY": "localhost,.corp,10.0.0.0/8",
        "HTTP_PROXY": "http://user:hunter2@proxy.example.org:3128",
        "DATABASE_PORT": "5432",
        "DATABASE_HOST": "db1",
        "DENIED_PORT": "5432",
        "API_TOKEN": "5432",
    }
    found = {r.key: r.facts for r in redact_environ(environ, deny=("DENIED_*",))}
    shown = {name: facts["value"] for name, facts in found.items() if "value" in facts}
    assert shown == {"NO_PROXY": "localhost,.corp,10.0.0.0/8", "DATABASE_PORT": "5432"}
    assert found["HTTP_PROXY"] == {"secret": "present"}
