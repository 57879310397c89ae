"""Commands of many fixes become few, and keep their meaning."""

import pytest

from envlock.apply.commands import merged

PIP = "/srv/app/.venv/bin/pip"


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([], []),
        ([("true",), ("true",)], [("true",)]),
        (
            [
                ("apt-get", "install", "--no-install-recommends", "a=1"),
                ("apt-mark", "auto", "a"),
                ("apt-get", "install", "--no-install-recommends", "--allow-downgrades", "b=1"),
                ("apt-mark", "auto", "b"),
            ],
            [
                (
                    "apt-get",
                    "install",
                    "--no-install-recommends",
                    "--allow-downgrades",
                    "a=1",
                    "b=1",
                ),
                ("apt-mark", "auto", "a", "b"),
            ],
        ),
        (  # a hold is lifted before its package changes, and what was begun is finished
            [
                ("apt-get", "install", "a=1"),
                ("apt-mark", "hold", "a"),
                ("apt-mark", "unhold", "b"),
                ("dpkg", "--configure", "-a"),
            ],
            [
                ("apt-mark", "unhold", "b"),
                ("dpkg", "--configure", "-a"),
                ("apt-get", "install", "a=1"),
                ("apt-mark", "hold", "a"),
            ],
        ),
        (  # a reinstallation is no installation
            [("apt-get", "install", "--reinstall", "a=1"), ("apt-get", "install", "b=1")],
            [("apt-get", "install", "--reinstall", "a=1"), ("apt-get", "install", "b=1")],
        ),
        (
            [(PIP, "install", "--no-deps", "a==1"), (PIP, "install", "--no-deps", "b==1")],
            [(PIP, "install", "--no-deps", "a==1", "b==1")],
        ),
        (  # another environment, and another meaning of the options
            [
                (PIP, "install", "--no-deps", "a==1"),
                ("/x/bin/pip", "install", "--no-deps", "a==1"),
                (PIP, "install", "--force-reinstall", "--no-deps", "b==1"),
            ],
            [
                (PIP, "install", "--no-deps", "a==1"),
                ("/x/bin/pip", "install", "--no-deps", "a==1"),
                (PIP, "install", "--force-reinstall", "--no-deps", "b==1"),
            ],
        ),
        (  # an unknown option keeps a command by itself
            [("apt-get", "install", "--purge", "a"), ("apt-get", "install", "b")],
            [("apt-get", "install", "--purge", "a"), ("apt-get", "install", "b")],
        ),
    ],
)
def test_merged(commands, expected):
    assert merged(commands) == tuple(expected)
    assert merged(expected) == tuple(expected)
