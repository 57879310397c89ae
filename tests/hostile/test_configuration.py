"""Settings, policies and baselines that are broken on purpose: status 2 and one sentence."""

from __future__ import annotations

import os

import pytest

from envlock.config.sources import MAX_SIZE
from envlock.model.document import MAX_DEPTH, MAX_KEYS
from tests.hostile.conftest import Attacked

DIGITS = "1" * 5000
LONG = "a" * 80_000
LOCK = 'lock-version = "1.0"\n\n[os]\nid = "debian"\n'

SETTINGS: dict[str, str | bytes] = {
    "null": b"\0",
    "null bytes": bytes(10_000),
    "no text": bytes(range(256)),
    "UTF-16": "jobs = 1\n".encode("utf-16"),
    "return": "jobs = 1\rcolor = 1\n",
    "number of many digits": f"jobs = {DIGITS}\n",
    "hexadecimal number": f"jobs = 0x{LONG}\n",
    "negative number": "jobs = -1\n",
    "float": "jobs = 1e400\n",
    "not a number": "jobs = nan\n",
    "open list": "x = " + "[" * 100_000,
    "open tables": "x = " + "{a=" * 100_000,
    "deep list": f"x = {'[' * (MAX_DEPTH + 1)}{']' * (MAX_DEPTH + 1)}\n",
    "dotted keys": ".".join("a" * (MAX_KEYS + 1)) + " = 1\n",
    "dotted keys without end": ".".join("a" * 50_000) + " = 1\n",
    "open string": f'store.path = "{LONG}',
    "unknown setting": f'{LONG} = "1"\n',
    "unknown table": f"[{LONG}]\n",
    "table in place of a setting": "[jobs]\nx = 1\n",
    "setting in place of a table": 'capture = "x"\n',
    "array in place of a table": "[[capture]]\n",
    "table in place of an array": '[waive]\nid = "x"\n',
    "arrays of numbers": "waive = [1, 2]\n",
    "environments of numbers": "environments = 5\n",
    "environment with a slash": '[environments."a/b"]\ntarget = "host"\n',
    "environment that leaves": '[environments.".."]\ntarget = "host"\n',
    "environment with a line end": '[environments."a\\nb"]\ntarget = "host"\n',
    "environment of a number": "[environments]\na = 5\n",
    "pattern of a number": "capture.files = [1]\n",
    "pattern that matches no path": 'capture.files = ["etc"]\n',
    "pattern with a null": 'capture.files = ["/etc/\\u0000"]\n',
    "long pattern": f'capture.files = ["/{LONG}"]\n',
    "too many patterns": "capture.files = [" + '"/a*",' * 100_000 + "]\n",
    "path with a null": 'store.path = "/x\\u0000y"\n',
    "section that is none": 'diff.require = ["' + LONG + '"]\n',
    "waiver without a reason": '[[waive]]\nid = "x"\n',
    "waiver until no day": '[[waive]]\nid = "x"\nreason = "y"\nexpires = "2024-02-31"\n',
    "waiver until a year of digits": f'[[waive]]\nid = "x"\nreason = "y"\nexpires = "{DIGITS}"\n',
    "mirror with a password": 'materialize.mirrors = ["https://a:b@example.org/"]\n',
    "mirror that is none": 'materialize.mirrors = ["http://[::1"]\n',
    "mirror of another scheme": 'materialize.mirrors = ["gopher://example.org/"]\n',
    "rule of an unknown action": '[[normalize]]\npath = "/x"\naction = "burn"\nreason = "y"\n',
    "expectation of nothing": "[[expect]]\n",
    "a mistake behind a string of many lines": 'x = """' + "line\n" * 100_000 + '"""\n',
    "a mistake behind many tables": '[[normalize]]\npath = "/x"\naction = "drop"\nreason = "y"\n'
    * 2000
    + "oops = 1\n",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(attacked: Attacked, name: str) -> None:
    content = SETTINGS[name]
    raw = content.encode() if isinstance(content, str) else content
    (attacked.folder / "envlock.toml").write_bytes(raw)
    (attacked.folder / "x.lock").write_text(LOCK)
    attacked("show", "./x.lock").is_refused(2)


@pytest.mark.parametrize(
    "name",
    [name for name in SETTINGS if name.startswith(("null", "number", "open", "d", "waiver"))],
)
def test_policies(attacked: Attacked, name: str) -> None:
    content = SETTINGS[name]
    raw = content.encode() if isinstance(content, str) else content
    (attacked.folder / "policy.toml").write_bytes(raw)
    (attacked.folder / "x.lock").write_text(LOCK)
    attacked("diff", "./x.lock", "./x.lock", "--policy", "policy.toml").is_refused(2)


BASELINES: dict[str, str] = {
    "nothing": "",
    "no text": "\0",
    "other version": 'baseline-version = "2"\n',
    "version of a number": f"baseline-version = {DIGITS}\n",
    "pairs of numbers": 'baseline-version = "1"\npair = 5\n',
    "pair of text": 'baseline-version = "1"\n[pair]\na = "b"\n',
    "deep pairs": 'baseline-version = "1"\n[pair.' + ".".join("a" * 5000) + "]\n",
    "row of numbers": 'baseline-version = "1"\n[pair.a.b.0123456789ab]\nwhat = 1\n',
    "row without a digest": 'baseline-version = "1"\n[pair.a.b.0123456789ab]\n'
    'what = "x"\nleft = "y"\nright = "z"\n',
    "long id": f'baseline-version = "1"\n[pair.a.b.{LONG}]\nwhat = "x"\nleft = "y"\nright = "z"\n',
}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines(attacked: Attacked, name: str) -> None:
    (attacked.folder / "base.toml").write_text(BASELINES[name])
    (attacked.folder / "x.lock").write_text(LOCK)
    attacked("diff", "./x.lock", "./x.lock", "--baseline", "base.toml").is_refused(2)


VARIABLES: dict[str, str] = {
    "ENVLOCK_JOBS": DIGITS,
    "ENVLOCK_COLOR": LONG,
    "ENVLOCK_CAPTURE_FILES": "/" + "a*" * 3000,
    "ENVLOCK_CAPTURE_TIMEOUT": "-1",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_variables(attacked: Attacked, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, VARIABLES[name])
    (attacked.folder / "x.lock").write_text(LOCK)
    attacked("show", "./x.lock").is_refused(2)


def test_settings_of_the_largest_size_and_one_byte_more(attacked: Attacked) -> None:
    path = attacked.folder / "envlock.toml"
    (attacked.folder / "x.lock").write_text(LOCK)
    path.write_text("#" * MAX_SIZE)
    attacked("show", "./x.lock").is_sound()
    path.write_text("#" * (MAX_SIZE + 1))
    outcome = attacked("show", "./x.lock")
    outcome.is_refused(2)
    assert f"larger than {MAX_SIZE:,} bytes" in outcome.err
    os.truncate(path, 0)
    assert attacked("show", "./x.lock").status == 0
