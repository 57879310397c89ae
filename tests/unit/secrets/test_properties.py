"""What holds for every text: it is judged, judging it again finds nothing, and it stays short."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.arguments import redact_arguments
from envlock.secrets.files import FileKind, judge_file
from envlock.secrets.settings import redact_settings
from envlock.secrets.shapes import find_shape, mask_shapes
from envlock.secrets.spans import Span, mask_spans, merge_spans

PATHS = (
    "/etc/a.conf",
    "/srv/a.yml",
    "/srv/a.json",
    "/srv/a.xml",
    "/srv/a.sh",
    "/srv/settings.py",
    "/srv/a.md",
    "/etc/ppp/chap-secrets",
    "/usr/share/x/a.ini",
    "/root/.pgpass",
)

FRAGMENTS = st.sampled_from(
    [
        "password",
        "token",
        "secret",
        "DB_PASSWORD",
        "api_key",
        "auth",
        "name",
        "value",
        "key",
        "user",
        "=",
        ":",
        " = ",
        ": ",
        "=>",
        ":=",
        ",",
        ";",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\\\n",
        "- ",
        "  ",
        "#",
        "//",
        '"',
        "'",
        "`",
        "\\",
        '\\"',
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "|",
        "${",
        "}",
        "{{",
        "}}",
        "$",
        "%",
        "@",
        "&",
        "?",
        "--",
        "-p",
        "-u ",
        "***",
        "://",
        "http://bob:",
        "hunter2",
        "s3cr3t",
        "x",
        "1",
        "true",
        "CHANGEME",
        "correct horse",
        "aB3dE6gH9jK2mN5pQ8",
        "mysql ",
        "curl ",
        "echo ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "MIIEvQIBADAN",
        "kind: Secret\ndata:\n",
        "<password>",
        "</password>",
        "$6$abcdefgh$",
        "Authorization: Bearer ",
        "é",
        "\0",
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map("".join) | st.text(max_size=300)


@given(st.sampled_from(PATHS), TEXTS)
def test_a_second_reading_finds_nothing(path: str, text: str) -> None:
    redacted = redact_settings(path, text)
    assert redact_settings(path, redacted.text) == (redacted.text, ())


@given(st.sampled_from(PATHS), TEXTS)
def test_only_values_are_replaced(path: str, text: str) -> None:
    """What is left stands in the text in the same order, and each finding adds one mask at most."""
    redacted = redact_settings(path, text)
    assert len(redacted.text) <= len(text) + 3 * len(redacted.findings)
    at = 0
    for part in redacted.text.split("***"):
        at = text.find(part, at)
        assert at >= 0 or "***" in text
        at += len(part)
    if not redacted.findings:
        assert redacted.text == text


@given(st.lists(TEXTS, max_size=8))
def test_arguments_are_stable(argv: list[str]) -> None:
    redacted = redact_arguments(argv)
    assert len(redacted) == len(argv)
    assert redact_arguments(redacted) == redacted


@given(TEXTS)
def test_shapes_are_stable(text: str) -> None:
    assert find_shape(mask_shapes(text)) == ""


@given(st.sampled_from(PATHS), TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "utf-32"]))
def test_a_file_is_judged_like_its_text(path: str, text: str, encoding: str) -> None:
    content = text.encode(encoding, "replace")
    judged = judge_file(path, mode=0o644, content=content, size=len(content))
    if judged.kind is FileKind.REDACTED and "\0" not in text:
        assert (
            judged.content.decode(encoding) == redact_settings(path, content.decode(encoding)).text
        )


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_spans_are_merged(pairs: list[tuple[int, int]]) -> None:
    text = "abcdefghijklmnopqrstuvwxyz01234"
    spans = [Span(min(pair), max(pair), "rule") for pair in pairs if pair[0] != pair[1]]
    merged = merge_spans(spans)
    assert all(a.end <= b.start for a, b in pairwise(merged))
    hidden = {index for span in spans for index in range(span.start, span.end)}
    assert {index for span in merged for index in range(span.start, span.end)} == hidden
    assert mask_spans(text, merged).replace("***", "") == "".join(
        character for index, character in enumerate(text) if index not in hidden
    )


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 9])
def test_short_texts(length: int) -> None:
    for character in "a1-'\"=:<{[\\\n ":
        redact_settings("/etc/a.conf", character * length)
        redact_settings("/etc/a.conf", "password" + character * length)
