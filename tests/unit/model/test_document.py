"""JSON and TOML are parsed within limits, each of which is exact."""

from __future__ import annotations

import tomllib

import pytest

from envlock.model.document import MAX_DEPTH, MAX_KEYS, MAX_VALUES, parse_json, parse_toml


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_depth_of_toml():
    assert parse_toml(f"x = {nested(MAX_DEPTH)}")
    with pytest.raises(tomllib.TOMLDecodeError, match="too deeply"):
        parse_toml(f"x = {nested(MAX_DEPTH + 1)}")


def test_keys_that_dots_join():
    assert parse_toml(".".join("a" * MAX_KEYS) + " = 1")
    with pytest.raises(tomllib.TOMLDecodeError, match="too deeply"):
        parse_toml(".".join("a" * (MAX_KEYS + 1)) + " = 1")


@pytest.mark.parametrize(
    "text",
    [
        'x = "{0}"',
        "x = '{0}'",
        'x = """\n{0}"""',
        "x = '''\n{0}'''",
        "# {0}\nx = 1",
        'x = "\\"{0}"',
        '[x]\n"{0}" = 1',
    ],
)
@pytest.mark.parametrize("mark", [".", "[", "{", ","])
def test_marks_in_strings_and_comments_do_not_count(text, mark):
    assert parse_toml(text.format(mark * 1000))


def test_dots_of_several_numbers_do_not_add_up():
    assert parse_toml(f"x = [{'1.5, ' * 1000}]")


def test_a_number_of_too_many_digits_is_an_error_of_toml():
    with pytest.raises(tomllib.TOMLDecodeError, match="too long"):
        parse_toml("x = " + "1" * 5000)


def test_values_of_json():
    assert len(parse_json(f"[{'0,' * MAX_VALUES}0]")) == MAX_VALUES + 1
    with pytest.raises(ValueError, match="more than 2,000,000 values"):
        parse_json(f"[{'0,' * (MAX_VALUES + 1)}0]".encode())


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\udc80", "{", ""])
def test_whatever_is_wrong_with_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud800"', "\ufffd"),
        (r'"\udfff x"', "\ufffd x"),
        (r'"\ud800\ud83d\ude00"', "\ufffd😀"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\udce9"', "\udce9"),
        (r'"\uD8aa\n"', "\ufffd\n"),
    ],
)
def test_lone_surrogates_are_replaced_but_for_bytes_that_are_no_text(text, value):
    assert parse_json(text) == parse_json(text.encode()) == value


def test_surrogates_in_the_bytes_themselves_are_refused():
    with pytest.raises(ValueError):
        parse_json(b'"\xed\xa0\x80"')


def test_depth_of_json():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(text)
    with pytest.raises(ValueError, match="too deeply"):
        parse_json(f"[{text}]")


@pytest.mark.parametrize("first", "0123456789abcdef")
def test_a_digest_is_no_number(first):
    digest = first + "0" * 63
    assert parse_toml(f'sha256 = "{digest}"') == {"sha256": digest}
    assert parse_toml(f"sha256 = '{digest}'") == {"sha256": digest}


@pytest.mark.parametrize("base", "xob")
def test_a_number_of_another_base_has_a_limit_too(base):
    with pytest.raises(tomllib.TOMLDecodeError, match="too long"):
        parse_toml(f"x = 0{base}{'1' * 64}")
