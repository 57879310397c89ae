"""Roots as people write them, and the section of a lock that holds roles and their members."""

import pytest

from envlock.model.lock import Lock
from envlock.model.scope import (
    Member,
    MemberClass,
    Role,
    Root,
    RootKind,
    parse_assignment,
    roles_of,
    scope_records,
)

ROLE = Role(
    "app",
    Root(RootKind.PYTHON, ".venv"),
    (
        Member("deb", "libssl3:amd64", MemberClass.LINKED, "python:app/x → _x.so → libssl.so.3"),
        Member("file", "/usr/local/lib/libx.so", MemberClass.LINKED, "app", "ab" * 32),
        Member("os", "", MemberClass.ALWAYS),
    ),
)


@pytest.mark.parametrize("text", ["process", "python:.venv", "exe:/usr/bin/x", "service:nginx"])
def test_a_root_is_read_as_it_is_written(text: str) -> None:
    assert str(Root.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a kind of root: ''"),
        ("perl:/x", "not a kind of root: 'perl'"),
        ("python", "write python:…"),
        ("python:", "write python:…"),
        ("process:1", "write process alone"),
        ("process:", "write process alone"),
        ("exe:/bin/\x1b[31m", "control character"),
    ],
)
def test_what_is_no_root_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="root") as caught:
        Root.parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["app", "a/b=process", "=process", "-x=process", "a b=process"])
def test_an_assignment_needs_a_role_that_is_a_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"not (ROLE=ROOT|a name of a role)"):
        parse_assignment(text)


def test_roles_are_read_back_from_the_lock() -> None:
    roles = (ROLE, Role("web", Root(RootKind.PROCESS), assumed=True))
    lock = Lock.of(scope_records(roles))
    assert tuple(roles_of(lock).values()) == roles


def test_records_of_no_known_form_are_left_out() -> None:
    sections = {
        "scope": {
            "app": {"root": "python:.venv"},
            "app/deb:libc6": {"class": "of a later version"},
            "app/nonsense": {"class": "linked"},
            "other/deb:libc6": {"class": "linked"},
            "bad": {"root": "later:form"},
        }
    }
    assert roles_of(Lock(sections=sections)) == {"app": Role("app", Root(RootKind.PYTHON, ".venv"))}
