"""The index of the locks of services: what is written is read, and what is damaged is told."""

from __future__ import annotations

import json

import pytest

from envlock.errors import LockfileError
from envlock.store.service_set import MOST_SERVICES, index_of_services, services_of

WHERE = "oci://registry.example.org/envs:shop"


def entry(name: object, digest: object = f"sha256:{'0' * 64}") -> dict[str, object]:
    return {"digest": digest, "annotations": {"io.envlock.service": name}}


def test_what_is_written_is_read() -> None:
    index = index_of_services({"web": b"1", "db": b"2"})
    assert index == index_of_services({"db": b"2", "web": b"1"})
    found = services_of(json.loads(index), WHERE)
    assert list(found) == ["db", "web"]
    assert found["db"] != found["web"]


def test_other_documents_have_no_services() -> None:
    for document in ({}, {"manifests": None}, {"manifests": [{"digest": "x"}, 1, None]}):
        assert services_of(document, WHERE) == {}


@pytest.mark.parametrize(
    "entries",
    [
        [entry("web"), entry("web")],
        [entry(1)],
        [entry("web", "sha256:0")],
        [entry("web", None)],
        [entry("../web")],
        [entry("a\nb")],
        [entry("")],
    ],
)
def test_a_damaged_index_is_told(entries: list[object]) -> None:
    with pytest.raises(LockfileError):
        services_of({"manifests": entries}, WHERE)


def test_services_of_one_index() -> None:
    most = [entry(f"s{number}") for number in range(MOST_SERVICES)]
    assert len(services_of({"manifests": most}, WHERE)) == MOST_SERVICES
    with pytest.raises(LockfileError):
        services_of({"manifests": [*most, entry("more")]}, WHERE)
    with pytest.raises(LockfileError):
        index_of_services({f"s{number}": b"" for number in range(MOST_SERVICES + 1)})
