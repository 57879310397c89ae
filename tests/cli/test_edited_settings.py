"""An edited configuration file is told setting by setting, the packaged one on the other side."""

from __future__ import annotations

import hashlib
import shutil
import tarfile

import pytest

PRISTINE = "# how the tool works\n[tool]\nport = 1\nhost = localhost\n"
EDITED = PRISTINE.replace("port = 1", "port = 2")
STATUS = f"""\
Package: tool
Status: install ok installed
Architecture: amd64
Version: 1.0-1
Conffiles:
 /etc/tool.ini {hashlib.md5(PRISTINE.encode()).hexdigest()}

"""


@pytest.fixture
def roots(tmp_path):
    pristine = tmp_path / "pristine"
    for name, text in {
        "etc/tool.ini": PRISTINE,
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/tool.list": "/.\n/etc\n/etc/tool.ini\n",
    }.items():
        path = pristine / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    edited = tmp_path / "edited"
    shutil.copytree(pristine, edited)
    (edited / "etc/tool.ini").write_text(EDITED)
    return pristine, edited


def as_layout(root, layout):
    """Return an OCI layout of one layer with the files of `root`."""
    import gzip
    import io
    import json

    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        tar.add(root, ".")
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(content, kind):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    diff_id = f"sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}"
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [diff_id]}}
    kind = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "config": put(json.dumps(config).encode(), f"{kind}.config.v1+json"),
        "layers": [put(gzip.compress(raw.getvalue()), f"{kind}.layer.v1.tar+gzip")],
    }
    index = {
        "schemaVersion": 2,
        "manifests": [put(json.dumps(manifest).encode(), f"{kind}.manifest.v1+json")],
    }
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


@pytest.mark.parametrize("kind", ["dir", "oci"])
def test_the_setting_that_was_edited_is_told(envlock, roots, tmp_path, kind):
    for root, name in zip(roots, ("before", "after"), strict=True):
        target = f"dir:{root}"
        if kind == "oci":
            as_layout(root, tmp_path / f"{name}-layout")
            target = f"oci:{tmp_path}/{name}-layout"
        envlock("capture", target, "--name", name, "-q")
    changes = envlock("diff", "before", "after", "--json", status=1).json["changes"]
    [setting] = [c for c in changes if c["field"].startswith("content:")]
    assert (setting["key"], setting["left"], setting["right"]) == ("/etc/tool.ini", "1", "2")
    # What the diff needed stays when the store is tidied up.
    envlock("store", "gc", "--grace", "0")
    again = envlock("diff", "before", "after", "--json", status=1).json["changes"]
    assert again == changes
