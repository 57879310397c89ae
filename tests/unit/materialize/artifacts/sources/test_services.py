"""Services that keep old packages: by the interface of Debian's snapshots, and by addresses."""

from __future__ import annotations

import hashlib
import json

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.fetch import Offer, fetch
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.npm import NpmPackage
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.archive import ArchiveSource, address
from envlock.materialize.artifacts.sources.base import UnreachableSourceError
from envlock.materialize.artifacts.sources.cache import CacheSource
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.sources.snapshot import SnapshotSource
from tests.registry.conftest import free_port
from tests.registry.debian import mirror
from tests.registry.faults import Reply
from tests.unit.materialize.packages import digest

RIGHT, WRONG = b"the right build", b"the build of another archive"
TOOL = Deb("tool", "1:2+b1", "amd64", "tool", digest(RIGHT))
OTHER = Deb("other", "3", "all", "other", digest(b"other"))
WHEEL = Wheel("a", "1", "a-1-py3-none-any.whl", "3")


def sha1(content):
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def service(builds, files):
    """Answer as a snapshot service: path of a package -> its builds, SHA-1 -> file."""

    def answer(question, _ask):
        path = question.path.partition("?")[0]
        if path.startswith("/mr/binary/") and path.endswith("/binfiles"):
            rows = builds.get(path.removeprefix("/mr/binary/").removesuffix("/binfiles"))
            if rows is None:
                return Reply(404, {}, b"")
            return Reply(200, {}, json.dumps({"result": rows}).encode())
        content = files.get(path.removeprefix("/file/"))
        return Reply(404, {}, b"") if content is None else Reply(200, {}, content)

    return answer


def row(content, arch="amd64"):
    return {"architecture": arch, "hash": sha1(content)}


def asked(tmp_path, fault, *wanted):
    """Return what a service gives, and what it said."""
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    said = []
    with mirror(tmp_path, fault) as (url, _):
        source = SnapshotSource(url=f"{url}/", downloads=downloads())
        return source.fetch(wanted, into, said.append), said


def downloads():
    return Downloads(rate=1000.0, sleep=lambda _seconds: None)


def test_a_package_is_found_by_its_version_and_the_build_of_its_architecture(tmp_path):
    builds = {"tool/1%3A2%2Bb1": [row(WRONG, "arm64"), row(RIGHT)], "other/3": []}
    found, said = asked(tmp_path, service(builds, {sha1(RIGHT): RIGHT}), TOOL, OTHER, WHEEL)
    assert list(found) == [TOOL]
    assert found[TOOL].read_bytes() == RIGHT
    assert said == []


def test_a_build_that_is_listed_and_not_there_is_passed_over(tmp_path):
    builds = {"tool/1%3A2%2Bb1": [row(WRONG), row(RIGHT)]}
    found, said = asked(tmp_path, service(builds, {sha1(RIGHT): RIGHT}), TOOL)
    assert found[TOOL].read_bytes() == RIGHT
    assert asked(tmp_path, service(builds, {}), TOOL) == ({}, [])
    assert said == []


def test_of_several_builds_the_locked_one_is_taken(tmp_path):
    builds = {"tool/1%3A2%2Bb1": [row(WRONG), row(RIGHT)]}
    files = {sha1(RIGHT): RIGHT, sha1(WRONG): WRONG}
    found, _ = asked(tmp_path, service(builds, files), TOOL)
    assert found[TOOL].read_bytes() == RIGHT
    found, _ = asked(tmp_path, service({"tool/1%3A2%2Bb1": [row(WRONG)]}, files), TOOL)
    assert found == {}


def test_a_file_that_is_not_what_its_name_says_is_not_taken(tmp_path):
    builds = {"tool/1%3A2%2Bb1": [row(RIGHT)]}
    unknown = TOOL._replace(sha256="")
    found, _ = asked(tmp_path, service(builds, {sha1(RIGHT): WRONG}), unknown)
    assert found == {}


@pytest.mark.parametrize(
    "answer", [b"no JSON", b"[]", b'{"result": [{}]}', b'{"result": 5}', b'{"result": [5]}']
)
def test_an_answer_that_cannot_be_read_is_told(tmp_path, answer):
    with pytest.raises(SourceError, match="cannot be read"):
        asked(tmp_path, lambda _question, _ask: Reply(200, {}, answer), TOOL)


def test_an_answer_leads_nowhere_else(tmp_path):
    rows = [{"architecture": "amd64", "hash": "../" * 13 + "x"}]
    found, _ = asked(tmp_path, service({"tool/1%3A2%2Bb1": rows}, {}), TOOL)
    assert found == {}


def test_what_fails_for_one_package_is_told(tmp_path):
    good = service({"tool/1%3A2%2Bb1": [row(RIGHT)]}, {sha1(RIGHT): RIGHT})

    def fault(question, ask):
        return Reply(403, {}, b"") if "other" in question.path else good(question, ask)

    found, said = asked(tmp_path, fault, TOOL, OTHER)
    assert list(found) == [TOOL]
    assert len(said) == 1
    assert said[0].endswith("it answered 403")


def test_a_service_that_does_not_answer(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    for source in (
        SnapshotSource(url=url, downloads=downloads()),
        ArchiveSource(template=f"{url}/{{filename}}", downloads=downloads()),
    ):
        with pytest.raises(UnreachableSourceError, match="does not answer"):
            source.fetch([TOOL], tmp_path, print)


def test_an_address_follows_from_what_a_package_is():
    pool = "https://example.org/pool/{prefix}/{source}/{name}_{noepoch}_{arch}.deb"
    library = Deb("libx1", "1:2", "amd64", "libx")
    assert address(pool, library) == "https://example.org/pool/libx/libx/libx1_2_amd64.deb"
    assert address(pool, TOOL) == "https://example.org/pool/t/tool/tool_2%2Bb1_amd64.deb"
    assert address("https://example.org/{scheme}/{filename}", WHEEL) == (
        "https://example.org/wheel/a-1-py3-none-any.whl"
    )
    assert address("https://example.org/{sha256}", WHEEL) == ""
    assert address("https://example.org/{nonsense}", TOOL) == ""


def test_two_packages_of_one_name_are_two_files(tmp_path):
    """What npm calls ``@a-b/c`` and ``@a/b-c``."""
    contents = {("a-b", "c"): b"one", ("a", "b-c"): b"two"}
    wanted = {
        NpmPackage(*words, "1.0.0", f"sha256:{digest(content)}"): content
        for words, content in contents.items()
    }
    assert len({each.filename for each in wanted}) == 1
    for each, content in wanted.items():
        (tmp_path / each.scope).mkdir()
        (tmp_path / each.scope / each.name).write_bytes(content)
    with mirror(tmp_path) as (url, _):
        source = ArchiveSource(template=f"{url}/{{scope}}/{{name}}", downloads=downloads())
        got = fetch(list(wanted), [Offer(source)], tmp_path / "cache", offline=False)
    assert {each: path.read_bytes() for each, path in got.paths.items()} == wanted
    again = fetch(
        list(wanted), [Offer(CacheSource(path=tmp_path / "cache"))], tmp_path, offline=True
    )
    assert again.paths == got.paths


def test_packages_at_addresses(tmp_path):
    (tmp_path / "tool").write_bytes(RIGHT)
    said = []
    with mirror(tmp_path) as (url, seen):
        source = ArchiveSource(template=f"{url}/{{name}}", downloads=downloads())
        found = source.fetch([TOOL, OTHER, WHEEL], tmp_path, said.append)
    assert {artifact: path.read_bytes() for artifact, path in found.items()} == {TOOL: RIGHT}
    assert [question.path for question in seen] == ["/tool", "/other", "/a"]
    assert said == []
