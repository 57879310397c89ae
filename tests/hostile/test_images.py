"""Images and recordings that are broken on purpose: a documented status and one sentence."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from envlock.targets.stream.oci import MOST_FILES, MOST_LAYERS
from envlock.targets.stream.tar_reader import NAME_LIMIT
from tests.hostile.conftest import Attacked
from tests.hostile.images import (
    DOCUMENT,
    END,
    extended,
    header,
    layout,
    record,
    recording,
    tar,
)

DIGITS = b"1" * 5000
DEEP = "[" * 100_000

LAYERS: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"x",
    "text": b"not a tar\n" * 1000,
    "cut in a header": header()[:300],
    "no end": header(),
    "cut in a file": header(size=b"00000001000\0") + b"x",
    "wrong checksum": header(checksum=b"1") + END,
    "negative size": header(size=b"\xff" * 12) + END,
    "size of all bits": header(size=b"\x80" + b"\xff" * 11) + END,
    "size of no digits": header(size=b"zzzzzzzzzzz\0") + END,
    "size that is not octal": header(size=b"00000000999\0") + END,
    "name that leaves": header(name=b"../../etc/passwd".ljust(100, b"\0")) + END,
    "name that leaves in the middle": header(name=b"a/../../b".ljust(100, b"\0")) + END,
    "link that leaves": header(kind=b"1", link=b"../../x".ljust(100, b"\0")) + END,
    "hard link to nothing": header(kind=b"1", link=b"none".ljust(100, b"\0")) + END,
    "hard link to itself": header(kind=b"1", link=b"etc/x".ljust(100, b"\0")) + END,
    "unknown kind": header(kind=b"Z") + END,
    "sparse file of GNU": header(kind=b"S") + END,
    "sparse file in records": extended(record(b"GNU.sparse.major", b"1")) + header() + END,
    "extended size of many digits": extended(record(b"size", DIGITS)) + header() + END,
    "extended size below zero": extended(record(b"size", b"-1")) + header() + END,
    "extended size that is none": extended(record(b"size", b"1e9")) + header() + END,
    "owner of many digits": extended(record(b"uid", DIGITS)) + header() + END,
    "owner beyond 64 bits": extended(record(b"uid", b"1" * 30)) + header() + END,
    "time beyond 64 bits": extended(record(b"mtime", b"9" * 30)) + header() + END,
    "time that is none": extended(record(b"mtime", b"inf")) + header() + END,
    "long name": extended(record(b"path", b"a" * (NAME_LIMIT + 1))) + header() + END,
    "long link": extended(record(b"linkpath", b"a" * (NAME_LIMIT + 1))) + header() + END,
    "record without a length": extended(b"path=x\n") + header() + END,
    "record of a wrong length": extended(b"99999 path=x\n") + header() + END,
    "record of length nought": extended(b"0 path=x\n") + header() + END,
    "record of many digits": extended(DIGITS + b" path=x\n") + header() + END,
    "record without an equals sign": extended(b"10 pathxx\n") + header() + END,
    "headers without end": extended(record(b"path", b"x")) * 3,
    "headers of 17 MiB": extended(record(b"comment", bytes(17 << 20))) + header() + END,
    "damaged gzip": gzip.compress(header() + END)[:-9],
    "gzip of garbage": b"\x1f\x8b" + bytes(100),
    "zstd of garbage": b"\x28\xb5\x2f\xfd" + b"\xff" * 100,
    "zstd with a huge window": bytes.fromhex("28b52ffd00f8010000"),
    "zstd that is cut": zstandard.ZstdCompressor().compress(header() * 99)[:-3],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(attacked: Attacked, name: str) -> None:
    layout(attacked.folder / "image", [LAYERS[name]])
    attacked("capture", "oci:image", "-o", "-", "-q").is_refused(4)


SOUND = tar({"etc/os-release": b"ID=debian\n"})
CONFIGS: dict[str, object] = {
    "a list": [],
    "a number": 1,
    "nothing": None,
    "environment of numbers": {"config": {"Env": [1, None]}},
    "environment that is text": {"config": {"Env": "A=1"}},
    "environment without names": {"config": {"Env": ["", "=", "==", "A", "\ud800=1", "A\0=1"]}},
    "command that is text": {"config": {"Cmd": "sh", "Entrypoint": 5}},
    "command of lists": {"config": {"Cmd": [["sh"]], "Entrypoint": [{}]}},
    "ports that are a list": {"config": {"ExposedPorts": ["80/tcp"], "Volumes": [1]}},
    "user of many digits": {"config": {"User": "1" * 5000, "WorkingDir": "../.."}},
    "user that is a number": {"config": {"User": 0, "WorkingDir": []}},
    "labels that are a list": {"config": {"Labels": ["a"]}},
    "labels of numbers": {"config": {"Labels": {"a": 1, "": None}}},
    "health check of numbers": {"config": {"Healthcheck": {"Test": 1, "Interval": "x"}}},
    "health check that is a list": {"config": {"Healthcheck": []}},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations(attacked: Attacked, name: str) -> None:
    layout(attacked.folder / "image", [SOUND], CONFIGS[name])
    attacked("capture", "oci:image", "-o", "-", "-q").is_sound()


INDEXES: dict[str, str] = {
    "nothing": "",
    "no JSON": "{",
    "deep": DEEP,
    "a number": "1" * 5000,
    "text": '"x"',
    "a list": "[]",
    "no manifests": "{}",
    "manifests that are none": '{"manifests": 1}',
    "no manifest": '{"manifests": []}',
    "manifest of a number": '{"manifests": [1]}',
    "no digest": '{"manifests": [{}]}',
    "digest that leaves": '{"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}',
    "digest of another kind": '{"manifests": [{"digest": "md5:00"}]}',
    "digest of a number": '{"manifests": [{"digest": 5}]}',
    "digest of no blob": json.dumps({"manifests": [{"digest": f"sha256:{'0' * 64}"}]}),
    "long digest": json.dumps({"manifests": [{"digest": "sha256:" + "0" * 100_000}]}),
    "platform of text": '{"manifests": [{"digest": "x", "platform": "amd64"}]}',
    "several": '{"manifests": [{"digest": "a"}, {"digest": "b"}]}',
    "too large": " " * (17 << 20),
}


@pytest.mark.parametrize("name", INDEXES)
def test_indexes(attacked: Attacked, name: str) -> None:
    layout(attacked.folder / "image", [SOUND])
    (attacked.folder / "image/index.json").write_text(INDEXES[name])
    attacked("capture", "oci:image", "-o", "-", "-q").is_refused(4)


DOCKER: dict[str, str] = {
    "nothing": "",
    "an object": "{}",
    "no image": "[]",
    "two images": "[{}, {}]",
    "no layers": '[{"Config": "c.json"}]',
    "layers that are text": '[{"Config": "c.json", "Layers": "abc"}]',
    "layer that leaves": '[{"Config": "c.json", "Layers": ["../../../etc/passwd"]}]',
    "absolute layer": '[{"Config": "/etc/hostname", "Layers": ["/etc/passwd"]}]',
    "configuration that leaves": '[{"Config": "../../etc/hostname", "Layers": []}]',
    "configuration of a number": '[{"Config": 1, "Layers": [2]}]',
    "deep": DEEP,
}


@pytest.mark.parametrize("name", DOCKER)
def test_manifests_of_saved_images(attacked: Attacked, name: str) -> None:
    for form in ("folder", "archive"):
        path = attacked.folder / form
        if form == "folder":
            path.mkdir()
            (path / "manifest.json").write_text(DOCKER[name])
            (path / "c.json").write_text("{}")
        else:
            path.write_bytes(tar({"manifest.json": DOCKER[name].encode(), "c.json": b"{}"}))
        attacked("capture", f"oci:{path}", "-o", "-", "-q").is_refused(4)


def test_an_image_of_too_many_layers(attacked: Attacked) -> None:
    layout(attacked.folder / "image", [SOUND] * (MOST_LAYERS + 1))
    outcome = attacked("capture", "oci:image", "-o", "-", "-q")
    outcome.is_refused(4)
    assert f"more than {MOST_LAYERS} layers" in outcome.err


def test_an_archive_of_too_many_files(attacked: Attacked) -> None:
    empty = header(name=b"x".ljust(100, b"\0"))
    names = b"".join(
        header(name=b"%d" % number + bytes(100 - len(str(number))))
        for number in range(MOST_FILES + 1)
    )
    (attacked.folder / "many.tar").write_bytes(empty + names + END)
    attacked("capture", "oci:many.tar", "-o", "-", "-q").is_refused(4)


def test_archive_headers_that_follow_each_other(attacked: Attacked) -> None:
    """The library follows each by calling itself."""
    (attacked.folder / "x.tar").write_bytes(extended(record(b"a", b"b")) * 5000 + header() + END)
    attacked("capture", "oci:x.tar", "-o", "-", "-q").is_refused(4)


def test_whiteouts_and_replaced_directories_take_time_once(attacked: Attacked) -> None:
    """Each would look at every path if it were applied by itself."""
    files = b"".join(
        header(name=b"d/%d/f" % number + bytes(96 - len(str(number)))) for number in range(30_000)
    )
    hidden = b"".join(
        header(name=b"d/.wh.%d" % number + bytes(94 - len(str(number)))) for number in range(30_000)
    )
    layout(attacked.folder / "image", [files + END, hidden + END])
    attacked("capture", "oci:image", "-o", "-", "-q", "--only", "os").is_sound()


ROW = DOCUMENT["entries"][0]
DOCUMENTS: dict[str, object] = {
    "nothing": b"",
    "no JSON": b"{",
    "deep": DEEP.encode(),
    "a list": [],
    "text": "x",
    "a number": DIGITS,
    "no version": {},
    "version of text": {**DOCUMENT, "version": "1"},
    "version of many digits": b'{"version": ' + DIGITS + b"}",
    "later version": {**DOCUMENT, "version": 2},
    "long version": {**DOCUMENT, "version": "x" * 100_000},
    "no capabilities": {**DOCUMENT, "capabilities": None},
    "unknown capability": {**DOCUMENT, "capabilities": ["rights"]},
    "files of a list": {**DOCUMENT, "files": []},
    "files of text": {**DOCUMENT, "files": {"/x": "y"}},
    "error of three": {**DOCUMENT, "files": {"/x": [1, "a", 2]}},
    "names of numbers": {**DOCUMENT, "names": {"/x": {"names": 5}}},
    "row of nothing": {**DOCUMENT, "entries": [[]]},
    "row of a number": {**DOCUMENT, "entries": [5]},
    "row of an unknown kind": {**DOCUMENT, "entries": [["/x", "?", *ROW[2:]]]},
    "mode of text": {**DOCUMENT, "entries": [["/x", "f", "rwx", *ROW[3:]]]},
    "mode without end": {**DOCUMENT, "entries": [["/x", "f", float("inf"), *ROW[3:]]]},
    "attributes of numbers": {**DOCUMENT, "entries": [[*ROW[:9], [[1, 2]], *ROW[10:]]]},
    "attributes that are not hexadecimal": {
        **DOCUMENT,
        "entries": [[*ROW[:9], [["a", "zz"]], *ROW[10:]]],
    },
    "device of one": {**DOCUMENT, "entries": [[*ROW[:8], [1], *ROW[9:]]]},
    "gaps of text": {**DOCUMENT, "gaps": ["abc"]},
    "process of a list": {**DOCUMENT, "process": []},
    "process without a command": {**DOCUMENT, "process": {"cmd": None}},
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_recordings(attacked: Attacked, name: str) -> None:
    recording(attacked.folder / "x.tar", DOCUMENTS[name])
    attacked("capture", "recorded:x.tar", "-o", "-", "-q").is_refused(4)


ODD_ROWS: dict[str, list[object]] = {
    "size of many digits": ["/etc/x", "f", 420, 0, 0, 0, 10**4000, "", None, [], "", "", ""],
    "negative size": ["/etc/x", "f", 420, 0, 0, 0, -5, "", None, [], "", "", ""],
    "time of many digits": ["/etc/x", "f", 420, 0, 0, 10**4000, 0, "", None, [], "", "", ""],
    "mode of many digits": ["/etc/x", "f", 10**4000, 0, 0, 0, 0, "", None, [], "", "", ""],
    "negative mode": ["/etc/x", "f", -1, -1, -1, -1, 0, "", None, [], "", "", ""],
    "no path": ["", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "relative path": ["etc/x", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "path that leaves": ["/../../etc/x", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "path of slashes": ["////", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "path with a null": ["/etc/\0", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "path of a lone surrogate": ["/etc/\ud800", "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "long path": ["/" + "a/" * 50_000, "f", 420, 0, 0, 0, 0, "", None, [], "", "", ""],
    "digest that is none": ["/etc/x", "f", 420, 0, 0, 0, 0, "", None, [], "../..", "y", "z"],
    "link to itself": ["/etc/os-release", "l", 511, 0, 0, 0, 0, "os-release", None, [], "", "", ""],
    "link to a null": ["/etc/os-release", "l", 511, 0, 0, 0, 0, "\0", None, [], "", "", ""],
    "hard link to nothing": ["/etc/x", "h", 420, 0, 0, 0, 0, "/none", None, [], "", "", ""],
    "lone surrogate in a link": ["/etc/x", "l", 420, 0, 0, 0, 0, "\udfff", None, [], "", "", ""],
}


@pytest.mark.parametrize("name", ODD_ROWS)
def test_rows_of_a_recording(attacked: Attacked, name: str) -> None:
    row = ODD_ROWS[name]
    document = {**DOCUMENT, "entries": [ROW, row], "stats": [row], "names": {"/etc": {"names": []}}}
    recording(attacked.folder / "x.tar", document, {"rootfs/etc/os-release": b"ID=a\n"})
    attacked("capture", "recorded:x.tar", "-o", "x.lock", "-q").is_sound()


PODS: dict[str, str] = {
    "nothing": "",
    "deep": DEEP,
    "a list": "[]",
    "text": '"x"',
    "items of text": '{"items": "abc"}',
    "no kind": '{"items": [{}]}',
    "other kind": '{"items": [{"kind": "Service"}]}',
    "no containers": '{"kind": "Pod", "metadata": {"name": "a"}, "spec": {}}',
    "containers of text": '{"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": "x"}}',
    "no metadata": '{"kind": "Pod", "spec": {"containers": [{"name": "a"}]}}',
    "owners of text": '{"kind": "Pod", "metadata": {"name": "a", "ownerReferences": "x"}, '
    '"spec": {"containers": [{"name": "a"}]}}',
    "statuses of numbers": '{"kind": "Pod", "metadata": {"name": "a"}, '
    '"status": {"containerStatuses": [1]}, "spec": {"containers": [{"name": "a"}]}}',
}


@pytest.mark.parametrize("name", PODS)
def test_pods(attacked: Attacked, name: str) -> None:
    (attacked.folder / "pods.json").write_text(PODS[name])
    attacked("capture", "kube:pods.json", "-q").is_refused(4)
