"""``envlock key``, and comparisons of values that no lock records."""

import json
import stat

import pytest

from tests.targets.conftest import layout_of

pytestmark = pytest.mark.plants_secrets("in the images that are captured")
TOKEN = "Zk3jfu39Gh28sLq0mW"


@pytest.fixture
def images(tmp_path):
    """Images a, b, c: b has another token and another short value, c is like a."""
    found = {}
    for name, token, word in (("a", TOKEN, "db1"), ("b", TOKEN[::-1], "db2"), ("c", TOKEN, "db1")):
        layout_of(tmp_path / name, [], config={"Env": [f"API_TOKEN={token}", f"DB_HOST={word}"]})
        found[name] = f"oci:{tmp_path / name}"
    return found


def differing(envlock, *sides):
    ran = envlock("diff", *sides, "--json", status=None)
    return [change["key"] for change in json.loads(ran.out)["changes"]]


def capture(envlock, images):
    for name, target in images.items():
        envlock("capture", target, "--name", name, "-q")


def test_a_key_is_private_and_made_once(envlock, tmp_path):
    made = envlock("key", "shop")
    path = tmp_path / "xdg_config_home/envlock/keys/shop"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() not in made.out + made.err
    before = path.read_bytes()
    envlock("key", "shop", status=2)
    assert path.read_bytes() == before
    envlock("key", "../shop", status=2)


def test_locks_compare_long_values_by_a_key_and_the_others_by_presence(envlock, images):
    capture(envlock, images)
    assert differing(envlock, "a", "b") == []
    envlock("key", "shop")
    (envlock.folder / "envlock.toml").write_text('[capture]\nkey = "shop"\n')
    capture(envlock, images)
    ran = envlock("diff", "a", "b", "--json", status=1)
    assert differing(envlock, "a", "b") == ["API_TOKEN"]
    assert json.loads(ran.out)["presence_only"]["variables"] == 1
    assert TOKEN not in ran.out
    assert differing(envlock, "a", "c") == []
    assert "fingerprint" in (envlock.folder / "locks/a.lock").read_text()
    assert envlock("scan", "locks").out == "no secrets\n"


@pytest.mark.parametrize("content", ["", "abc", "0" * 64])
def test_a_key_that_is_missing_damaged_or_open_to_others_is_refused(
    envlock, images, tmp_path, content
):
    (envlock.folder / "envlock.toml").write_text('[capture]\nkey = "shop"\n')
    if content:
        path = tmp_path / "xdg_config_home/envlock/keys/shop"
        path.parent.mkdir(parents=True)
        path.write_text(content)
        path.chmod(0o644 if len(content) == 64 else 0o600)
    envlock("capture", images["a"], status=2)


def test_two_live_sides_compare_every_value_in_memory(envlock, images, tmp_path):
    ran = envlock("diff", images["a"], images["b"], "--json", status=1)
    assert differing(envlock, images["a"], images["b"]) == ["API_TOKEN", "DB_HOST"]
    assert {change["right"] for change in json.loads(ran.out)["changes"]} == {
        "(another value, not recorded)"
    }
    assert envlock("diff", images["a"], images["b"], "--json", status=1).out == ran.out
    assert differing(envlock, images["a"], images["c"]) == []
    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"fingerprint" in content for content in stored)
