"""Who may do what: passwords, helpers, tokens, private authorities; and what is never sent."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.errors import RegistryError, UsageError
from envlock.registry.client import Repository, digest_of
from envlock.registry.credentials import ANONYMOUS, Credentials, find_credentials
from envlock.registry.transport import Body
from envlock.registry.uploads import Sent, put_blob
from tests.registry.conftest import PASSWORD, USER, Tls
from tests.registry.faults import Question, Reply, TokenServer, proxy

Open = Callable[..., Repository]
CONTENT = b"what is stored" * 1000
DIGEST = digest_of(CONTENT)


def docker_config(home: Path, **more: object) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps(more))


def auth(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_password_of_docker_login(
    repository: Open, private_registry: str, tmp_path: Path
) -> None:
    docker_config(tmp_path, auths={private_registry: auth()})
    found = repository(private_registry)
    assert put_blob(found, DIGEST, Body.of(CONTENT)) is Sent.UPLOADED
    assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT


@pytest.mark.parametrize("config", [{}, {"auths": {}}])
def test_without_credentials_the_error_says_who_may_help(
    repository: Open, private_registry: str, tmp_path: Path, config: dict[str, object]
) -> None:
    docker_config(tmp_path, **config)
    with pytest.raises(RegistryError) as caught:
        put_blob(repository(private_registry), DIGEST, Body.of(CONTENT))
    assert "401" in str(caught.value)
    assert f"docker login {private_registry}" in caught.value.hint


def test_a_wrong_password_is_not_tried_again_and_not_shown(
    repository: Open, private_registry: str, tmp_path: Path
) -> None:
    docker_config(tmp_path, auths={private_registry: auth(password="wrong-one-of-anna")})
    with pytest.raises(RegistryError) as caught:
        repository(private_registry).manifest("dev")
    assert "wrong-one-of-anna" not in f"{caught.value!r} {caught.value.hint}"


def test_the_longest_key_counts(tmp_path: Path) -> None:
    docker_config(
        tmp_path,
        auths={
            "registry.example.org": auth("host"),
            "registry.example.org/team": auth("team"),
            "https://other.example.org/v1/": auth("old"),
        },
    )
    environ = {"HOME": str(tmp_path)}
    assert find_credentials("registry.example.org", "team/envs", environ).user == "team"
    assert find_credentials("registry.example.org", "x/envs", environ).user == "host"
    assert find_credentials("other.example.org", "x", environ).user == "old"
    assert find_credentials("none.example.org", "x", environ) == ANONYMOUS


def helper(folder: Path, script: str) -> None:
    path = folder / "docker-credential-tests"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo \'{"Username":"u","Secret":"s"}\'', Credentials("u", "s")),
        ('echo \'{"Username":"<token>","Secret":"s"}\'', Credentials(refresh_token="s")),
        ("echo 'credentials not found in native keychain' ; exit 1", ANONYMOUS),
    ],
)
def test_a_helper_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: Credentials
) -> None:
    helper(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    docker_config(tmp_path, credHelpers={"registry.example.org": "tests"})
    environ = {"HOME": str(tmp_path)}
    assert find_credentials("registry.example.org", "x", environ) == expected


def test_a_helper_that_fails_is_an_error_and_a_missing_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, "echo 'the keychain is locked'; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environ = {"HOME": str(tmp_path)}
    docker_config(tmp_path, credsStore="tests")
    with pytest.raises(UsageError, match="helper docker-credential-tests failed"):
        find_credentials("registry.example.org", "x", environ)
    docker_config(tmp_path, credsStore="nowhere")
    assert find_credentials("registry.example.org", "x", environ) == ANONYMOUS
    docker_config(tmp_path, credsStore="../../tmp/evil")
    assert find_credentials("registry.example.org", "x", environ) == ANONYMOUS


def test_a_damaged_configuration_is_told(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text("{")
    with pytest.raises(UsageError, match="not a configuration of Docker"):
        find_credentials("registry.example.org", "x", {"HOME": str(tmp_path)})


def test_credentials_do_not_show_themselves() -> None:
    assert PASSWORD not in repr(Credentials(USER, PASSWORD, PASSWORD))


def test_a_private_authority(repository: Open, tls_registry: Tls) -> None:
    found = repository(tls_registry.address, is_plain=False, ca=tls_registry.authority)
    assert put_blob(found, DIGEST, Body.of(CONTENT)) is not None
    environ = {"SSL_CERT_FILE": str(tls_registry.authority)}
    assert repository(tls_registry.address, is_plain=False, environ=environ).digest("none") == ""


def test_an_unknown_authority_is_refused(repository: Open, tls_registry: Tls) -> None:
    with pytest.raises(RegistryError, match="certificate is not trusted"):
        repository(tls_registry.address, is_plain=False).manifest("dev")


def test_tokens_are_fetched_for_what_is_done_and_kept(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    server = TokenServer(USER, PASSWORD)
    with proxy(registry, server) as (address, _):
        docker_config(tmp_path, auths={address: auth()})
        found = repository(address, "token/kept")
        put_blob(found, DIGEST, Body.of(CONTENT))
        assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT
    assert sorted(server.asked) == ["repository:token/kept:pull", "repository:token/kept:pull,push"]


def test_a_token_that_ended_is_fetched_anew_once(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    server = TokenServer(USER, PASSWORD)
    with proxy(registry, server) as (address, _):
        docker_config(tmp_path, auths={address: auth()})
        found = repository(address, "token/ended")
        assert found.size_of(DIGEST) is None
        server.revoke()
        assert found.size_of(DIGEST) is None
    assert server.asked == ["repository:token/ended:pull"] * 2


def test_a_refresh_token_is_used_by_post(repository: Open, registry: str, tmp_path: Path) -> None:
    server = TokenServer(USER, PASSWORD, refresh_token="refresh-me")
    with proxy(registry, server) as (address, seen):
        docker_config(tmp_path, auths={address: {"identitytoken": "refresh-me"}})
        assert repository(address, "token/refresh").size_of(DIGEST) is None
    assert [q.method for q in seen if q.path.startswith("/token")] == ["POST"]
    assert not any("refresh-me" in q.path for q in seen)


def test_a_refusal_of_the_token_server_names_the_right(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    with proxy(registry, TokenServer(USER, "another password")) as (address, _):
        docker_config(tmp_path, auths={address: auth()})
        with pytest.raises(RegistryError) as caught:
            put_blob(repository(address, "token/refused"), DIGEST, Body.of(CONTENT))
    assert "repository:token/refused:pull" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_credentials_never_follow_a_redirect_to_another_host(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    storage: list[str] = []

    def redirect(question: Question, ask: Callable[[], Reply]) -> Reply:
        if "/blobs/sha256:" in question.path and question.method == "GET":
            location = f"http://{storage[0]}{question.path}?signature=s3cret"
            return Reply(307, {"Location": location}, b"")
        reply = ask()
        if reply.status == 401 or "Authorization" in question.headers:
            return reply
        return Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")

    docker_config(tmp_path, auths={})
    plain = repository(registry, "redirected")
    put_blob(plain, DIGEST, Body.of(CONTENT))
    with proxy(registry) as (where, stored), proxy(registry, redirect) as (address, _):
        storage.append(where)
        docker_config(tmp_path, auths={address: auth()})
        found = repository(address, "redirected")
        assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT
    assert stored
    assert not any("Authorization" in question.headers for question in stored)
