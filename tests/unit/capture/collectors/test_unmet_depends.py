"""Dependencies of Debian packages that nothing installed meets."""

import pytest

from envlock.capture.discover.unmet_depends import Needs, unmet_depends, unmet_names
from envlock.formats.debian.dpkg import parse_status

FOO = "Package: foo\nStatus: install ok installed\nVersion: 1.5-2\nArchitecture: amd64\n\n"


def status(depends, *more, state="install ok installed"):
    app = f"Package: app\nStatus: {state}\nVersion: 1\nArchitecture: amd64\nDepends: {depends}\n\n"
    return parse_status(app + "".join(more)).packages


@pytest.mark.parametrize(
    ("depends", "unmet"),
    [
        ("foo", ""),
        ("foo (>= 1.5)", ""),
        ("foo (>= 1.5-3)", "foo (>= 1.5-3)"),
        ("foo:any (= 1.5-2), bar | foo", ""),
        ("bar", "bar"),
        ("bar | baz (>> 2), foo (<< 1)", "bar | baz (>> 2), foo (<< 1)"),
        ("virtual", ""),
        ("virtual (>= 2)", ""),
        ("virtual (>= 4)", "virtual (>= 4)"),
        ("plain", ""),
        ("plain (>= 1)", "plain (>= 1)"),
        ("what is this, foo", ""),
        ("foo [amd64]", ""),
        ("", ""),
    ],
)
def test_dependencies(depends, unmet):
    provider = FOO.replace("foo\n", "x\n").replace("\n\n", "\nProvides: virtual (= 3), plain\n\n")
    found = unmet_depends(status(depends, FOO, provider))
    assert found.get("app:amd64", "") == unmet


def test_what_is_removed_meets_nothing_and_needs_nothing():
    gone = FOO.replace("install ok installed", "deinstall ok config-files")
    assert unmet_depends(status("foo", gone)) == {"app:amd64": "foo"}
    assert unmet_depends(status("foo", gone, state="deinstall ok config-files")) == {}


def test_a_debian_root_has_none(debian_root):
    text = (debian_root / "var/lib/dpkg/status").read_text()
    packages = parse_status(text).packages
    assert len(packages) > 50
    assert unmet_depends(packages) == {}
    without = [package for package in packages if package.name != "libc6"]
    assert "libc6" in unmet_depends(without)["dpkg:amd64"]


def test_names_that_no_package_provides():
    packages = [
        Needs("curl", ["libcurl.so.4", "/bin/sh", "ca-bundle"], ["curl"]),
        Needs("libcurl", ["libc.so.6"], ["libcurl", "libcurl.so.4"]),
        Needs("glibc", [], ["glibc", "libc.so.6"]),
    ]
    assert unmet_names(packages) == {"curl": "ca-bundle"}
    assert unmet_names([*packages, Needs("x", [], ["ca-bundle"])]) == {}
