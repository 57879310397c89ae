"""Package files in a directory are found by their names."""

from __future__ import annotations

from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.directory import DirectorySource

DEB = Deb("lib", "1:2", "amd64", "lib")
ANY = Wheel("a", "1", "a-1-py2.py3-none-any.whl", "3")
NATIVE = Wheel("b", "1", "b-1-cp311-cp311-linux_x86_64.whl", "3.11")


def found(path, *wanted):
    source = DirectorySource(name="here", path=path)
    return source.fetch(wanted, path / "not-used")


def test_each_file_under_its_own_name(tmp_path):
    names = ("lib_1%3a2_amd64.deb", "a-1-py2.py3-none-any.whl")
    for name in (*names, "other.whl"):
        (tmp_path / name).touch()
    assert found(tmp_path, DEB, ANY, NATIVE) == {
        DEB: tmp_path / names[0],
        ANY: tmp_path / names[1],
    }
    assert len(list(tmp_path.iterdir())) == 3


def test_a_wheel_with_its_tags_in_another_order(tmp_path):
    (tmp_path / "A-1-py3.py2-none-any.whl").touch()
    assert found(tmp_path, DEB, ANY) == {ANY: tmp_path / "A-1-py3.py2-none-any.whl"}
    (tmp_path / ANY.filename).touch()
    assert found(tmp_path, ANY) == {ANY: tmp_path / ANY.filename}


def test_a_directory_with_the_name_of_a_package_is_none(tmp_path):
    (tmp_path / DEB.filename).mkdir()
    (tmp_path / "a-1-py3.py2-none-any.whl").mkdir()
    assert found(tmp_path, DEB, ANY) == {}


def test_without_the_directory_nothing_is_found(tmp_path):
    assert found(tmp_path / "missing", DEB, ANY) == {}
