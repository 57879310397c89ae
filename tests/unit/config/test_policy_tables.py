"""``[[expect]]`` and ``[[waive]]``: reading, invalid rows, and another file as the policy."""

from datetime import date
from pathlib import Path

import pytest

from envlock.config.edit import put_table
from envlock.config.load import PolicyFile, load
from envlock.config.policy_tables import PRESETS, Demand, Expectation, Waiver
from envlock.diff.filters import IgnoreRules
from envlock.diff.policy import presets
from envlock.errors import ConfigError
from envlock.model.facts import SECTIONS
from envlock.versions.likeness import Likeness

EXPECT = """
[[expect]]
section = "deb"
key = "gdb:*"
only-in = ["dev", "ci"]
reason = "no debuggers in production"
"""
WAIVE = """
[[waive]]
id = "e7d5d1abdacd"
reason = "later"
expires = "2027-01-31"
environments = ["dev", "prod"]
values = ["sha256:0123456789abcdef0123456789abcdef", "absent"]
"""


def read(folder: Path, text: str, **kwargs):
    (folder / "envlock.toml").write_text(text)
    return load(folder, {"HOME": "/h"}, {}, **kwargs)


def test_rows_are_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        EXPECT
        + '[[expect]]\nsection = "python"\nsatisfies = "min"\nenvironments = ["a", "b"]\n'
        + 'severity = "low"\nreason = "r"\n'
        + WAIVE
        + 'what = "deb curl:amd64 version"\n',
    )
    assert config.expect == (
        Expectation(
            section="deb",
            key="gdb:*",
            fact="",
            demand=Demand.ONLY_IN,
            reason="no debuggers in production",
            severity="high",
            names=frozenset({"dev", "ci"}),
        ),
        Expectation(
            section="python",
            key="**",
            fact="",
            demand=Demand.SATISFIES,
            reason="r",
            severity="low",
            likeness=Likeness.MIN,
            environments=("a", "b"),
        ),
    )
    assert [expectation.words for expectation in config.expect] == [
        "only-in ci, dev",
        "satisfies min",
    ]
    assert config.waive == (
        Waiver(
            id="e7d5d1abdacd",
            what="deb curl:amd64 version",
            reason="later",
            expires=date(2027, 1, 31),
            environments=("dev", "prod"),
            values=("sha256:0123456789abcdef0123456789abcdef", "absent"),
        ),
    )


def test_a_toml_date_is_a_date(tmp_path: Path) -> None:
    config = read(tmp_path, WAIVE.replace('"2027-01-31"', "2027-01-31"))
    assert config.waive[0].expires == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('section = "deb"\nreason = "x"', 1, "exactly one of"),
        ('section = "deb"\nmust-differ = false\nreason = "x"', 1, "exactly one of"),
        ('section = "deb"\nat-least = "1"', 1, "lacks reason"),
        ('section = "deb"\nat-least = "1"\nreason = ""', 1, "needs a reason"),
        ('section = "deb"\nat-least = "1"\nmust-differ = true\nreason = "x"', 1, "exactly one of"),
        ('section = "deb"\nsatisfies = "min"\nreason = "x"', 1, "needs environments"),
        ('section = "deb"\nsatisfies = "about"\nreason = "x"', 3, "about"),
        ('section = "deb"\nmust-differ = "yes"\nreason = "x"', 3, "true or false, not a string"),
        ('section = "deb"\nmust_differ = true\nreason = "x"', 3, "unknown setting"),
        ('must-differ = true\nenvironments = ["a"]\nreason = "x"', 3, "2 items, not 1"),
    ],
)
def test_an_invalid_expectation_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, f"[[expect]]\n{text}\n")
    assert caught.value.where == f"envlock.toml:{line}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"2027-01-31"', '"2027-13-01"', "must be a date"),
        ('"2027-01-31"', '"2027-W05-7"', "must be a date"),
        ('"2027-01-31"', "2027-01-31T00:00:00", "not a date or time"),
        ('"2027-01-31"', "1", "must be a string"),
        ('reason = "later"', "", "lacks reason"),
        ('reason = "later"', 'reason = ""', "needs a reason"),
        ("sha256:", "sha1:", "values"),
        ("e7d5d1abdacd", "e7d5", "invalid id"),
        ('["dev", "prod"]', '["dev"]', "2 items"),
    ],
)
def test_an_invalid_waiver_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in WAIVE
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, WAIVE.replace(old, new))
    assert caught.value.where.startswith("envlock.toml:")


def test_another_policy_file_replaces_the_whole_policy(tmp_path: Path) -> None:
    own = f'[store]\npath = "s"\n[diff]\nfail-on = "high"\nignore = ["deb"]\n{EXPECT}{WAIVE}'
    other = '[store]\npath = "other"\n[diff]\nbaseline = "b.toml"\n'
    policy = PolicyFile(other.encode(), "git:main:envlock.toml", lambda text: f"git:main:{text}")
    config = read(tmp_path, own, policy=policy)
    assert (config.expect, config.waive, config.diff.ignore) == ((), (), ())
    assert config.diff.fail_on == "low"
    assert config.diff.baseline == "git:main:b.toml"
    assert config.store.path == tmp_path / "s"
    assert "waive" not in config.origins
    assert config.origins["diff.baseline"].where == "git:main:envlock.toml"
    # Variables and options still override the policy.
    config = load(tmp_path, {"HOME": "/h", "ENVLOCK_DIFF_FAIL_ON": "info"}, {}, policy=policy)
    assert config.diff.fail_on == "info"
    broken = policy._replace(raw=b"\xff")
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        read(tmp_path, "", policy=broken)
    assert caught.value.where == "git:main:envlock.toml"


def test_every_preset_name_has_a_definition() -> None:
    assert set(PRESETS) == set(presets.PRESETS)
    for preset in presets.PRESETS.values():
        IgnoreRules(preset.rules)
        assert len(set(preset.rules)) == len(preset.rules)
        assert {rule.partition(":")[0] for rule in preset.rules} <= set(SECTIONS)


HAND = f"# ours\n[diff]\nfail-on = 'low' # all\n{WAIVE}# the end\n"


def test_a_row_replaces_the_one_with_the_same_identity() -> None:
    row = {"id": "e7d5d1abdacd", "environments": ("dev", "prod"), "reason": "still"}
    edited = put_table(HAND, "waive", row, ("id", "environments"))
    assert edited == HAND.replace('"later"', '"still"')
    other = put_table(HAND, "waive", {**row, "environments": ("ci", "prod")}, row)
    assert other.startswith(HAND)
    assert other.count("[[waive]]") == 2
    assert put_table("", "waive", row, row).startswith("[[waive]]")
    with pytest.raises(ConfigError):
        put_table("[", "waive", row, row)
