"""A registry behind a network that cuts, delays and lies: wrong bytes are never accepted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.errors import RegistryError
from envlock.registry.client import OCI_MANIFEST, Repository, digest_of
from envlock.registry.reference import Reference
from envlock.registry.transport import Body, HostSettings, Transport
from envlock.registry.uploads import Sent, put_blob
from envlock.store.kept_blobs import kept_blob
from envlock.store.partial_file import partial_file
from tests.registry.conftest import free_port
from tests.registry.faults import Question, Reply, honest, proxy
from tests.registry.test_blobs import manifest_of

Open = Callable[..., Repository]
CONTENT = b"0123456789abcdef" * 200_000
DIGEST = digest_of(CONTENT)
Ask = Callable[[], Reply]


def is_blob(question: Question) -> bool:
    return question.method == "GET" and "/blobs/sha256:" in question.path


def test_a_download_goes_on_where_it_was_cut(repository: Open, registry: str) -> None:
    put_blob(repository(registry, "cut"), DIGEST, Body.of(CONTENT))
    cuts = iter([1_000_000, 500_000, None, None])

    def cut(question: Question, ask: Ask) -> Reply:
        return ask()._replace(cut=next(cuts)) if is_blob(question) else ask()

    with proxy(registry, cut) as (address, seen):
        found = repository(address, "cut")
        assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT
    ranges = [q.headers.get("Range") for q in seen if is_blob(q)]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(r and r.startswith("bytes=") for r in ranges[1:])


def test_a_range_that_is_ignored_is_skipped(repository: Open, registry: str) -> None:
    put_blob(repository(registry, "ignored"), DIGEST, Body.of(CONTENT))
    cuts = iter([1_000_000, None])

    def cut(question: Question, ask: Ask) -> Reply:
        if not is_blob(question):
            return ask()
        question.headers.pop("Range", None)
        return ask()._replace(cut=next(cuts))

    with proxy(registry, cut) as (address, _):
        found = repository(address, "ignored")
        assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT


def test_a_download_that_never_ends_well_is_given_up(repository: Open, registry: str) -> None:
    put_blob(repository(registry, "hopeless"), DIGEST, Body.of(CONTENT))
    with proxy(registry, lambda q, ask: ask()._replace(cut=10 if is_blob(q) else None)) as (
        address,
        seen,
    ):
        found = repository(address, "hopeless")
        with pytest.raises(RegistryError, match=r"connection broke|ended early"):
            list(found.blob(DIGEST, len(CONTENT)))
    assert 2 <= sum(map(is_blob, seen)) <= 6


def test_other_bytes_of_the_same_size_are_refused(repository: Open, registry: str) -> None:
    put_blob(repository(registry, "flipped"), DIGEST, Body.of(CONTENT))

    def flip(question: Question, ask: Ask) -> Reply:
        reply = ask()
        if not is_blob(question):
            return reply
        return reply._replace(content=b"X" + reply.content[1:])

    with (
        proxy(registry, flip) as (address, _),
        pytest.raises(RegistryError, match="does not match its digest"),
    ):
        list(repository(address, "flipped").blob(DIGEST, len(CONTENT)))


def test_another_manifest_than_asked_for_is_refused(repository: Open, registry: str) -> None:
    found = repository(registry, "other-manifest")
    put_blob(found, digest_of(b"{}"), Body.of(b"{}"))
    digest = found.put_manifest(manifest_of(b"{}"), OCI_MANIFEST, tag="dev")

    def other(question: Question, ask: Ask) -> Reply:
        reply = ask()
        if "/manifests/" in question.path and question.method == "GET":
            return reply._replace(content=reply.content.replace(b"2", b"3"))
        return reply

    with proxy(registry, other) as (address, _):
        changed = repository(address, "other-manifest")
        with pytest.raises(RegistryError, match="does not match its digest"):
            changed.manifest(digest)
        with pytest.raises(RegistryError, match="holds another manifest than was sent"):
            changed.put_manifest(manifest_of(b"{}"), OCI_MANIFEST, tag="dev")


def test_a_registry_that_asks_for_patience_is_given_it(repository: Open, registry: str) -> None:
    answers = iter([429, 503, 429])
    waited: list[float] = []

    def busy(_question: Question, ask: Ask) -> Reply:
        status = next(answers, 0)
        return Reply(status, {"Retry-After": "7"}, b"") if status else ask()

    with proxy(registry, busy) as (address, _):
        found = repository(address, "busy", sleep=waited.append)
        assert found.size_of(DIGEST) is None
    # The first question is asked once with TLS, which this proxy does not speak.
    assert waited == [7.0, 7.0, 7.0]


def test_an_upload_whose_connection_breaks_is_sent_in_chunks(
    repository: Open, registry: str
) -> None:
    def break_whole(question: Question, ask: Ask) -> Reply:
        if question.method == "PUT" and len(question.content) == len(CONTENT):
            return Reply(413, {}, b"")
        return ask()

    with proxy(registry, break_whole) as (address, seen):
        found = repository(address, "chunks")
        assert put_blob(found, DIGEST, Body.of(CONTENT), chunk=1_000_000) is Sent.UPLOADED
        assert b"".join(found.blob(DIGEST, len(CONTENT))) == CONTENT
    sizes = [len(q.content) for q in seen if q.method == "PATCH"]
    assert sizes == [1_000_000] * 3
    assert [len(q.content) for q in seen if q.method == "PUT"][-1] == len(CONTENT) - 3_000_000


def test_a_registry_that_lies_about_offsets_gets_no_wrong_bytes_stored(
    repository: Open, registry: str
) -> None:
    def lie(question: Question, ask: Ask) -> Reply:
        if question.method == "PUT" and len(question.content) == len(CONTENT):
            return Reply(500, {}, b"")
        reply = ask()
        if question.method == "PATCH":
            return reply._replace(headers={**reply.headers, "Range": "0-499999"})
        return reply

    with proxy(registry, lie) as (address, _):
        found = repository(address, "lies")
        with pytest.raises(RegistryError, match="was lost 3 times"):
            put_blob(found, DIGEST, Body.of(CONTENT), chunk=1_000_000)
    assert repository(registry, "lies").size_of(DIGEST) is None


def test_an_upload_that_was_stored_though_the_answer_was_lost(
    repository: Open, registry: str
) -> None:
    def lose(question: Question, ask: Ask) -> Reply:
        reply = ask()
        return reply._replace(status=502) if question.method == "PUT" else reply

    with proxy(registry, lose) as (address, seen):
        found = repository(address, "lost-answer")
        assert put_blob(found, DIGEST, Body.of(CONTENT)) is Sent.UPLOADED
    assert [q.method for q in seen].count("PUT") == 1


def test_a_killed_push_goes_on_by_what_is_there(repository: Open, registry: str) -> None:
    blobs = [bytes([n]) * 100_000 for n in range(6)]
    first = repository(registry, "killed")
    for content in blobs[:3]:
        put_blob(first, digest_of(content), Body.of(content))
    again = repository(registry, "killed")
    sent = [put_blob(again, digest_of(content), Body.of(content)) for content in blobs]
    assert sent == [Sent.PRESENT] * 3 + [Sent.UPLOADED] * 3


def test_two_pushers_of_the_same_blobs_do_not_disturb_each_other(
    repository: Open, registry: str
) -> None:
    blobs = [bytes([n, 1]) * 200_000 for n in range(8)]
    failures: list[BaseException] = []

    def push() -> None:
        own = Repository.open(
            Reference(registry, "two-pushers", "latest"), {}, HostSettings(is_plain=True)
        )
        try:
            for content in blobs:
                put_blob(own, digest_of(content), Body.of(content))
            own.put_manifest(manifest_of(*blobs), OCI_MANIFEST, tag="dev")
        except BaseException as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=push) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = repository(registry, "two-pushers")
    assert found.manifest("dev").content == manifest_of(*blobs)
    for content in blobs:
        assert b"".join(found.blob(digest_of(content), len(content))) == content


def test_nobody_there_is_told_soon() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    transport = Transport(
        host="127.0.0.1", settings=HostSettings(is_plain=True), environ={}, sleep=sleep,
        clock=lambda: now[0],
    )  # fmt: skip
    with pytest.raises(RegistryError) as caught:
        transport.request("GET", f"http://127.0.0.1:{free_port()}/v2/")
    assert "Connection refused" in str(caught.value)
    assert now[0] <= 20


def test_a_part_of_a_blob_is_the_right_one_though_ranges_are_ignored(
    repository: Open, registry: str
) -> None:
    put_blob(repository(repository="parts"), DIGEST, Body.of(CONTENT))

    def whole(question: Question, ask: Callable[[], Reply]) -> Reply:
        return Reply(200, {}, CONTENT) if "Range" in question.headers else ask()

    for fault in (honest, whole):
        with proxy(registry, fault) as (host, _):
            found = repository(host, "parts")
            for offset, size in ((0, 10), (1, 1), (len(CONTENT) - 5, 9)):
                assert found.piece(DIGEST, offset, size) == CONTENT[offset : offset + size]


def test_a_part_of_a_blob_that_is_cut_is_an_error(repository: Open, registry: str) -> None:
    put_blob(repository(repository="parts"), DIGEST, Body.of(CONTENT))

    def cut(question: Question, ask: Callable[[], Reply]) -> Reply:
        return ask()._replace(cut=10) if "Range" in question.headers else ask()

    with (
        proxy(registry, cut) as (host, _),
        pytest.raises(RegistryError, match="the connection broke"),
    ):
        repository(host, "parts").piece(DIGEST, 0, 1000)


def kept(found: Repository, folder: Path) -> bytes:
    return b"".join(kept_blob(found, DIGEST, len(CONTENT), folder, least=1))


def test_a_blob_that_was_not_received_whole_goes_on_in_the_next_run(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    put_blob(repository(registry, "kept"), DIGEST, Body.of(CONTENT))

    def cut(question: Question, ask: Ask) -> Reply:
        is_again = is_blob(question) and "Range" in question.headers
        return Reply(404, {}, b"") if is_again else ask()._replace(cut=2_000_000)

    with proxy(registry, cut) as (address, _), pytest.raises(RegistryError, match="no blob"):
        kept(repository(address, "kept"), tmp_path)
    (part,) = tmp_path.iterdir()
    size = part.stat().st_size
    assert 0 < size < len(CONTENT)
    with proxy(registry) as (address, seen):
        assert kept(repository(address, "kept"), tmp_path) == CONTENT
    assert [q.headers.get("Range") for q in seen if is_blob(q)] == [f"bytes={size}-"]
    assert list(tmp_path.iterdir()) == []


def test_a_kept_part_of_other_bytes_is_received_anew_once(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    put_blob(repository(registry, "kept"), DIGEST, Body.of(CONTENT))
    with partial_file(tmp_path, DIGEST) as part:
        assert part is not None
    for wrong in (b"other", bytes(len(CONTENT)), bytes(len(CONTENT) + 1), CONTENT + b"more"):
        part.path.write_bytes(wrong)
        with proxy(registry) as (address, seen):
            assert kept(repository(address, "kept"), tmp_path) == CONTENT
        expected = {5: ["bytes=5-", None], len(CONTENT) + 4: []}.get(len(wrong), [None])
        assert [q.headers.get("Range") for q in seen if is_blob(q)] == expected
    lying = bytes(len(CONTENT))
    with (
        proxy(registry, lambda q, ask: Reply(200, {}, lying) if is_blob(q) else ask()) as (host, _),
        pytest.raises(RegistryError, match="does not match its digest"),
    ):
        kept(repository(host, "kept"), tmp_path)


def test_a_blob_that_another_process_receives_is_received_beside_it(
    repository: Open, registry: str, tmp_path: Path
) -> None:
    put_blob(repository(registry, "kept"), DIGEST, Body.of(CONTENT))
    with partial_file(tmp_path, DIGEST) as part:
        assert part is not None
        assert kept(repository(registry, "kept"), tmp_path) == CONTENT
        assert part.size == 0
