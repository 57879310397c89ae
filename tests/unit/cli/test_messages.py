"""Warnings and notes: each comes from the table, with all of its values, and is documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from envlock.cli.console import Console
from envlock.cli.messages import Level, Message
from envlock.errors import documented_errors

ROOT = Path(__file__).parents[3]


def calls() -> Iterator[ast.Call]:
    """Yield each call of `Console.say` in the package."""
    for path in sorted((ROOT / "envlock").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "say"
            ):
                yield node


def placeholders(message: Message) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message.text) if name}


def messages_in(node: ast.expr) -> list[Message]:
    """Return the messages that an expression can be: one, or those of a conditional."""
    if isinstance(node, ast.IfExp):
        return messages_in(node.body) + messages_in(node.orelse)
    assert isinstance(node, ast.Attribute), ast.unparse(node)
    return [Message[node.attr]]


def test_every_call_gives_the_values_that_its_message_needs() -> None:
    said = set()
    for call in calls():
        given = {keyword.arg for keyword in call.keywords}
        for message in messages_in(call.args[0]):
            said.add(message)
            assert placeholders(message) <= given, (message, call.lineno)
    assert said == set(Message)


def test_only_the_console_writes_to_standard_error() -> None:
    found = {
        path.name
        for path in (ROOT / "envlock/cli").glob("*.py")
        if "sys.stderr" in path.read_text()
    }
    assert found == {"console.py"}


def test_ids_are_unique_among_messages_and_errors() -> None:
    ids = [message.id for message in Message] + [error.id for error in documented_errors()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", identity) for identity in ids)


def test_every_message_and_error_is_documented() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert rows == [
        *(error.id for error in documented_errors()),
        *(message.id for message in Message if message.level is Level.WARNING),
        *(message.id for message in Message if message.level is Level.NOTE),
    ]


@pytest.mark.parametrize("quiet", [False, True])
def test_quiet_hides_notes_but_not_warnings(
    quiet: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(quiet=quiet, verbose=False)
    console.say(Message.WROTE, path="a\x1b.lock")
    console.say(Message.MERGE_CONFLICT, record="deb curl")
    warning = "envlock: warning: conflict: both sides changed deb curl\n"
    assert capsys.readouterr().err == ("" if quiet else "wrote a\\x1b.lock\n") + warning
