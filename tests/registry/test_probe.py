"""`envlock registry probe` says what a registry can do, and deletes what it wrote where it may."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable

import pytest

from envlock.registry.client import OCI_INDEX, OCI_MANIFEST, digest_of
from tests.conftest import Cli
from tests.registry.faults import Fault, Question, Reply, proxy

ALL = [
    "answers", "authentication", "uploads", "uploads in chunks", "mounts", "images",
    "artifact types", "indexes", "referrers", "deletion",
]  # fmt: skip


def abilities(envlock: Cli, host: str) -> dict[str, dict[str, object]]:
    """Return what a probe finds, by name."""
    found = envlock("registry", "probe", f"oci://{host}/probed/here", "--json").json["abilities"]
    assert [each["name"] for each in found] == ALL[: len(found)]
    return {each["name"]: each for each in found}


def test_what_the_registry_of_debian_can_do(envlock: Cli, registry: str) -> None:
    found = abilities(envlock, registry)
    missing = {name for name, each in found.items() if not each["is_there"]}
    assert missing == {"authentication", "referrers"}
    assert found["referrers"]["is_there"] is False
    assert found["answers"]["detail"] == "http"
    assert not found["authentication"]["is_there"]
    text = envlock("registry", "probe", f"oci://{registry}/probed/here").out
    assert text.splitlines()[2].split() == ["uploads", "yes"]


def test_what_is_refused_is_told(envlock: Cli, registry: str) -> None:
    def refusing(question: Question, ask: Callable[[], Reply]) -> Reply:
        if question.method == "PATCH" or b"artifactType" in question.content:
            return Reply(405, {}, b'{"errors": [{"code": "UNSUPPORTED"}]}')
        if "mount=" in question.path:
            return Reply(404, {}, b"")
        return ask()

    with proxy(registry, refusing) as (host, _):
        found = abilities(envlock, host)
    assert not found["artifact types"]["is_there"]
    assert "UNSUPPORTED" in str(found["artifact types"]["detail"])
    assert not found["uploads in chunks"]["is_there"]
    assert found["mounts"]["is_there"] is None
    assert found["images"]["is_there"]


def test_where_nothing_may_be_written_the_rest_is_not_tried(envlock: Cli, registry: str) -> None:
    def read_only(question: Question, ask: Callable[[], Reply]) -> Reply:
        if question.method == "POST":
            return Reply(403, {}, b'{"errors": [{"code": "DENIED"}]}')
        return ask() if question.method == "GET" else Reply(404, {}, b"")

    with proxy(registry, read_only) as (host, _):
        found = abilities(envlock, host)
    assert list(found)[-1] == "uploads"
    assert found["uploads"]["is_there"] is None
    assert "DENIED" in str(found["uploads"]["detail"])


def test_a_registry_that_is_not_there_is_told(envlock: Cli) -> None:
    assert "127.0.0.1:9" in envlock("registry", "probe", "oci://127.0.0.1:9/a", status=4).err


def written(seen: list[Question]) -> set[str]:
    """Return the digests of blobs and manifests that were written to a repository."""
    found = {q.path.partition("digest=")[2] for q in seen if q.method == "PUT"}
    found |= {q.path.rpartition("/manifests/")[2] for q in seen if "/manifests/" in q.path}
    return {each.replace("%3A", ":") for each in found if each.startswith("sha256")}


def is_there(registry: str, digest: str) -> bool:
    connection = http.client.HTTPConnection(registry, timeout=30)
    statuses = []
    for kind in ("manifests", "blobs"):
        accept = {"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}"}
        connection.request("HEAD", f"/v2/probed/here/{kind}/{digest}", headers=accept)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return 200 in statuses


def test_nothing_stays_of_it(envlock: Cli, registry: str) -> None:
    with proxy(registry) as (host, seen):
        found = abilities(envlock, host)
    assert found["deletion"]["is_there"]
    digests = written(seen)
    assert len(digests) >= 6
    left = {digest for digest in digests if is_there(registry, digest)}
    assert left <= {digest_of(b"{}")}


def test_where_nothing_is_deleted_it_says_what_is_left(envlock: Cli, registry: str) -> None:
    def keeping(question: Question, ask: Callable[[], Reply]) -> Reply:
        is_upload = "/uploads/" in question.path
        return Reply(405, {}, b"") if question.method == "DELETE" and not is_upload else ask()

    with proxy(registry, keeping) as (host, seen):
        found = abilities(envlock, host)["deletion"]
    assert found["is_there"] is False
    named = set(re.findall("sha256:[0-9a-f]{64}", str(found["detail"])))
    assert named == written(seen) - {digest_of(b"{}")} | (named & {digest_of(b"{}")})


def answering(method: str, part: str, reply: Reply) -> Fault:
    """Return a fault: a method on paths with some part gets a reply, whatever was done."""

    def fault(question: Question, ask: Callable[[], Reply]) -> Reply:
        is_it = question.method == method and part in question.path
        return reply if is_it else ask()

    return fault


DENIED = Reply(403, {}, b'{"errors": [{"code": "DENIED"}]}')


@pytest.mark.parametrize(
    ("name", "method", "part", "reply", "verdict"),
    [
        ("deletion", "DELETE", "/manifests/", DENIED, None),
        ("deletion", "DELETE", "/manifests/", Reply(404, {}, b""), None),
        ("deletion", "DELETE", "/manifests/", Reply(202, {}, b""), None),
        ("deletion", "DELETE", "/manifests/", Reply(405, {}, b""), False),
        ("deletion", "DELETE", "/blobs/sha", Reply(405, {}, b""), True),
        ("mounts", "POST", "mount=", DENIED, None),
        ("mounts", "POST", "mount=", Reply(202, {"Location": "/v2/x/blobs/uploads/1"}, b""), False),
        ("uploads in chunks", "PATCH", "", DENIED, None),
        ("uploads in chunks", "PATCH", "", Reply(416, {}, b""), None),
        ("uploads in chunks", "PATCH", "", Reply(400, {}, b""), None),
        ("uploads in chunks", "PATCH", "", Reply(501, {}, b""), False),
        ("uploads in chunks", "PATCH", "", Reply(202, {}, b""), None),
        ("images", "PUT", "/manifests/", DENIED, None),
        ("images", "PUT", "/manifests/", Reply(404, {}, b""), None),
        ("referrers", "GET", "/referrers/", DENIED, None),
        ("referrers", "GET", "/referrers/", Reply(200, {}, b"<html>"), None),
        ("referrers", "GET", "/referrers/", Reply(200, {}, b'{"manifests": []}'), True),
    ],
)
def test_an_answer_that_proves_nothing_leaves_it_unknown(
    envlock: Cli, registry: str, name: str, method: str, part: str, reply: Reply, verdict: object
) -> None:
    with proxy(registry, answering(method, part, reply)) as (host, _):
        found = abilities(envlock, host)
    assert found[name]["is_there"] is verdict


def test_large_chunks_are_not_tried(envlock: Cli, registry: str) -> None:
    def wanting(question: Question, ask: Callable[[], Reply]) -> Reply:
        answer = ask()
        more = {"OCI-Chunk-Min-Length": str(8 << 20)} if question.method == "POST" else {}
        return answer._replace(headers={**answer.headers, **more})

    with proxy(registry, wanting) as (host, _):
        found = abilities(envlock, host)
        text = envlock("registry", "probe", f"oci://{host}/probed/here").out
    assert found["uploads in chunks"]["is_there"] is None
    assert "at least 8,388,608 bytes" in str(found["uploads in chunks"]["detail"])
    assert text.splitlines()[3].startswith("uploads in chunks   unknown  not tried")
