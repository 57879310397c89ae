"""The locks of a compose project travel in one index: one tag, and each service by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from envlock.registry.client import OCI_INDEX, Repository
from envlock.registry.reference import Reference
from tests.conftest import Cli
from tests.registry.faults import Question, Reply, proxy
from tests.registry.machines import built

SERVICES = ("db", "web")


def captured(envlock: Cli, root: Path) -> None:
    """Capture a project of two services, which differ in one file."""
    listed = {}
    for service in SERVICES:
        (root / "srv").mkdir(exist_ok=True)
        (root / "srv/name").write_text(f"{service}\n")
        envlock("capture", f"dir:{root}", "--name", f"shop-{service}", "-q")
        listed[service] = {"lock": f"shop-{service}.lock"}
    (envlock.folder / "locks/shop.json").write_text(json.dumps({"services": listed}))


def test_services_are_pushed_as_one_and_rebuilt_by_name(
    root: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    envlock = there("one")
    captured(envlock, root)
    digest = built(envlock, "shop-web")
    with proxy(registry) as (host, seen):
        reference = f"oci://{host}/services/envs:shop"
        asked = envlock("push", "shop", reference, status=2).err
        assert "locks/shop-db.lock: " in asked
        assert "locks/shop-web.lock: " in asked
        first = envlock("push", "shop", reference, "--yes", "--json").json
        put = [each.path for each in seen if each.method == "PUT" and "/manifests/" in each.path]
        assert put[-1].endswith("/manifests/shop"), "the tag comes last"
        assert len(put) == 3
        assert first["services"] == ["db", "web"]
        assert first["blobs"]["uploaded"] < 12, "what the services share is sent once"
        seen.clear()
        again = envlock("push", "locks/shop.json", reference, "--json").json
        assert again["sent_bytes"] == 0
        assert again["manifest_digest"] == first["manifest_digest"]
        assert {each.method for each in seen} == {"GET", "HEAD"}
        index = index_of(reference)
        assert [e["annotations"]["io.envlock.service"] for e in index["manifests"]] == ["db", "web"]

        sent = envlock.folder
        envlock = there("two")
        done = envlock("pull", reference, "--json").json
        assert done["manifest_digest"] == first["manifest_digest"]
        assert list(done["locks"]) == list(SERVICES)
        for path in map(Path, done["locks"].values()):
            assert path.read_bytes() == (sent / "locks" / path.name).read_bytes()
        assert envlock("push", "shop", reference, "--yes", "--json").json["sent_bytes"] == 0
        assert "name one of them" in envlock("pull", reference, "-o", "x.lock", status=2).err

        envlock = there("three")
        assert built(envlock, f"{reference}#web") == digest
        envlock("pull", f"{reference}#db")
        assert [each.name for each in (envlock.folder / "locks").iterdir()] == ["shop-db.lock"]
        changed = envlock("diff", f"{reference}#web", "shop-db", status=1).out
        assert "/srv/name" in changed
        assert envlock("diff", f"{reference}#db", "shop-db").out.startswith("EQUAL")
        several = envlock("diff", reference, "shop-db", status=2).err
        assert f"hint: name one of db, web, such as {reference}#db" in several
        assert "no service cache" in envlock("diff", f"{reference}#cache", "shop-db", status=2).err


def test_a_remote_of_images_only_gets_each_service_as_one(
    root: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    def images_only(question: Question, ask: Callable[[], Reply]) -> Reply:
        if question.method == "PUT" and b'"artifactType"' in question.content:
            return Reply(415, {}, b"")
        return ask()

    envlock = there("one")
    captured(envlock, root)
    with proxy(registry, images_only) as (host, _):
        remote = f"oci://{host}/services/images"
        (envlock.folder / "envlock.toml").write_text(f'[locks]\nremote = "{remote}"\n')
        assert "takes images only" in envlock("push", "shop", "--yes").err
        assert envlock("push", "shop", "--json").json["sent_bytes"] == 0
        shutil.rmtree(envlock.folder / "locks")
        assert envlock("pull", "shop", "--json").json["new_objects"] == 0
        found = sorted(each.name for each in (envlock.folder / "locks").iterdir())
        assert found == ["shop-db.lock", "shop-web.lock", "shop.json"]
        assert envlock("diff", f"{remote}:shop#db", "shop-db").out.startswith("EQUAL")


def index_of(reference: str) -> dict:
    """Return the index that a tag names."""
    with closing(Repository.open(Reference.parse(reference))) as repository:
        manifest = repository.manifest()
    assert manifest.media_type == OCI_INDEX
    return dict(manifest.document)
