"""What keeps its version while one package moves."""

import pytest

from envlock.declare.pins import Pins
from envlock.declare.upgrade import let_go, moved_against, pins_without
from envlock.errors import UsageError
from envlock.model.lock import Lock
from envlock.model.record import Record

LOCK = Lock.of(
    [
        Record("deb", "libssl3:amd64", {"version": "3.0.15", "source": "openssl"}),
        Record("deb", "openssl:amd64", {"version": "3.0.15"}),
        Record("deb", "curl:amd64", {"version": "7.88"}),
        Record("python", "app", {"version": "3.11.2"}),
        Record("python", "app/click", {"version": "8.1.7"}),
        Record("python", "app/rich", {"version": "13.7"}),
    ]
)
UNMET = """\
The following packages have unmet dependencies:
 curl : Depends: libcurl4 (= 7.88) but 7.90 is to be installed
        PreDepends: zlib1g (>= 1.3)
E: Unable to correct problems, you have held broken packages.
"""


def test_packages_of_one_source_move_together() -> None:
    pins = pins_without(LOCK, ["openssl"])
    assert pins.debian == {"curl": "7.88"}
    assert pins.python == {"click": "8.1.7", "rich": "13.7"}
    assert pins.preferences == "Package: curl\nPin: version 7.88\nPin-Priority: 1001\n\n"


def test_a_python_package_moves_alone() -> None:
    pins = pins_without(LOCK, ["click"])
    assert pins.constraints == "rich==13.7\n"
    assert len(pins.debian) == 3


def test_what_is_in_no_lock_cannot_move() -> None:
    with pytest.raises(UsageError, match="the lock has no package nginx"):
        pins_without(LOCK, ["nginx"])


def test_what_apt_names_as_unmet_is_let_go_first_and_then_what_needs_it() -> None:
    first = let_go(Pins({"libcurl4": "7.88", "curl": "7.88", "a": "1"}, {}), UNMET)
    assert first
    assert first.debian == {"curl": "7.88", "a": "1"}
    second = let_go(first, UNMET)
    assert second
    assert second.debian == {"a": "1"}
    assert let_go(second, UNMET) is None


def test_a_version_that_was_not_kept_is_told() -> None:
    assert moved_against(Pins({"curl": "7.88"}, {}), LOCK) == []
    assert moved_against(Pins({"curl": "7.70", "gone": "1"}, {}), LOCK) == ["curl"]
