"""Version orders agree with the programs and documents that define them."""

import ctypes
import itertools
import random
import shutil
import subprocess
from functools import cmp_to_key

import pytest
import rattler
from packaging.version import InvalidVersion, Version

from envlock.model.facts import VersionOrder
from envlock.versions import alpm, apk, conda, deb, dotted, gem, pep440, rpm, semver
from envlock.versions.ordering import relate, upstream
from envlock.versions.relation import Relation
from tests.conftest import unavailable


def debian_versions(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    tail = "0019abz.+~Z-"
    found = []
    while len(found) < count:
        text = dice.choice(["", "", "", "0:", "1:"]) + dice.choice("0123456789")
        text += "".join(dice.choice(tail) for _ in range(dice.randrange(8)))
        found.append(text.rstrip("-"))
    return found


def by_dpkg(pairs: list[tuple[str, str]]) -> list[int]:
    script = "".join(
        f"if dpkg --compare-versions '{a}' lt '{b}'; then echo -1; "
        f"elif dpkg --compare-versions '{a}' eq '{b}'; then echo 0; else echo 1; fi\n"
        for a, b in pairs
    )
    run = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True)
    return [int(line) for line in run.stdout.split()]


def test_debian_order_matches_dpkg():
    if not shutil.which("dpkg"):
        unavailable("tools", "dpkg defines the order, and is not here")
    pairs = list(zip(debian_versions(1, 1500), debian_versions(2, 1500), strict=True))
    # Errors are likely for neighbours that differ in one place.
    pairs += [(version, f"{version}{tail}") for version, tail in zip(
        debian_versions(3, 500), ["~", "+b1", "0", "a", ".0", "~~"] * 84, strict=False
    )]  # fmt: skip
    pairs += [("1:2:3-1", "1:2:4-1"), ("1.0-0", "1.0"), ("0", "0~"), ("1", "1~-1")]
    expected = by_dpkg(pairs)
    wrong = [
        (pair, sign)
        for pair, sign in zip(pairs, expected, strict=True)
        if deb.compare(*pair) != sign
    ]
    assert wrong == []


@pytest.mark.parametrize("text", ["", "1.0_2", "a:1", "1 2", "1:", ":1"])
def test_an_invalid_debian_version_is_rejected(text):
    with pytest.raises(ValueError, match="Debian version"):
        deb.compare(text, "1")


def test_upstream_of_a_debian_version():
    assert deb.upstream("1:2.3-4~deb12u1") == "2.3"
    assert deb.upstream("2.3-rc1-4") == "2.3-rc1"


def python_version(dice: random.Random) -> str:
    return "".join(
        (
            dice.choice(["", "", "1!", "v"]),
            ".".join(str(dice.randrange(3)) for _ in range(dice.randrange(1, 4))),
            dice.choice(["", "", "a1", "rc", "-BETA.3", ".pre"]),
            dice.choice(["", "", ".post1", "-3", "post", "_r2"]),
            dice.choice(["", "", ".dev", "dev2"]),
            dice.choice(["", "", "+a.1", "+1", "+a", "+A-b"]),
        )
    )


def test_python_order_matches_the_packaging_library():
    dice = random.Random(3)
    wrong = []
    for _ in range(20_000):
        a, b = python_version(dice), python_version(dice)
        x, y = Version(a), Version(b)
        if pep440.compare(a, b) != (x > y) - (x < y):
            wrong.append((a, b))
    assert wrong == []


@pytest.mark.parametrize("text", ["", "1.0.x", "abc", "1..2", "1+", "2004-01-01-beta", "1.٣"])
def test_an_invalid_python_version_is_rejected(text):
    with pytest.raises(InvalidVersion):
        Version(text)
    with pytest.raises(ValueError, match="PEP 440"):
        pep440.compare(text, "1")


def conda_version(dice: random.Random) -> str:
    parts = ["0", "1", "2", "10", "01", "a", "rc", "1a", "post1", "dev", "1post", "a1", "1.0dev"]
    return "".join(
        (
            dice.choice(["", "", "", "1!"]),
            ".".join(dice.choice(parts) for _ in range(dice.randrange(1, 4))),
            dice.choice(["", "", ".0_", "post", ".DEV1", "rc1", "_r2", "-1"]),
            dice.choice(["", "", "", "+1.a", "+2", "+dev"]),
        )
    )


def test_conda_order_matches_a_conda_client():
    dice = random.Random(4)
    wrong = []
    for _ in range(10_000):
        a, b = conda_version(dice), conda_version(dice)
        x, y = rattler.Version(a), rattler.Version(b)
        if conda.compare(a, b) != (x > y) - (x < y):
            wrong.append((a, b))
    assert wrong == []


DOCUMENTED = [
    "0.4", "0.4.1.rc", "0.4.1", "0.5a1", "0.5b3", "0.5C1", "0.5", "0.9.6", "0.960923", "1.0",
    "1.1dev1", "1.1_", "1.1a1", "1.1.0dev1", "1.1.a1", "1.1.0rc1", "1.1.0", "1.1.0post1",
    "1.1post1", "1996.07.12", "1!0.4.1", "1!3.1.1.6", "2!0.4.1",
]  # fmt: skip
"""In order: the example of conda's documentation, without versions that equal others."""


def test_conda_order_matches_its_documentation():
    for older, newer in itertools.pairwise(DOCUMENTED):
        assert conda.compare(older, newer) <= 0, (older, newer)
        assert conda.compare(newer, older) >= 0, (older, newer)
    assert conda.compare("0.4", "0.4.0") == 0
    assert conda.compare("1.1.0post1", "1.1.post1") == 0


@pytest.mark.parametrize("text", ["", "1..2", "1!", "a!1", "1+", "1 2", "1*", "é"])
def test_an_invalid_conda_version_is_rejected(text):
    with pytest.raises(ValueError, match="conda version"):
        conda.compare(text, "1")


def gem_version(dice: random.Random) -> str:
    parts = ["0", "1", "2", "10", "01", "a", "rc", "rc1", "1a", "beta", "B", "0"]
    tail = "".join(f".{dice.choice(parts)}" for _ in range(dice.randrange(4)))
    return dice.choice(["0", "1", "2", "10"]) + tail + dice.choice(["", "", "", "-1", "-rc.1"])


def by_rubygems(pairs: list[tuple[str, str]]) -> list[int]:
    script = "STDIN.each_line { |l| a, b = l.split.map { |v| Gem::Version.new(v) }; puts a <=> b }"
    lines = "".join(f"{a} {b}\n" for a, b in pairs)
    command = ["ruby", "-e", script]
    run = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [int(line) for line in run.stdout.split()]


def test_gem_order_matches_rubygems():
    if shutil.which("ruby") is None:
        unavailable("tools", "ruby is missing")
    dice = random.Random(5)
    pairs = [(gem_version(dice), gem_version(dice)) for _ in range(5000)]
    pairs += [(version, f"{version}.0") for version, _ in pairs[:200]]
    expected = by_rubygems(pairs)
    wrong = [
        (pair, sign)
        for pair, sign in zip(pairs, expected, strict=True)
        if gem.compare(*pair) != sign
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("older", "newer"), [("7.1.0.rc1", "7.1.0"), ("1.9", "1.10"), ("1", "1.1")]
)
def test_a_prerelease_of_a_gem_is_older(older, newer):
    assert gem.compare(older, newer) == -1
    assert gem.compare(newer, older) == 1
    assert gem.compare(newer, f"{newer}.0") == 0


@pytest.mark.parametrize("text", ["", "a", "1..2", "1.", ".1", "1_2", "1.é"])
def test_an_invalid_gem_version_is_rejected(text):
    with pytest.raises(ValueError, match="gem version"):
        gem.compare(text, "1")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.1.0-21-amd64", "6.1.0-25-amd64"),
        ("6.1.0-9-amd64", "6.1.0-10-amd64"),
        ("550.54", "580.95.05"),
        ("2.9", "2.36"),
        ("12", "12.1"),
    ],
)
def test_dotted_numbers_have_an_order(older, newer):
    assert dotted.compare(older, newer) == -1
    assert dotted.compare(newer, older) == 1
    assert dotted.compare(older, older) == 0


@pytest.mark.parametrize(("a", "b"), [("6.1-rc1", "6.1"), ("5.15-wsl2", "5.15-azure1"), ("x", "y")])
def test_unclear_dotted_versions_have_no_order(a, b):
    assert relate(VersionOrder.DOTTED, a, b) is Relation.DIFFERS


@pytest.mark.parametrize("order", list(VersionOrder))
def test_invalid_versions_only_differ(order):
    assert relate(order, "\udcff\n", "☃") is Relation.DIFFERS


def test_the_relation_is_that_of_the_right_version_to_the_left():
    assert relate(VersionOrder.DEB, "1.0~rc1-1", "1.0-1") is Relation.NEWER
    assert relate(VersionOrder.PEP440, "1.0", "1.0rc1") is Relation.OLDER
    assert relate(VersionOrder.DEB, "1.0", "1.0-0") is Relation.DIFFERS


SEMANTIC = [
    "0.9.9", "1.0.0-0", "1.0.0-9", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
    "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0",
    "1.10.0", "v2.0.0-20240101000000-0123456789ab", "v2.0.0",
]  # fmt: skip
"""In order: the example of semver.org item 11, and pseudo-versions of Go."""


def test_semantic_order_matches_the_specification():
    for place, version in enumerate(SEMANTIC):
        signs = [semver.compare(version, other) for other in SEMANTIC]
        assert signs == [(place > at) - (place < at) for at in range(len(SEMANTIC))], version


@pytest.mark.parametrize("text", ["", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "^1.0.0"])
def test_an_invalid_semantic_version_is_rejected(text):
    with pytest.raises(ValueError, match="semantic version"):
        semver.compare(text, "1.0.0")


def test_build_metadata_have_no_order():
    assert relate(VersionOrder.SEMVER, "1.0.0+a", "1.0.0+b") is Relation.DIFFERS
    assert relate(VersionOrder.SEMVER, "2.0.0+incompatible", "1.0.0") is Relation.OLDER


def versions(seed, count, heads, tail, ends):
    dice = random.Random(seed)
    return [
        dice.choice(heads)
        + dice.choice("019a")
        + "".join(dice.choice(tail) for _ in range(dice.randrange(7)))
        + dice.choice(ends)
        for _ in range(count)
    ]


def neighbours(seed, found, changes):
    """Return pairs of versions; half of them differ in one place, where errors are likely."""
    dice = random.Random(seed)
    others = [
        dice.choice(found) if dice.random() < 0.5 else a.replace("-", dice.choice(changes) + "-", 1)
        for a in found
    ]
    return list(zip(found, others, strict=True))


def test_rpm_order_matches_rpm():
    if not shutil.which("rpm"):
        unavailable("rpm", "it defines the order, and is not here")
    found = versions(
        5, 3000, ["", "", "0:", "1:"], "0019abZ.._+~^", ["-1", "-01", "-1~a", "-1^", "-2.el9"]
    )
    pairs = neighbours(6, found, ["~", "^", ".0", "a", "1", "", "+", "^~", "~~"])
    signs = []
    for start in range(0, len(pairs), 500):
        calls = " ".join(
            f'print(rpm.vercmp("{a}", "{b}") + 1)' for a, b in pairs[start : start + 500]
        )
        run = subprocess.run(
            ["rpm", "--eval", f"%{{lua: {calls}}}"], capture_output=True, text=True, check=True
        )
        signs += [int(sign) - 1 for sign in run.stdout.strip()]
    expected = list(zip(pairs, signs, strict=True))
    assert [e for e in expected if rpm.compare(*e[0]) != e[1]] == []


def test_arch_order_matches_libalpm():
    try:
        library = ctypes.CDLL("libalpm.so.13")
    except OSError as error:
        unavailable("pacman", str(error))
    found = versions(
        7, 20_000, ["", "", "0:", "1:", ":"], "0019abZ.._+", ["-1", "-2", "-1.1", "", "-10"]
    )
    pairs = neighbours(8, found, ["a", "1", ".a", ".1", ".", "..1", ""])
    expected = [(p, library.alpm_pkg_vercmp(p[0].encode(), p[1].encode())) for p in pairs]
    assert [e for e in expected if alpm.compare(*e[0]) != e[1]] == []


ALPINE = [
    "0.9", "1.0_alpha", "1.0_alpha-r1", "1.0_alpha1", "1.0_beta", "1.0_pre2", "1.0_rc", "1.0_rc1",
    "1.0_rc1_git20240101", "1.0", "1.0-r0", "1.0-r9", "1.0-r10", "1.0~0abc-r1", "1.0_cvs",
    "1.0_svn1", "1.0_git1", "1.0_git20240101-r1", "1.0_hg", "1.0_p1", "1.0_p1_p2", "1.0a",
    "1.0a-r1", "1.0b", "1.1", "1.9", "1.10", "10",
]  # fmt: skip
"""In order, by the rules of apk-tools' version.c."""


def test_alpine_order():
    for place, version in enumerate(ALPINE):
        signs = [apk.compare(version, other) for other in ALPINE]
        assert signs == [(place > at) - (place < at) for at in range(len(ALPINE))], version
    # A number after a dot that begins with 0 is a fraction.
    assert sorted(["1.1", "1.01", "1.009", "1.00", "1.0", "1.10"], key=cmp_to_key(apk.compare)) == [
        "1.0", "1.00", "1.009", "1.01", "1.1", "1.10",
    ]  # fmt: skip
    assert apk.compare("1.0.1", "1.0") == 1


@pytest.mark.parametrize(
    "text",
    ["", "a", "1.", "1..2", "1.0-1", "1.0-r", "1ab", "1_foo", "1.0_rc-r1-r2", "1.0~xyz", "١"],
)
def test_an_invalid_alpine_version_is_rejected(text):
    with pytest.raises(ValueError, match="Alpine version"):
        apk.compare(text, "1")


@pytest.mark.parametrize("text", ["", "1-2-3", "a:1-1", "1 2", "1:", "1-", "١"])
def test_an_invalid_rpm_or_arch_version_is_rejected(text):
    for order in (rpm, alpm):
        with pytest.raises(ValueError, match="version"):
            order.compare(text, "1")


def test_upstream_of_the_other_systems():
    assert rpm.upstream("1:2.3~rc1-4.el9") == "2.3~rc1"
    assert apk.upstream("2.3_rc1-r4") == "2.3_rc1"
    assert alpm.upstream("1:2.3-4") == "2.3"


@pytest.mark.parametrize(
    ("order", "version", "expected"),
    [
        (VersionOrder.DEB, "1:2.3-4+deb12u1", "2.3"),
        (VersionOrder.RPM, "1:2.3-4.el9", "2.3"),
        (VersionOrder.APK, "2.3-r4", "2.3"),
        (VersionOrder.ALPM, "1:2.3-4", "2.3"),
        (VersionOrder.SEMVER, "2.3.0-rc.1", "2.3.0-rc.1"),
    ],
)
def test_the_upstream_version_has_no_epoch_and_revision(order, version, expected):
    assert upstream(order, version) == expected
