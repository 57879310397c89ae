"""Published formats of secrets are found whatever stands around them, and nothing else is."""

from __future__ import annotations

import pytest

from envlock.secrets import shapes
from envlock.secrets.shapes import find_shape, mask_shapes, shape_spans
from tests.unit.secrets.token_samples import CONTEXTS, TOKENS, build, random_parts

SHORT_IS_ENOUGH = {
    "sql-password",
    "connect-call",
    "ldap-password",
    "oracle-url",
    "url-credentials",
    "secure-string",
    "database-dsn",
    "tacacs-password",
}
"""Formats in which even a short text is a secret, because what stands around it says so."""


@pytest.mark.parametrize(("rule", "template"), [*TOKENS, *CONTEXTS])
def test_a_sample_is_found(rule: str, template: str) -> None:
    sample = build(template)
    for text in (sample, f"x = {sample}\n", f'{{"a": "b"}}\n"{sample}"', f"# note\n{sample} end\n"):
        assert rule in {span.rule for span in shape_spans(text)}, text


@pytest.mark.parametrize(("rule", "template"), [*TOKENS, *CONTEXTS])
def test_nothing_of_the_random_part_is_left(rule: str, template: str) -> None:
    sample = build(template)
    masked = mask_shapes(f"before {sample} after")
    assert [part for part in random_parts(template) if part in masked] == []
    assert masked.startswith("before ")
    assert find_shape(masked) == "", "and it is not found again"


@pytest.mark.parametrize(("rule", "template"), [*TOKENS, *CONTEXTS])
def test_what_is_too_short_is_none(rule: str, template: str) -> None:
    if rule not in SHORT_IS_ENOUGH:
        assert rule not in {span.rule for span in shape_spans(build(template, length=2))}


def test_every_row_has_a_sample() -> None:
    sampled = {rule for rule, _ in (*TOKENS, *CONTEXTS)}
    rows = {shape.id for shape in (*shapes.TOKENS, *shapes.LINKS, *shapes.CONTEXTS)}
    assert rows - sampled == {"docker-auth", "basic-authorization"}, "they have tests of their own"


@pytest.mark.parametrize(
    "shape", (*shapes.TOKENS, *shapes.LINKS, *shapes.CONTEXTS), ids=lambda row: row.id
)
def test_every_row_names_its_source(shape: shapes.Shape) -> None:
    assert shape.source.strip()
    assert shape.hints


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"r": {"auth": "Ym9iOmh1bnRlcjI="}}}',
        "Authorization: Basic Ym9iOmh1bnRlcjI=",
        "auth: Ym9iOmh1bnRlcjI=",
    ],
)
def test_base64_of_an_account_is_found(text: str) -> None:
    assert find_shape(text) in ("docker-auth", "basic-authorization", "authorization")


@pytest.mark.parametrize(
    "text",
    [
        '"auth": "required"',
        "auth: enabled1",
        "Basic authentication is used",
        "Authorization: Bearer <token>",
        "Authorization: Bearer $TOKEN",
        'headers["Authorization"] = "Bearer " + token',
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-circle-fade-dot-spinner-animation",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "s.someMethodNameOfACertainObject",
        "https://host:8080/@scope/package",
        "https://git@github.com/x/y.git",
        "http://user:pass@127.0.0.1:3128/",
        "https://<user>:<password>@host/",
        "https://${USER}:${PASSWORD}@host/",
        "postgres://%s:%s@%s/%s",
        "https://forum.example.org/t/how-to-reset-a-token/1234/",
        "https://x/?key=value&sig=none",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCARygAwIBAgIJAK\n-----END CERTIFICATE-----",
        'x = "-----BEGIN PRIVATE KEY-----" + body + "-----END PRIVATE KEY-----"',
        'all columns identified by "code" are sorted',
        "$1 and $2 are arguments",
        "price: $6$ and more",
        "{SHA} is a scheme",
        "sha512-tuGfYXxkQGDPnLJ7SibiQgVgeDgfbPq2k2ICcbgqW8WxWLBAxKQM/ZCu/IT8SOSwmaYl4dpTFCW5xZv7YbbWUw==",
        "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
        "d41d8cd98f00b204e9800998ecf8427e",
    ],
)
def test_what_only_resembles_a_secret(text: str) -> None:
    assert find_shape(text) == ""


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("pg://app:p@ss/w#rd?x@db/x", "pg://app:***@db/x"),
        ("redis://:hunter2@cache", "redis://:***@cache"),
        ("a://b:hunter2@c,a://d:hunter3@e", "a://b:***@c,a://d:***@e"),
        ("see <https://bob:hunter2@x/> now", "see <https://bob:***@x/> now"),
        ("'https://bob:hunter%402@x/'", "'https://bob:***@x/'"),
    ],
)
def test_passwords_of_urls_with_odd_characters(url: str, masked: str) -> None:
    assert mask_shapes(url) == masked
