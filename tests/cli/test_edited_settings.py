"""An edited configuration file of a package is compared setting by setting."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from tests.targets.conftest import layout_of, tar_of

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


@pytest.mark.parametrize("kind", ["dir", "oci"])
def test_the_edited_setting_is_in_the_diff(envlock, roots, tmp_path, kind):
    for root, name in zip(roots, ("before", "after"), strict=True):
        target = f"dir:{root}"
        if kind == "oci":
            target = f"oci:{layout_of(tmp_path / f'{name}-layout', [tar_of(root)])}"
        envlock("capture", target, "--name", name, "-q")
    changes = envlock("diff", "before", "after", "--json", status=1).json["changes"]
    [setting] = [c for c in changes if c["field"].startswith("content:")]
    assert (setting["key"], setting["left"], setting["right"]) == ("/etc/tool.ini", "1", "2")
    # Garbage collection keeps the content that the diff needs.
    envlock("store", "gc", "--grace", "0")
    again = envlock("diff", "before", "after", "--json", status=1).json["changes"]
    assert again == changes
