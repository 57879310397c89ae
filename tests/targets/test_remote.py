"""The remote side is not trusted: its replies are checked; its program runs on an old Python."""

from __future__ import annotations

import ast
import contextlib
import json
import struct
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import TargetError
from envlock.targets.base import ScanPlan
from envlock.targets.remote import ssh_remote
from envlock.targets.remote.remote import RemoteTarget

HELLO = {"uid": 0, "environ": [["LANG", "C"]]}
DIRECTORY = [0o040755, 0, 0, 10**9, 10**9, 4096, 1, 2, 2, "", 0, 0, []]
FILE = [0o100644, 0, 0, 10**9, 10**9, 4, 1, 3, 1, "", 0, 0, []]


class ScriptedLink:
    """A link whose other end sends prepared bytes, whatever it is asked."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.sent = b""

    def send(self, raw: bytes) -> None:
        self.sent += raw

    def receive(self, size: int) -> bytes:
        taken, self._raw = self._raw[:size], self._raw[size:]
        if len(taken) < size:
            raise TargetError("the connection was lost")
        return taken

    def close(self) -> None:
        pass


def frame(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">cI", kind, len(payload)) + payload


def value_frame(value: object) -> bytes:
    return frame(b"J", json.dumps(value).encode())


def target_of(*replies: object) -> RemoteTarget:
    """Return a target whose remote side sends a greeting, then these values or raw frames."""
    parts = (one if isinstance(one, bytes) else value_frame(one) for one in (HELLO, *replies))
    return RemoteTarget("ssh:box", ScriptedLink(b"".join(parts)))


def test_the_program_runs_on_python_3_6_with_nothing_installed():
    source = Path(ssh_remote.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.NamedExpr | ast.Match)]
    annotations = [
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in (function.returns, *(argument.annotation for argument in function.args.args))
    ]
    # Python evaluates annotations when the function is defined; in 3.6 `list` has no subscript.
    assert not [node for node in annotations if isinstance(node, ast.Subscript)]


def test_valid_replies_become_entries_and_gaps():
    target = target_of(
        ["/proc/self/mountinfo", 2, 0, 0, 0, "", ""], None,
        ["/", 0, ["/", *DIRECTORY]], None,
        ["/", 0, [["etc", *DIRECTORY], ["a", *FILE]]], None,
        ["/etc", 13, []], None,
        ["/a", 0, 4, 10**9, 10**9, "0" * 64, ""], None,
    )  # fmt: skip
    gaps = []
    plan = ScanPlan(on_gap=lambda *gap: gaps.append(gap))
    found = [(entry.path, entry.sha256[:1]) for entry in target.scan(plan)]
    assert found == [("/", ""), ("/etc", ""), ("/a", ""), ("/a", "0")]
    assert gaps == [("/etc", "permission denied")]


def test_a_name_that_a_listed_directory_lacks_is_not_asked_for():
    target = target_of(["/etc", 0, [["passwd", *FILE]]], None)
    assert target.names("/etc") == ("passwd",)
    assert target.stat("/etc/passwd").mode == 0o644
    with pytest.raises(FileNotFoundError):  # a question would fail: there is no further reply
        target.stat("/etc/shadow")
    with pytest.raises(FileNotFoundError):
        target.stat("/etc/nothing/below/it")
    with pytest.raises(FileNotFoundError):
        target.names("/etc/nothing/below")
    with pytest.raises(FileNotFoundError):
        target.read("/etc/nothing/below")


@pytest.mark.parametrize("path", ["/etc/link/file", "/etc/link/../file"])
def test_what_is_below_a_directory_that_was_not_listed_is_asked_for(path):
    target = target_of(["/etc", 0, [["link", *FILE]]], None, [path, 0, [path, *FILE]], None)
    assert target.names("/etc") == ("link",)
    assert target.stat(path).mode == 0o644


BOMB = frame(b"Z", zlib.compress(bytes(2 << 20)))


@pytest.mark.parametrize(
    "replies",
    [
        [b"X\0\0\0\0"],
        [b"D\xff\xff\xff\xff"],
        [frame(b"J", b"[" * 100_000)],
        [frame(b"Z", b"not compressed")],
        [BOMB],
        [{"not": "a list"}],
        [["/x", 0]],
        [["/x", 0, True, 0, 0, "", ""]],
        [["/x", 0, 1, 0, 0, "", None]],
    ],
    ids=["kind", "size", "deep", "packed", "bomb", "object", "short", "bool", "null"],
)
def test_malformed_replies_end_the_capture(replies):
    with pytest.raises(TargetError, match="unexpected reply"):
        target_of(*replies).read("/x")


def test_pieces_of_files_come_in_one_reply():
    target = target_of(
        frame(b"D", b"abcd"), frame(b"D", b"ef"), ["/a", 0, [4, 2]], ["/b", 13, []], None
    )
    wanted = {"/a": [(0, 4), (9, 8)], "/b": [(0, 4)]}
    assert target.pieces(wanted) == {"/a": {(0, 4): b"abcd", (9, 8): b"ef"}}
    assert target.conversation.sent == 1


@pytest.mark.parametrize(
    "replies",
    [
        [frame(b"D", b"abcd"), ["/b", 0, [4]]],
        [frame(b"D", b"abcd"), ["/a", 0, [3]]],
        [frame(b"D", b"abcde"), ["/a", 0, [5]]],
        [frame(b"D", b"abcd"), ["/a", 0, [2, 2]]],
        [["/a", 0, None]],
        [["/a", 0, [-1]]],
        [["/a", 0, [False]]],
        [["/a", "0", []]],
        [["/a", 13, []], ["/a", 13, []]],
        [frame(b"D", bytes(1 << 20))] * 2,
    ],
    ids=[
        *("other", "fewer", "larger", "more", "null", "negative", "bool", "text", "twice", "flood")
    ],
)
def test_malformed_replies_about_pieces_end_the_capture(replies):
    with pytest.raises(TargetError, match="unexpected reply"):
        target_of(*replies, None).pieces({"/a": [(0, 4)]})


def test_a_malformed_digest_ends_the_capture():
    with pytest.raises(TargetError, match="unexpected reply"):
        target_of(["/a", 0, 4, 0, 0, "x", ""], None).digests(["/a"])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", 7, None])
def test_a_name_outside_of_its_directory_ends_the_capture(name):
    with pytest.raises(TargetError, match="unexpected reply"):
        target_of(["/etc", 0, [[name, *FILE]]], None).names("/etc")


@pytest.mark.parametrize("at", [1, 2, 4, 6, 7, 8])
@pytest.mark.parametrize("number", [-(1 << 63), 1 << 64, True, "1"])
def test_numbers_out_of_range_end_the_capture(at, number):
    row = ["/x", *FILE]
    row[at] = number
    with pytest.raises(TargetError, match="unexpected reply"):
        target_of(["/x", 0, row], None).stat("/x")


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_documented_errors(raw):
    with contextlib.suppress(TargetError, OSError):
        target = RemoteTarget("ssh:box", ScriptedLink(value_frame(HELLO) + raw))
        target.preload(["/etc/passwd", "/etc/*.d/*"])
        list(target.scan(ScanPlan()))


VALUES = st.recursive(
    st.none() | st.integers(-1, 2**70) | st.text(max_size=3) | st.sampled_from(["/", "/a", "a"]),
    lambda inner: st.lists(inner, max_size=15),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=6), st.integers(0, 3))
def test_arbitrary_values_raise_only_documented_errors(replies, at):
    valid = [["/proc/self/mountinfo", 2, 0, 0, 0, "", ""], None, ["/", 0, ["/", *DIRECTORY]], None]
    with contextlib.suppress(TargetError, OSError):
        target = target_of(*valid[: at * 2], *replies)
        list(target.scan(ScanPlan()))
    with contextlib.suppress(TargetError, OSError):
        target_of(*replies).preload(["/a"])
    for method in ("stat", "names", "read"):
        with contextlib.suppress(TargetError, OSError):
            getattr(target_of(*replies), method)("/a")
