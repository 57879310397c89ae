"""Test data that is marked as such is not taken for software of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.capture.scan.search import FIXTURES

OWN_TESTS = Path(__file__).resolve().parents[1]
FILES = {
    "node_modules/left-pad/package.json": '{"name": "left-pad", "version": "1.3.0"}\n',
    "venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.2\n",
    "venv/lib/python3.11/site-packages/shop-1.0.dist-info/METADATA": "Name: shop\nVersion: 1.0\n",
    "composer/vendor/composer/installed.json": '{"packages": [{"name": "a/b", "version": "1"}]}\n',
    "conda/conda-meta/zlib-1-0.json": '{"name": "zlib", "version": "1", "build": "0"}\n',
    "opt/bin/tool": "#!/bin/sh\n",
}


def write(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "opt/bin/tool").chmod(0o755)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/app.conf").write_text("a = 1\n")
    write(tmp_path / "root/srv/app/tests/data")
    return tmp_path / "root"


def sections(envlock, root):
    found = envlock("capture", f"dir:{root}", "--name", "box", "--json").json["entries"]
    return {name: count for name, count in found.items() if name not in ("file", "tree")}


def test_nothing_below_the_mark_is_software_but_its_files_are_captured(envlock, root):
    before = sections(envlock, root)
    assert {"npm", "python", "composer", "conda"} <= before.keys()
    envlock("capture", f"dir:{root}", "--name", "before", "-q")
    (root / "srv/app/tests" / FIXTURES).write_text("fixtures: not software\n")
    assert sections(envlock, root) == {}
    (root / "srv/app/tests/data/opt/bin/tool").write_text("#!/bin/sh\necho\n")
    envlock("capture", f"dir:{root}", "--name", "after", "-q")
    report = envlock("diff", "before", "after", "--all", status=None).out
    assert "/srv/app/tests/data/opt/bin/tool" in report
    (root / "srv/app/tests" / FIXTURES).unlink()
    assert sections(envlock, root) == before, "the mark was taken away"


def test_what_lies_beside_the_mark_is_software(envlock, root):
    write(root / "srv/app")
    write(root / "srv/app/tests-of-others")
    (root / "srv/app/tests" / FIXTURES).touch()
    found = sections(envlock, root)
    assert found["npm"] >= 2
    assert found["python"] >= 2


def test_a_mark_in_the_root_directory_has_no_effect(envlock, root):
    before = sections(envlock, root)
    (root / FIXTURES).touch()
    assert sections(envlock, root) == before


def test_the_tests_of_envlock_are_marked():
    assert (OWN_TESTS / FIXTURES).read_text().startswith("fixtures: not software\n")


def test_a_checkout_of_envlock_holds_no_software_of_its_tests(envlock, tmp_path):
    copy = tmp_path / "root/home/me/envlock/tests"
    copy.mkdir(parents=True)
    (copy / FIXTURES).write_bytes((OWN_TESTS / FIXTURES).read_bytes())
    for case in ("npm", "python", "conda", "gem", "composer"):
        for path in (OWN_TESTS / "collectors" / case).rglob("*"):
            if path.is_file() and not path.is_symlink():
                target = copy / "collectors" / path.relative_to(OWN_TESTS / "collectors")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    assert sections(envlock, tmp_path / "root") == {}
