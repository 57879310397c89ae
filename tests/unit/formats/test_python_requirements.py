"""Requirements and markers, compared with the `packaging` library."""

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from envlock.formats.python_requirements import (
    UnknownMarkerError,
    marker_holds,
    parse_requirement,
)
from envlock.versions.pep440 import satisfies

ENVIRONMENT = {
    "python_version": "3.11",
    "python_full_version": "3.11.2",
    "sys_platform": "linux",
    "os_name": "posix",
    "platform_system": "Linux",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
MARKERS = [
    "",
    "python_version < '3.8'",
    'python_version >= "3.8" and sys_platform == "win32"',
    "sys_platform != 'win32' or (python_version < '3.0' and os_name == 'nt')",
    "extra == 'test'",
    "python_version >= '3.10' and extra == 'dev'",
    "platform_system in 'Linux Darwin'",
    "sys_platform not in 'win32 cygwin'",
    "python_full_version < '3.11.3'",
    "'linux' == sys_platform",
    "(python_version == '3.11.*')",
    "implementation_name == 'cpython' and (python_version > '3.9' or os_name == 'nt')",
]
CLAUSES = [
    ("1.0", "==", "1.0.0"),
    ("1.0+local", "==", "1.0"),
    ("1.0+a", "==", "1.0+b"),
    ("1.4.2", "~=", "1.4"),
    ("2.0", "~=", "1.4"),
    ("1.4.9", "~=", "1.4.5"),
    ("1.5.0", "~=", "1.4.5"),
    ("1.4.2", "==", "1.4.*"),
    ("1.14.2", "==", "1.4.*"),
    ("1", "==", "1.0.*"),
    ("1.3", "!=", "1.4.*"),
    ("1.3", "!=", "1.3"),
    ("2.0rc1", "<", "2.1"),
    ("2", ">=", "1.9"),
    ("1.8", ">=", "1.9"),
    ("1.9", ">", "1.9"),
    ("1!1.0", ">=", "2.0"),
    ("1.0", "===", "1.0.0"),
]


@pytest.mark.parametrize("marker", MARKERS)
def test_markers(marker):
    expected = not marker or Marker(marker).evaluate({**ENVIRONMENT, "extra": ""})
    assert marker_holds(marker, ENVIRONMENT, satisfies) is expected


@pytest.mark.parametrize(
    "marker",
    [
        "platform_machine == 'x86_64'",
        "python_version <",
        "python_version < '3.8' or",
        "(python_version < '3.8'",
        "python_version < 'abc'",
        "sys_platform < 'linux'",
        "what is this?",
        "(" * 200,
    ],
)
def test_what_cannot_be_judged_is_unknown(marker):
    with pytest.raises(UnknownMarkerError):
        marker_holds(marker, ENVIRONMENT, satisfies)


@pytest.mark.parametrize(("version", "operator", "wanted"), CLAUSES)
def test_clauses(version, operator, wanted):
    expected = SpecifierSet(f"{operator}{wanted}", prereleases=True).contains(version)
    assert satisfies(version, operator, wanted) is expected


@pytest.mark.parametrize(
    ("text", "name", "clauses", "marker"),
    [
        ("idna", "idna", [], ""),
        ("Foo_Bar (>=1.0)", "foo-bar", [(">=", "1.0")], ""),
        ("urllib3<3,>=1.21.1", "urllib3", [("<", "3"), (">=", "1.21.1")], ""),
        (
            "requests[socks]>=2 ; extra == 'x'",
            "requests",
            [(">=", "2")],
            "extra == 'x'",
        ),
        ("pkg @ https://example.org/pkg.whl", "pkg", [], ""),
    ],
)
def test_requirements(text, name, clauses, marker):
    found = parse_requirement(text)
    assert (found.name, [tuple(each) for each in found.clauses], found.marker) == (
        name,
        clauses,
        marker,
    )


@pytest.mark.parametrize("text", ["", "???", "name >> 1", "x" * 5000])
def test_malformed_requirements(text):
    assert parse_requirement(text) is None
