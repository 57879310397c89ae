"""Requirements of pip from each kind of file."""

import pytest

from envlock.declare.python_packages import requirements_of

ONE, TWO = "1" * 64, "2" * 64
UV = f"""
version = 1
[[package]]
name = "shop"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "click" }},
    {{ name = "pywin32", marker = "sys_platform == 'win32'" }},
    {{ name = "web", extra = ["fast"] }},
]
[package.dev-dependencies]
dev = [{{ name = "pytest" }}]
[[package]]
name = "click"
version = "8.1.7"
source = {{ registry = "https://pypi.org/simple" }}
dependencies = [{{ name = "colorama", marker = "sys_platform == 'win32'" }}]
sdist = {{ url = "https://example.org/c.tar.gz", hash = "sha256:{TWO}" }}
wheels = [{{ url = "https://example.org/c.whl", hash = "sha256:{ONE}" }}]
[[package]]
name = "colorama"
version = "0.4"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ hash = "sha256:{ONE}" }}]
[[package]]
name = "pywin32"
version = "306"
source = {{ registry = "https://pypi.org/simple" }}
dependencies = [{{ name = "colorama", marker = "os_name == 'nt'" }}]
wheels = [{{ hash = "sha256:{ONE}" }}]
[[package]]
name = "web"
version = "1"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ hash = "sha256:{ONE}" }}]
[package.optional-dependencies]
fast = [{{ name = "speed" }}]
[[package]]
name = "speed"
version = "2"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ hash = "sha256:{ONE}" }}]
[[package]]
name = "pytest"
version = "8"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ hash = "sha256:{ONE}" }}]
"""


def test_a_lock_of_uv_gives_what_the_project_needs_with_hashes_and_markers() -> None:
    found = requirements_of("lock", UV.encode())
    assert found.is_complete
    win, name = "sys_platform == 'win32'", "os_name == 'nt'"
    assert found.lines == (
        f"click==8.1.7 --hash=sha256:{ONE} --hash=sha256:{TWO}",
        f"colorama==0.4 ; (({win}) and ({name})) or ({win}) --hash=sha256:{ONE}",
        f"pywin32==306 ; ({win}) --hash=sha256:{ONE}",
        f"web==1 --hash=sha256:{ONE}",
        f"speed==2 --hash=sha256:{ONE}",
    )


def test_a_pylock_gives_each_package_with_its_marker() -> None:
    text = f"""
    lock-version = "1.0"
    [[packages]]
    name = "click"
    version = "8.1.7"
    marker = "python_version >= '3.7'"
    wheels = [{{ name = "c.whl", hashes = {{ sha256 = "{ONE}" }} }}]
    """
    found = requirements_of("pylock", text.encode())
    assert found.is_complete
    assert found.lines == (f"click==8.1.7 ; python_version >= '3.7' --hash=sha256:{ONE}",)


def test_requirements_and_a_project_are_left_to_pip() -> None:
    plain = requirements_of("requirements", b"# ours\nclick>=8\n")
    project = requirements_of("pyproject", b'[project]\ndependencies = ["click>=8", "rich"]\n')
    assert plain == (("# ours", "click>=8"), False)
    assert project == (("click>=8", "rich"), False)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("requirements", "-r other.txt", "needs other files"),
        ("requirements", "./wheel.whl", "needs other files"),
        ("lock", "[[package]\n", "not TOML"),
        ("lock", "", "no project"),
        ("lock", UV.replace('registry = "https://pypi.org/simple"', 'git = "x"'), "not come from"),
        ("pylock", '[[packages]]\nname = "a"\nversion = "1"', "has no SHA-256"),
        ("pylock", '[[packages]]\nname = "a b"\nversion = "1"', "without name or version"),
        ("pylock", "[[packages]]\nmarker = \"'x' in extras\"", "groups or extras"),
        ("pyproject", "[project]\ndependencies = [1]", "not a requirement"),
    ],
)
def test_what_cannot_be_used_is_told(kind: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        requirements_of(kind, text.encode())
