"""`envlock registry probe` says what a registry can do, and leaves no manifest behind."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Cli
from tests.registry.faults import Question, Reply, proxy

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
    can = {name for name, each in found.items() if each["is_there"]}
    assert can >= {"uploads", "uploads in chunks", "mounts", "images", "artifact types", "indexes"}
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
    assert not found["mounts"]["is_there"]
    assert found["images"]["is_there"]


def test_where_nothing_may_be_written_the_rest_is_not_tried(envlock: Cli, registry: str) -> None:
    def read_only(question: Question, ask: Callable[[], Reply]) -> Reply:
        if question.method == "POST":
            return Reply(403, {}, b'{"errors": [{"code": "DENIED"}]}')
        return ask() if question.method == "GET" else Reply(404, {}, b"")

    with proxy(registry, read_only) as (host, _):
        found = abilities(envlock, host)
    assert list(found)[-1] == "uploads"
    assert "DENIED" in str(found["uploads"]["detail"])


def test_a_registry_that_is_not_there_is_told(envlock: Cli) -> None:
    assert "127.0.0.1:9" in envlock("registry", "probe", "oci://127.0.0.1:9/a", status=4).err
