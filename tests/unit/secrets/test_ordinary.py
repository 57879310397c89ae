"""Ordinary files stay as they are: what only speaks of secrets hides nothing."""

from __future__ import annotations

import pytest

from envlock.secrets.files import FileKind, judge_file
from envlock.secrets.settings import redact_settings
from tests.unit.secrets.samples import ORDINARY


def test_there_are_enough_files() -> None:
    assert len(set(ORDINARY)) == len(ORDINARY)
    assert len(ORDINARY) >= 150


@pytest.mark.parametrize(("path", "text"), ORDINARY)
def test_an_ordinary_file_stays_public(path: str, text: str) -> None:
    content = text.encode()
    assert judge_file(path, mode=0o644, content=content, size=len(content)).kind is FileKind.PUBLIC
    assert redact_settings(path, text) == (text, ())


@pytest.mark.parametrize(("path", "text"), ORDINARY)
def test_so_it_does_with_other_ends_of_lines_and_encodings(path: str, text: str) -> None:
    for content in (
        text.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
    ):
        judged = judge_file(path, mode=0o644, content=content, size=len(content))
        assert judged.kind is FileKind.PUBLIC
