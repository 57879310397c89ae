"""Downloads go on where they were cut, are polite to hosts, and give up on those that fail."""

from __future__ import annotations

import resource
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from envlock.errors import SourceError, StoreError
from envlock.materialize.artifacts.fetch import Offer, fetch
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.sources.archive import ArchiveSource
from envlock.materialize.artifacts.sources.base import UnreachableSourceError
from envlock.materialize.artifacts.sources.download import (
    LARGEST_ANSWER,
    MOST_FAILURES,
    MOST_RESUMES,
    Downloads,
    host_of,
)
from envlock.registry.transport import shown
from envlock.store.partial_file import partial_file
from tests.registry.conftest import free_port
from tests.registry.debian import mirror
from tests.registry.faults import Reply
from tests.unit.materialize.packages import digest

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "file").write_bytes(CONTENT)
    return served


def downloads(**options):
    return Downloads(**{"sleep": lambda _seconds: None, "rate": 1000.0, **options})


def got(path, url, **options):
    assert downloads(**options).file(url, path)
    return path.read_bytes()


def test_a_file_and_what_is_not_there(folder, tmp_path):
    with mirror(folder) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT
        assert downloads().file(f"{url}/other", tmp_path / "y") is False
        assert downloads().document(f"{url}/other") is None
        assert downloads().document(f"{url}/file") == CONTENT
    assert seen[0].headers["User-Agent"].startswith("envlock/")


def test_a_cut_file_goes_on_where_it_was_cut(folder, tmp_path):
    def cut(question, ask):
        return ask()._replace(cut=100_000) if len(seen) <= 3 else ask()

    with mirror(folder, cut) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT
    starts = [question.headers.get("Range") for question in seen]
    assert starts == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_server_that_knows_no_ranges_sends_the_whole_again(folder, tmp_path):
    def whole(question, ask):
        return Reply(200, {}, CONTENT, cut=100_000 if len(seen) == 1 else None)

    with mirror(folder, whole) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT


def test_another_part_than_was_asked_for_is_refused(folder, tmp_path):
    def lie(question, ask):
        if len(seen) == 1:
            return ask()._replace(cut=100_000)
        return Reply(206, {"Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"}, CONTENT)

    with (
        mirror(folder, lie) as (url, seen),
        pytest.raises(SourceError, match="another part than was asked for"),
    ):
        downloads().file(f"{url}/file", tmp_path / "x")


def test_a_file_that_is_cut_for_ever_is_given_up(folder, tmp_path):
    with mirror(folder, lambda _question, ask: ask()._replace(cut=10)) as (url, seen):
        with pytest.raises(SourceError, match="ends early"):
            downloads().file(f"{url}/file", tmp_path / "x")
        assert len(seen) == MOST_RESUMES + 1
    with mirror(folder, lambda _question, ask: ask()._replace(cut=0)) as (url, seen):
        with pytest.raises(SourceError, match="ends early"):
            downloads().file(f"{url}/file", tmp_path / "y")
        assert len(seen) == 1


def test_a_server_says_how_long_to_wait(folder, tmp_path):
    def busy(question, ask):
        return Reply(429, {"Retry-After": "7"}, b"") if len(seen) < 3 else ask()

    waits = []
    with mirror(folder, busy) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file", sleep=waits.append) == CONTENT
    assert [wait for wait in waits if wait] == [7.0, 7.0]


def test_a_host_that_fails_is_not_asked_for_ever(folder, tmp_path):
    with mirror(folder, lambda _question, _ask: Reply(503, {}, b"")) as (url, seen):
        asked = downloads()
        for _ in range(MOST_FAILURES):
            with pytest.raises(SourceError, match="it answered 503"):
                asked.file(f"{url}/file", tmp_path / "x")
        before = len(seen)
        with pytest.raises(SourceError, match="not asked any more after 3 failures"):
            asked.file(f"{url}/file", tmp_path / "x")
        assert len(seen) == before


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_what_is_refused_of_one_file_is_no_failure_of_the_host(folder, tmp_path, status):
    def one(question, ask):
        return ask() if question.path == "/file" else Reply(status, {}, b"")

    with mirror(folder, one) as (url, _):
        asked = downloads()
        for number in range(MOST_FAILURES + 1):
            try:
                assert asked.file(f"{url}/{number}", tmp_path / "x") is False
            except SourceError as error:
                assert f"it answered {status}" in str(error)
        assert asked.file(f"{url}/file", tmp_path / "x")


def test_a_host_that_cuts_every_file_is_not_asked_for_ever(folder, tmp_path):
    with mirror(folder, lambda _question, ask: ask()._replace(cut=0)) as (url, _):
        asked = downloads()
        for _ in range(MOST_FAILURES):
            with pytest.raises(SourceError, match="ends early"):
                asked.file(f"{url}/file", tmp_path / "x")
        with pytest.raises(SourceError, match="not asked any more"):
            asked.file(f"{url}/file", tmp_path / "x")


@contextmanager
def chunked(*answers):
    """Serve chunked bodies, one for each request; one that is no tuple ends without its end."""
    left = list(answers)
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            return None

        def do_GET(self):
            seen.append(dict(self.headers))
            body = left.pop(0)
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in body:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n" if isinstance(body, tuple) else b"")
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_a_chunked_file_that_is_cut_is_seen_as_cut(tmp_path):
    with chunked([b"one"], (b"one", b"two")) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == b"onetwo"
        assert len(seen) == 2
    with chunked([b"one"], [], []) as (url, _), pytest.raises(SourceError, match="ends early"):
        downloads().file(f"{url}/file", tmp_path / "x")


def test_a_document_that_is_cut_is_none(folder):
    with chunked([b"[1, 2"]) as (url, _), pytest.raises(SourceError, match="ends early"):
        downloads().document(url)
    with (
        mirror(folder, lambda _question, ask: ask()._replace(cut=10)) as (url, _),
        pytest.raises(SourceError, match="ends early"),
    ):
        downloads().document(f"{url}/file")


TAG = '"v1"'


def tagged(folder, tag=TAG):
    """Answer as a server that knows what ``If-Range`` asks."""

    def answer(question, ask):
        if question.headers.get("If-Range", tag) != tag:
            return Reply(200, {"ETag": tag}, (folder / "file").read_bytes())
        reply = ask()
        return reply._replace(headers={**reply.headers, "ETag": tag})

    return answer


def ended(folder, tmp_path, tag=TAG):
    """End a run in the middle of a download; return the options of the next."""

    def dying(question, ask):
        return tagged(folder, tag)(question, ask)._replace(cut=100_000 if len(seen) == 1 else 0)

    options = {"partial": tmp_path / "partial"}
    with mirror(folder, dying) as (url, seen), pytest.raises(SourceError, match="ends early"):
        downloads(**options).file(f"{url}/file", tmp_path / "x")
    return options


def moved(options, tmp_path, url):
    """Let the partial file be that of a server that has another port now."""
    (part,) = options["partial"].glob("*.part")
    with partial_file(options["partial"], f"{shown(f'{url}/file')} x") as new:
        part.replace(new.path)
        part.with_suffix(".etag").replace(new.path.with_suffix(".etag"))


@pytest.mark.parametrize("is_checked", [True, False])
def test_the_next_run_goes_on_where_one_was_ended(folder, tmp_path, is_checked):
    options = ended(folder, tmp_path)
    is_right = (lambda path: path.read_bytes() == CONTENT) if is_checked else None
    with mirror(folder, tagged(folder)) as (url, seen):
        moved(options, tmp_path, url)
        assert downloads(**options).file(f"{url}/file", tmp_path / "x", is_right)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert [(q.headers.get("Range"), q.headers.get("If-Range")) for q in seen] == [
        ("bytes=100000-", TAG)
    ]
    assert list(options["partial"].iterdir()) == []


def test_the_next_run_loads_the_whole_of_another_version(folder, tmp_path):
    options = ended(folder, tmp_path)
    (folder / "file").write_bytes(CONTENT[::-1])
    with mirror(folder, tagged(folder, '"v2"')) as (url, seen):
        moved(options, tmp_path, url)
        assert downloads(**options).file(f"{url}/file", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT[::-1]
    assert len(seen) == 1


@pytest.mark.parametrize("tag", ["", 'W/"v1"'])
def test_without_a_proof_a_part_is_used_only_where_the_whole_is_checked(folder, tmp_path, tag):
    for is_right, ranges in (
        (None, [None]),
        (lambda path: path.read_bytes() == CONTENT, ["bytes=100000-"]),
        (lambda path: path.read_bytes() == b"other" + CONTENT[5:], ["bytes=100000-", None]),
    ):
        options = ended(folder, tmp_path, tag)
        with mirror(folder, tagged(folder, tag)) as (url, seen):
            moved(options, tmp_path, url)
            assert downloads(**options).file(f"{url}/file", tmp_path / "x", is_right)
        assert [question.headers.get("Range") for question in seen] == ranges
        assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_part_that_is_all_or_too_much(folder, tmp_path):
    def too_far(question, ask):
        start = int(question.headers.get("Range", "bytes=0-")[6:-1])
        if start < len(CONTENT):
            return tagged(folder)(question, ask)
        return Reply(416, {"Content-Range": f"bytes */{len(CONTENT)}"}, b"")

    for size, count in ((len(CONTENT), 1), (len(CONTENT) + 1, 2)):
        options = ended(folder, tmp_path)
        with mirror(folder, too_far) as (url, seen):
            moved(options, tmp_path, url)
            (part,) = options["partial"].glob("*.part")
            part.write_bytes((CONTENT + b"x")[:size])
            assert downloads(**options).file(f"{url}/file", tmp_path / "x")
            assert len(seen) == count
        assert (tmp_path / "x").read_bytes() == CONTENT


def test_two_processes_do_not_write_one_file(folder, tmp_path):
    with mirror(folder) as (url, _):
        name = f"{shown(f'{url}/file')} x"
        with partial_file(tmp_path / "partial", name) as mine:
            assert got(tmp_path / "x", f"{url}/file", partial=tmp_path / "partial") == CONTENT
            assert mine.size == 0


def test_nothing_answers(tmp_path):
    with pytest.raises(UnreachableSourceError, match=r"does not answer: .*refused"):
        downloads().document(f"http://127.0.0.1:{free_port()}/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "http://"])
def test_only_web_addresses_are_asked(url, tmp_path):
    with pytest.raises(SourceError, match="not an address of http"):
        downloads().file(url, tmp_path / "x")


def test_a_file_of_the_largest_size_and_above(folder, tmp_path):
    with mirror(folder) as (url, _):
        assert got(tmp_path / "x", f"{url}/file", largest=len(CONTENT)) == CONTENT
        with pytest.raises(SourceError, match="more than 511,999 bytes"):
            downloads(largest=len(CONTENT) - 1).file(f"{url}/file", tmp_path / "y")


def test_an_answer_of_the_largest_size_and_above(folder):
    (folder / "most").write_bytes(bytes(LARGEST_ANSWER))
    (folder / "more").write_bytes(bytes(LARGEST_ANSWER + 1))
    with mirror(folder) as (url, _):
        assert len(downloads().document(f"{url}/most")) == LARGEST_ANSWER
        with pytest.raises(SourceError, match="too large"):
            downloads().document(f"{url}/more")


def test_one_host_gets_no_more_than_its_rate(folder):
    waits = []
    with mirror(folder) as (url, _):
        asked = Downloads(rate=4.0, clock=lambda: 0.0, sleep=waits.append)
        for _ in range(8):
            asked.document(f"{url}/file")
    assert waits == [0.0] * 5 + [0.25, 0.5, 0.75]


def test_the_rate_holds_by_the_clock(folder):
    with mirror(folder) as (url, _):
        asked = Downloads(rate=20.0)
        started = time.monotonic()
        for _ in range(10):
            asked.document(f"{url}/file")
        assert time.monotonic() - started >= 0.24


def test_a_disk_that_is_full_is_told_and_nothing_is_left(folder, tmp_path):
    """A limit on the size of files stands for a full disk: both are told alike."""
    artifact = Deb("file", "1", "all", "file", digest(CONTENT))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with mirror(folder) as (url, _):
        source = ArchiveSource(template=f"{url}/{{name}}", downloads=downloads())
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(StoreError, match="disk of the store is full"):
                fetch([artifact], [Offer(source)], tmp_path / "cache", offline=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list((tmp_path / "cache").iterdir()) == []
        done = fetch([artifact], [Offer(source)], tmp_path / "cache", offline=False)
    assert done.paths[artifact].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:hidden@example.org:8443/x", "example.org:8443"),
        ("http://hidden@example.org/x", "example.org"),
        ("/x", ""),
    ],
)
def test_a_host_is_named_without_user_and_password(url, host):
    assert host_of(url) == host


def test_an_address_with_an_impossible_port_shows_no_password():
    with pytest.raises(SourceError, match="not an address of http or https") as caught:
        host_of("https://user:hidden@example.org:123456/x")
    assert "hidden" not in str(caught.value)
