"""Which engine a reference names: a context, an address, or none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from envlock.errors import TargetError
from envlock.targets.engines import (
    MOST_CONTEXTS,
    connect,
    current_context,
    docker_command,
    split_engine,
)

DIGEST = f"sha256:{64 * '0'}"


@pytest.mark.parametrize(
    ("operand", "name", "engine"),
    [
        ("web", "web", ""),
        ("web@prod", "web", "prod"),
        ("web@tcp://10.0.0.1:2376", "web", "tcp://10.0.0.1:2376"),
        ("web@ssh://anna@db1:2222", "web", "ssh://anna@db1:2222"),
        ("r.example.org:5000/app:v1@prod", "r.example.org:5000/app:v1", "prod"),
        (f"app@{DIGEST}", f"app@{DIGEST}", ""),
        (f"app:v1@{DIGEST}@prod", f"app:v1@{DIGEST}", "prod"),
        (f"app@{DIGEST}@ssh://anna@db1", f"app@{DIGEST}", "ssh://anna@db1"),
        (DIGEST, DIGEST, ""),
        (f"{DIGEST}@prod", DIGEST, "prod"),
        ("app@sha256", "app", "sha256"),
    ],
)
def test_a_digest_is_no_engine(operand: str, name: str, engine: str) -> None:
    assert split_engine(operand) == (name, engine)


@pytest.mark.parametrize("operand", ["web@", "@prod", "@", f"app@{DIGEST}@"])
def test_half_a_reference_is_refused(operand: str) -> None:
    with pytest.raises(TargetError, match="both sides of @"):
        split_engine(operand)


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory for the configuration of docker."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def add_context(configuration: Path, name: str, text: str) -> None:
    folder = configuration / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(text)


def meta(name: str, host: str) -> str:
    return json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}})


def test_an_unknown_context_is_told_with_those_that_exist(configuration: Path) -> None:
    add_context(configuration, "prod", meta("prod", "tcp://10.0.0.1:2376"))
    add_context(configuration, "broken", "{")
    with pytest.raises(TargetError, match="no Docker context 'stage'") as caught:
        connect("stage", "docker:web@stage")
    assert "there are: default, prod;" in caught.value.hint


def test_contexts_are_listed_up_to_a_limit(configuration: Path) -> None:
    for number in range(MOST_CONTEXTS + 1):
        add_context(configuration, f"c{number}", meta(f"c{number}", "unix:///x"))
    with pytest.raises(TargetError) as caught:
        connect("stage", "docker:web@stage")
    listed = caught.value.hint.partition(";")[0].split(", ")
    assert len(listed) == MOST_CONTEXTS + 1, "and the default one"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"Endpoints": {}}', '{"Endpoints": {"docker": []}}', "\0", "1" * 1_100_000],
)
def test_a_damaged_context_is_told(configuration: Path, text: str) -> None:
    add_context(configuration, "prod", text)
    with pytest.raises(TargetError, match="context 'prod' is damaged") as caught:
        connect("prod", "docker:web@prod")
    assert caught.value.where == "docker:web@prod"


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:1", "unix:///no/socket", "tcp://[::1]:99999"])
def test_an_engine_that_does_not_answer_is_named(configuration: Path, host: str) -> None:
    add_context(configuration, "prod", meta("prod", host))
    with pytest.raises(TargetError, match="does not answer at") as caught:
        connect("prod", "docker:web@prod")
    assert host in str(caught.value)
    assert "docker --context prod" in caught.value.hint


def test_other_addresses_are_refused(configuration: Path) -> None:
    for engine in ("http://example.org", "fd://"):
        with pytest.raises(TargetError, match="not an address of an engine"):
            connect(engine, f"docker:web@{engine}")


def test_certificates_that_are_missing_are_told(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    with pytest.raises(TargetError, match="certificates for tcp") as caught:
        connect("tcp://127.0.0.1:1", "docker:web@tcp://127.0.0.1:1")
    assert "ca.pem" in caught.value.hint


def test_the_context_in_use(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_context() == "default"
    (configuration / "config.json").write_text('{"currentContext": "prod"}')
    assert current_context() == "prod"
    monkeypatch.setenv("DOCKER_CONTEXT", "stage")
    assert current_context() == "stage"
    monkeypatch.delenv("DOCKER_CONTEXT")
    (configuration / "config.json").write_text("{")
    assert current_context() == "default"


def test_hints_use_the_same_engine() -> None:
    assert [docker_command(each) for each in ("", "prod", "tcp://x:1")] == [
        "docker",
        "docker --context prod",
        "docker -H tcp://x:1",
    ]
