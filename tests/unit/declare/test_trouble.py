"""What the tools of a sandbox say becomes one sentence, a status and the way on."""

import pytest

from envlock.config.declare_table import Declaration
from envlock.declare.trouble import error_of

SHOP = Declaration(name="shop", origin="debian:bookworm")
END = '\nE: setup failed: E: command failed: chroot "$1" sh\nE: mmdebstrap failed to run\n'


@pytest.mark.parametrize(
    ("said", "id_", "message"),
    [
        ("E: Unable to locate package ngnix", "config", "debian:bookworm has no package ngnix"),
        (
            "E: Package 'a' has no installation candidate",
            "config",
            "debian:bookworm has no package a",
        ),
        ("E: Version '9' for 'curl' was not found", "config", "has no version 9 of curl"),
        ("ERROR: No matching distribution found for clck==8", "config", "nothing for clck==8"),
        ("tar: a: Cannot write: No space left on device", "store", "the disk is full"),
        ("E: You don't have enough free space in /var/cache", "store", "the disk is full"),
        (
            "E: Failed to fetch http://m.org/a  404  Not Found",
            "source",
            "Failed to fetch http://m.org",
        ),
        (
            "E: The repository 'http://m.org s' does not have a Release file.",
            "source",
            "Release file",
        ),
        ("E: unable to pick chroot mode: newuidmap", "sandbox", "no sandbox can be made here"),
        ("I: fine\nsh: 3: useradd: not found", "sandbox", "cannot be installed: sh: 3: useradd"),
        ("npm ERR! code EUSAGE", "sandbox", "cannot be installed: npm ERR! code EUSAGE"),
        ("", "sandbox", "no reason was given"),
    ],
)
def test_each_reason(said: str, id_: str, message: str) -> None:
    found = error_of(f"I: running apt-get update...\n{said}{END}", SHOP)
    assert (found.id, message in found.message) == (id_, True), found.message
    assert "\n" not in found.message
    assert found.hint


@pytest.mark.plants_secrets("what a tool said has one")
def test_no_password_of_a_mirror_is_shown() -> None:
    found = error_of("E: Failed to fetch http://ada:hunter2-Zq9x@m.org/a  404  Not Found", SHOP)
    assert "hunter2" not in f"{found.message}{found.hint}{found.where}"
