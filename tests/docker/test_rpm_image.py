"""A root of RPM packages is the same environment as a folder, as a container and as an image."""

from __future__ import annotations

import os
import subprocess

import pytest

pytestmark = pytest.mark.docker


@pytest.fixture
def image(engine, rpm_root):
    """Return the name of an image of `rpm_root` that was tampered with."""
    name = "envlock-test/rpm:latest"
    (rpm_root / "etc/shop/edited.conf").write_text("edited=2\n")
    (rpm_root / "usr/bin/edited").write_text("something else\n")
    (rpm_root / "usr/bin/setuid").chmod(0o4755)
    (rpm_root / "usr/bin/lost").unlink()
    os.chown(rpm_root / "usr/bin/given", 1234, 1)
    pack = ["tar", "-C", rpm_root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-c", "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        take = ["docker", "import", "-", name]
        subprocess.run(take, stdin=tar.stdout, check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)


@pytest.fixture
def container(image):
    name = f"envlock-test-rpm-{os.getpid()}"
    subprocess.run(
        ["docker", "create", "--name", name, image, "/none"], check=True, capture_output=True
    )
    yield name
    subprocess.run(["docker", "rm", "-f", name], check=False, capture_output=True)


def test_every_view_of_it_tells_the_same(envlock, rpm_root, image, container):
    found = {}
    for target in (f"dir:{rpm_root}", f"docker:{container}", f"image:{image}"):
        envlock("capture", target, "-o", "lock")
        sections = envlock("show", "lock", "--json").json["sections"]
        assert sections["rpm"].keys() >= {"shop.x86_64", "kernel-core-5.14.2-1.x86_64"}
        found[target] = {name: sections[name] for name in ("rpm", "file")}
    first, *others = found.values()
    assert {path: facts["class"] for path, facts in first["file"].items()} == {
        "/etc/shop/edited.conf": "conffile-modified",
        "/usr/bin/edited": "package-modified",
        "/usr/bin/given": "package",
        "/usr/bin/lost": "package-missing",
        "/usr/bin/setuid": "package",
    }
    assert others == [first, first]


def test_a_container_differs_from_its_image_by_what_was_done_in_it(envlock, rpm_root, image):
    (rpm_root / "usr/bin/plain").write_text("patched\n")
    diff = envlock(
        "diff", f"image:{image}", f"dir:{rpm_root}", "--format", "json", status=None
    ).json
    rules = {change["key"]: change["rule"] for change in diff["changes"]}
    assert rules["/usr/bin/plain"] == "FILE-PACKAGE-EDITED"
