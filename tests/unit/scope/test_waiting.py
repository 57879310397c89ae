"""Which commands of containers are applications."""

from __future__ import annotations

import pytest

from envlock.scope.waiting import is_application


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gunicorn shop:app", True),
        ("tini -- gunicorn shop:app", True),
        ("/entry.sh bash", True),
        ("python3", True),
        ("sh /start.sh", True),
        ("env A=1 sh -e start", True),
        ("", False),
        ("bash", False),
        ("/bin/bash -l", False),
        ("sleep infinity", False),
        ("tini -- sleep infinity", False),
        ("tail -f /dev/null", False),
        ("/sbin/init", False),
        ("/lib/systemd/systemd --system", False),
    ],
)
def test_what_is_an_application(words, expected):
    assert is_application(words.split()) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exec serve --port 80", True),
        ("sleep 5 && serve", True),
        ("while true; do sleep 1; done", False),
        ("trap : TERM; sleep infinity & wait", False),
        ("sh -c 'sleep 9'", False),
        ("", False),
    ],
)
def test_a_command_of_a_shell(script, expected):
    assert is_application(["sh", "-c", script]) is expected
