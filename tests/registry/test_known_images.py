"""An image of a registry that was captured before is not read again, and gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.secrets.keyed import ValueKey
from tests.conftest import Cli
from tests.registry.conftest import running
from tests.registry.faults import Question, Reply, proxy
from tests.registry.images import BASE, push_image

WORD = "Zk3jfu39" + "Gh28sLq0" + "pW7vTn5x"


class Watched:
    """A registry behind a proxy that counts what is moved."""

    def __init__(self, host: str, replies: list[tuple[Question, Reply]]) -> None:
        self.host = host
        self._replies = replies

    def moved(self) -> int:
        """Return the bytes of blobs above 1,000 bytes, so layers, since the last call."""
        sizes = [len(r.content) for q, r in self._replies if "/blobs/" in q.path]
        self._replies.clear()
        return sum(size for size in sizes if size > 1000)


@pytest.fixture
def watched(registry: str) -> Iterator[Watched]:
    """Return the registry behind such a proxy."""
    replies: list[tuple[Question, Reply]] = []

    def note(question: Question, ask) -> Reply:
        reply = ask()
        replies.append((question, reply))
        return reply

    with proxy(registry, note) as (host, _):
        yield Watched(host, replies)


def test_a_known_image_moves_nothing_and_gives_the_same_bytes(watched: Watched, envlock: Cli):
    reference = push_image(watched.host, "known/app:v1", [BASE, {"opt/app": "one\n"}])
    envlock("capture", reference, "-o", "first.lock")
    assert watched.moved() > 2000
    again = envlock("capture", reference, "-o", "again.lock")
    assert watched.moved() == 0
    assert (envlock.folder / "first.lock").read_bytes() == (
        envlock.folder / "again.lock"
    ).read_bytes()
    assert "not covered" in again.out
    envlock("capture", reference, "-o", "full.lock", "--full")
    assert watched.moved() > 2000
    assert (envlock.folder / "first.lock").read_bytes() == (
        envlock.folder / "full.lock"
    ).read_bytes()
    assert envlock("verify", "first.lock", reference).out.startswith("EQUAL")
    assert watched.moved() > 2000, "a verification reads what it verifies"


def test_an_equal_layer_moves_once(watched: Watched, envlock: Cli):
    shared = {**BASE, "opt/data": os.urandom(2_000_000)}
    v1, v2 = (
        push_image(watched.host, f"known/layers:{tag}", [shared, {"opt/app": content}])
        for tag, content in (("v1", os.urandom(300_000)), ("v2", os.urandom(300_000)))
    )
    watched.moved()
    assert "/opt/app" in envlock("diff", v1, v2, status=1).out
    moved = watched.moved()
    assert 2_600_000 < moved < 2_700_000, "the shared layer and each of the others, once"
    assert "/opt/app" in envlock("diff", v1, v2, status=1).out
    assert watched.moved() == 0


def test_of_a_second_tag_only_the_new_layer_moves(watched: Watched, envlock: Cli):
    shared = {**BASE, "opt/data": os.urandom(2_000_000)}
    v1, v2 = (
        push_image(watched.host, f"known/later:{tag}", [shared, {"opt/app": os.urandom(300_000)}])
        for tag in ("v1", "v2")
    )
    envlock("capture", v1, "-o", "v1.lock")
    watched.moved()
    envlock("capture", v2, "-o", "v2.lock")
    assert 300_000 < watched.moved() < 310_000
    envlock("capture", v2, "-o", "full.lock", "--full")
    assert watched.moved() > 2_300_000
    full = (envlock.folder / "full.lock").read_bytes()
    assert full == (envlock.folder / "v2.lock").read_bytes()


def test_a_moved_tag_is_read(watched: Watched, envlock: Cli):
    reference = push_image(watched.host, "known/moved:v1", [BASE])
    envlock("capture", reference, "-o", "first.lock")
    push_image(watched.host, "known/moved:v1", [BASE, {"opt/new": "new\n"}])
    envlock("capture", reference, "-o", "second.lock")
    assert "/opt/new" in envlock("diff", "first.lock", "second.lock", status=1).out


def test_two_known_images_are_compared_without_layers(watched: Watched, envlock: Cli):
    hidden = {"APP_PASSWORD": WORD, "LANG": "C"}
    v1 = push_image(watched.host, "known/two:v1", [BASE, {"etc/app.conf": "a = 1\n"}], hidden)
    v2 = push_image(watched.host, "known/two:v2", [BASE, {"etc/app.conf": "a = 2\n"}], hidden)
    other, edited = {**hidden, "APP_PASSWORD": WORD[::-1]}, {"etc/app.conf": "a = 2\n"}
    v3 = push_image(watched.host, "known/two:v3", [BASE, edited], other)
    first = envlock("diff", v1, v2, "--json", status=1).json
    assert watched.moved() > 2000
    again = envlock("diff", v1, v2, "--json", status=1).json
    assert watched.moved() == 0
    assert again == first
    assert any("app.conf" in change["key"] for change in again["changes"])
    assert not any(change["key"] == "APP_PASSWORD" for change in again["changes"])
    envlock("diff", v3, v3, "--json")
    watched.moved()
    (change,) = envlock("diff", v2, v3, "--json", status=1).json["changes"]
    assert watched.moved() == 0
    assert change["key"] == "APP_PASSWORD", "each comparison makes its own fingerprints"


def test_a_known_capture_has_the_fingerprints_of_the_key(watched: Watched, envlock: Cli):
    reference = push_image(watched.host, "known/key:v1", [BASE], {"APP_PASSWORD": WORD})
    envlock("key", "team")
    (envlock.folder / "envlock.toml").write_text('[capture]\nkey = "team"\n')
    envlock("capture", reference, "-o", "keyed.lock")
    (envlock.folder / "envlock.toml").write_text("")
    envlock("capture", reference, "-o", "bare.lock")
    (envlock.folder / "envlock.toml").write_text('[capture]\nkey = "team"\n')
    watched.moved()
    envlock("capture", reference, "-o", "again.lock")
    assert watched.moved() == 0
    texts = {n: (envlock.folder / f"{n}.lock").read_text() for n in ("keyed", "bare", "again")}
    assert "fingerprint" in texts["keyed"]
    assert "fingerprint" not in texts["bare"]
    assert texts["again"] == texts["keyed"]


def known_files(envlock: Cli) -> list[Path]:
    store = Path(envlock.folder).parent / "xdg_data_home/envlock"
    return sorted((store / "cache/known").iterdir())


@pytest.mark.parametrize("damage", ["flip", "cut", "tree", "objects", "reference"])
def test_what_is_damaged_is_read_anew(watched: Watched, envlock: Cli, damage: str):
    reference = push_image(watched.host, f"known/{damage}:v1", [BASE, {"opt/app": damage}])
    envlock("capture", reference, "-o", "first.lock")
    watched.moved()
    (known,) = known_files(envlock)
    store = known.parents[2]
    raw = bytearray(known.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
        known.write_bytes(raw)
    elif damage == "cut":
        known.write_bytes(raw[:-1])
    elif damage == "tree":
        lock = (envlock.folder / "first.lock").read_text()
        sha256 = lock.split('object = "sha256:')[1][:64]
        (path,) = (store / "objects" / sha256[:2]).glob(f"{sha256[2:]}*")
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-3] + b"???")
    elif damage == "objects":
        sha256 = hashlib.sha256(damage.encode()).hexdigest()
        (store / "objects" / sha256[:2] / sha256[2:]).unlink()
    else:
        shutil.rmtree(store / "refs")
        (store / "refs").mkdir()
    envlock("capture", reference, "-o", "again.lock")
    assert watched.moved() == 0, "the large layer is known; the object was in the small one"
    first, again = ((envlock.folder / f"{n}.lock").read_bytes() for n in ("first", "again"))
    assert first == again
    assert envlock("store", "check").status == 0
    envlock("capture", reference, "-o", "again.lock")
    assert watched.moved() == 0


def test_another_request_is_another_capture(watched: Watched, envlock: Cli):
    reference = push_image(watched.host, "known/asked:v1", [BASE, {"srv/x": "x\n"}])
    envlock("capture", reference, "-o", "first.lock")
    (envlock.folder / "envlock.toml").write_text('[capture]\nignore = ["/srv/**"]\n')
    watched.moved()
    envlock("capture", reference, "-o", "second.lock")
    assert watched.moved() > 2000
    assert len(known_files(envlock)) == 2


def test_garbage_collection_forgets_and_frees(watched: Watched, envlock: Cli):
    references = [
        push_image(watched.host, f"known/gc:{name}", [{**BASE, "opt/n": name}])
        for name in ("v1", "v2")
    ]
    envlock("diff", *references, status=1)
    assert len(known_files(envlock)) == 2
    sizes = envlock("store", "stats", "--json").json
    assert sizes["caches"]["known"] > 0
    envlock("store", "gc", "--grace", "0")
    assert known_files(envlock) == []
    assert envlock("store", "stats", "--json").json["objects"] == 0
    watched.moved()
    envlock("capture", references[0], "-o", "x.lock")
    assert watched.moved() > 2000
    envlock("store", "gc", "--grace", "0")
    kept = envlock("store", "stats", "--json").json["objects"]
    assert kept > 0, "what a lock needs is kept by the lock"
    assert envlock("store", "check").status == 0


@pytest.mark.plants_secrets("in an image of a registry of its own, to see that no digest stays")
def test_no_digest_of_a_secret_is_known(tmp_path: Path, envlock: Cli):
    key = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{WORD * 8}\n-----END OPENSSH PRIVATE KEY-----\n"
    setting = f"password = {WORD}\n"
    layers = [BASE, {"root/.ssh/id_ed25519": key, "etc/app.conf": setting}]
    with running(tmp_path / "own-registry") as host:
        reference = push_image(host, "known/secret:v1", layers, {"APP_PASSWORD": WORD})
        envlock("capture", reference, "-o", "first.lock")
        envlock("capture", reference, "-o", "again.lock")
        envlock("diff", reference, reference)
    (known,) = known_files(envlock)
    raw = known.read_bytes()
    assert b"id_ed25519" in raw, "the path and the reason are kept"
    for content in (key, setting, WORD):
        digest = hashlib.sha256(content.encode())
        assert content.encode() not in raw
        assert digest.digest() not in raw
        assert digest.hexdigest().encode() not in raw
    assert b"fingerprint" not in raw
    assert ValueKey.in_memory().fingerprint("APP_PASSWORD", WORD).split(":")[1].encode() not in raw
