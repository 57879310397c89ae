"""Fingerprints under a key: of long, random values only, and useless without the key."""

from envlock.secrets.keyed import KEY_BYTES, ValueKey
from envlock.secrets.redact import redact_environ

LONG = "Zk3jfu39Gh28sLq0"
KEY, OTHER = ValueKey(b"a" * KEY_BYTES), ValueKey(b"b" * KEY_BYTES)


def test_equal_values_have_equal_fingerprints_under_one_key_and_name() -> None:
    made = KEY.fingerprint("TOKEN", LONG)
    assert made == ValueKey(b"a" * KEY_BYTES).fingerprint("TOKEN", LONG)
    assert len({made, KEY.fingerprint("OTHER", LONG), OTHER.fingerprint("TOKEN", LONG)}) == 3
    assert made.partition(":")[0] != OTHER.fingerprint("TOKEN", LONG).partition(":")[0]


def test_a_value_that_could_be_guessed_has_none() -> None:
    for value in ("", "hunter2", "123456", "a" * 64, "abababababababab", "db1.example.org"):
        assert KEY.fingerprint("X", value) == ""


def test_a_key_in_memory_compares_short_values_too_and_is_another_each_time() -> None:
    one, two = ValueKey.in_memory(), ValueKey.in_memory()
    assert one.fingerprint("X", "hunter2") != two.fingerprint("X", "hunter2")
    assert one.fingerprint("X", "hunter2")
    assert repr(one) == repr(two)


def test_no_digest_without_the_key_is_in_a_record() -> None:
    (record,) = redact_environ({"API_TOKEN": LONG}, key=KEY)
    assert record.facts == {"secret": "present", "fingerprint": KEY.fingerprint("API_TOKEN", LONG)}
    (record,) = redact_environ({"API_TOKEN": "hunter2"}, key=KEY)
    assert record.facts == {"secret": "present"}
