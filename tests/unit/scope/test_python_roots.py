"""Python environments as roots, and as what programs need."""

from __future__ import annotations

import pytest

from envlock.model.process import ProcessConfig
from envlock.model.scope import MemberClass
from envlock.scope.edges.python_base import needs
from envlock.scope.graph import File, Item
from tests.unit.scope.conftest import Machine, files

SITE = "/opt/app/lib/python3.11/site-packages"
SHARED = "/usr/lib/python3/dist-packages"


@pytest.fixture
def python(machine: Machine) -> Machine:
    """A Debian interpreter with its library, some shared distributions, and an environment."""
    machine.program("/usr/bin/python3.11", owner="deb python3.11-minimal:amd64")
    machine.link("/usr/bin/python3", "python3.11")
    for name in ("_ssl", "_ctypes", "_json", "_bz2", "_curses", "_hashlib"):
        machine.file(
            f"/usr/lib/python3.11/lib-dynload/{name}.so", owner="deb libpython3.11-stdlib:amd64"
        )
    machine.file("/usr/lib/python3.11/lib-dynload/_tkinter.so", owner="deb python3-tk:amd64")
    machine.file("/usr/lib/python3.11/os.py", owner="deb libpython3.11-minimal:amd64")
    machine.record("python", "system-3", path="/usr", version="3.11", externally_managed="true")
    for name, requires in (("ansible", ["Jinja2 (>=3)", "old; python_version<'3'"]),
                           ("jinja2", ["MarkupSafe"]), ("markupsafe", []), ("old", []),
                           ("unrelated", [])):  # fmt: skip
        distribution(machine, SHARED, "system-3", name, requires)
        machine.records["python"][f"system-3/{name}"]["packaged-by"] = f"deb python3-{name}:all"
    machine.file(f"{SHARED}/markupsafe/_speedups.so", owner="deb python3-markupsafe:all")
    machine.file(f"{SHARED}/markupsafe/__init__.py", owner="deb python3-markupsafe:all")
    machine.file("/opt/app/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
    machine.link("/opt/app/bin/python3", "/usr/bin/python3.11")
    machine.link("/opt/app/bin/python", "python3")
    machine.record("python", "app", path="/opt/app", version="3.11.2")
    distribution(machine, SITE, "app", "flask", ["click"])
    distribution(machine, SITE, "app", "click", [])
    distribution(machine, SITE, "app", "numpy", [], "numpy/_core.so,,\n../../../bin/f2py,,\n")
    machine.file(f"{SITE}/numpy/_core.so", owner="python app/numpy")
    machine.program(
        "/opt/app/bin/flask", "#!/opt/app/bin/python\nimport flask\n", owner="python app/flask"
    )
    return machine


def distribution(
    machine: Machine,
    folder: str,
    environment: str,
    name: str,
    requires: list[str],
    record: str = "",
) -> None:
    info = f"{folder}/{name}-1.0.dist-info"
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    machine.file(f"{info}/METADATA", f"Name: {name}\nVersion: 1.0\n{lines}\n")
    machine.file(f"{info}/RECORD", record)
    machine.record("python", f"{environment}/{name}", version="1.0")


WHOLE = {"python:app", "python:app/flask", "python:app/click", "python:app/numpy"}
BASE = {
    "deb:python3.11-minimal:amd64",
    "deb:libpython3.11-minimal:amd64",
    "deb:libpython3.11-stdlib:amd64",
}


@pytest.mark.parametrize(
    "root",
    ["python:/opt/app", "python:/opt/app/bin/python", f"python:{SITE}", "exe:/opt/app/bin/flask"],
)
def test_an_environment_is_needed_as_a_whole_with_its_interpreter(
    python: Machine, root: str
) -> None:
    assert set(python.closure(root)) == WHOLE | BASE


def test_the_chain_goes_from_the_environment_to_the_compiled_module(python: Machine) -> None:
    members = python.closure("python:/opt/app")
    assert members["python:app/numpy"].via == "python:app"
    assert members["deb:python3.11-minimal:amd64"].via == "python:app → pyvenv.cfg"
    assert members["deb:libpython3.11-stdlib:amd64"].member_class is MemberClass.LOADED


def test_a_process_that_runs_a_module_needs_the_environment_on_its_path(python: Machine) -> None:
    python.view.config = ProcessConfig(
        cmd=("python", "-m", "flask", "run"), environ={"PATH": "/opt/app/bin:/usr/bin"}
    )
    assert set(python.closure("process")) == WHOLE | BASE


def test_a_console_script_of_the_system_needs_what_its_metadata_requires(python: Machine) -> None:
    python.file(
        f"{SHARED}/ansible-1.0.dist-info/entry_points.txt",
        "[console_scripts]\nansible = ansible.cli:main\n",
    )
    python.program("/usr/bin/ansible", "#!/usr/bin/python3\nimport sys\n", owner="deb ansible:all")
    found = {name for name in python.closure("exe:ansible") if name.startswith("python:")}
    assert found == {
        "python:system-3/ansible",
        "python:system-3/jinja2",
        "python:system-3/markupsafe",
    }


def test_a_script_of_the_system_needs_what_it_and_the_modules_beside_it_import(
    python: Machine,
) -> None:
    python.file("/srv/tool/helper.py", "def f():\n    from markupsafe import escape\n")
    python.program("/srv/tool/main.py", "#!/usr/bin/env python3\nimport os, helper\n")
    members = python.closure("exe:/srv/tool/main.py")
    assert {name for name in members if name.startswith("python:")} == {
        "python:system-3/markupsafe"
    }
    assert "deb:python3-markupsafe:all" in members


def test_the_whole_of_a_shared_environment_is_needed_where_it_is_the_root(python: Machine) -> None:
    found = python.closure("python:/usr/bin/python3")
    assert {"python:system-3", "python:system-3/unrelated"} <= set(found)


def test_an_environment_that_sees_the_system_needs_what_it_lacks_itself(python: Machine) -> None:
    python.file("/opt/app/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n")
    distribution(python, SITE, "app", "web", ["jinja2"])
    found = python.closure("python:/opt/app")
    assert "python:system-3/markupsafe" in found
    assert "python:system-3/unrelated" not in found


def test_what_a_pth_file_and_an_editable_source_add_is_needed(python: Machine) -> None:
    python.file("/srv/lib/ext/_fast.so", owner="deb fast:amd64")
    python.file(f"{SITE}/extra.pth", "/srv/lib\nimport nothing\n")
    distribution(python, SITE, "app", "mine", [])
    url = '{"url": "file:///home/me/my%20code", "dir_info": {"editable": true}}'
    python.file(f"{SITE}/mine-1.0.dist-info/direct_url.json", url)
    python.file("/home/me/my code/src/_mine.so", owner="deb mine:amd64")
    found = python.closure("python:/opt/app")
    assert found["deb:fast:amd64"].via == "python:app → extra.pth"
    assert found["deb:mine:amd64"].via == "python:app/mine → editable"


def test_a_directory_in_pythonpath_is_needed(python: Machine) -> None:
    python.record("python", "target", path="/srv/target")
    python.file("/srv/target/x/__init__.py")
    python.view.config = ProcessConfig(
        cmd=("/opt/app/bin/flask",), environ={"PYTHONPATH": "/srv/target"}
    )
    assert "python:target" in python.closure("process")


def test_a_root_that_is_not_there_is_a_gap(python: Machine) -> None:
    assert python.closure("python:/nowhere") == {}
    assert [gap.where for gap in python.view.gaps] == ["python:/nowhere"]


def test_an_interpreter_is_both_its_file_and_its_environment(python: Machine) -> None:
    assert python.roots("python:/opt/app/bin/python") == [
        Item("python", "app"),
        File("/usr/bin/python3.11"),
    ]


@pytest.fixture
def built(machine: Machine) -> Machine:
    """An interpreter that an account built, with packages, and a virtual environment of it."""
    home = "/home/dev/.pyenv/versions/3.11.7"
    machine.program(f"{home}/bin/python3.11")
    machine.link(f"{home}/bin/python3", "python3.11")
    machine.file(f"{home}/lib/python3.11/os.py")
    machine.record("python", "pyenv-3.11", path=home, version="3.11.7")
    site = f"{home}/lib/python3.11/site-packages"
    distribution(machine, site, "pyenv-3.11", "awscli", [])
    machine.program(
        f"{home}/bin/aws", f"#!{home}/bin/python3.11\n", owner="python pyenv-3.11/awscli"
    )
    machine.file("/srv/shop/pyvenv.cfg", f"home = {home}/bin\nversion = 3.11.7\n")
    machine.link("/srv/shop/bin/python", f"{home}/bin/python3.11")
    machine.record("python", "shop", path="/srv/shop", version="3.11.7")
    distribution(machine, "/srv/shop/lib/python3.11/site-packages", "shop", "flask", [])
    return machine


def test_packages_of_the_interpreter_that_made_an_environment_are_not_needed(
    built: Machine,
) -> None:
    found = built.closure("python:/srv/shop")
    assert "python:shop/flask" in found
    assert "python:pyenv-3.11" in found  # its standard library
    assert "python:pyenv-3.11/awscli" not in found


def test_a_running_process_needs_the_environment_of_its_command_alone(built: Machine) -> None:
    exe = "/home/dev/.pyenv/versions/3.11.7/bin/python3.11"
    built.view.config = ProcessConfig(cmd=("/srv/shop/bin/python", "app.py"), exe=exe)
    found = built.closure("process")
    assert "python:shop/flask" in found
    assert "python:pyenv-3.11/awscli" not in found
    built.view.config = ProcessConfig(cmd=("app: master",), exe=exe)
    assert "python:pyenv-3.11/awscli" in built.closure("process")


def test_a_program_of_another_environment_needs_that(built: Machine) -> None:
    found = built.closure("exe:/home/dev/.pyenv/versions/3.11.7/bin/aws")
    assert "python:pyenv-3.11/awscli" in found


def test_what_distributions_package_apart_from_python_is_not_needed_of_a_built_one(
    built: Machine,
) -> None:
    prefix = "/home/dev/.pyenv/versions/3.11.7"
    for name in ("_ssl", "_tkinter"):
        built.file(f"{prefix}/lib/python3.11/lib-dynload/{name}.cpython-311-x86_64-linux-gnu.so")
    found = needs(File(f"{prefix}/bin/python3.11"), built.around())
    names = [path.rpartition("/")[2].partition(".")[0] for path in files([n.node for n in found])]
    assert names == ["os", "_ssl"]


def test_a_relative_root_starts_where_the_process_of_a_container_does(python: Machine) -> None:
    python.view.config = ProcessConfig(cmd=("sleep", "1"), workdir="/opt")
    assert "python:app/flask" in python.closure("python:app")
    python.view.config = ProcessConfig(cmd=("sleep", "1"), workdir="/srv")
    assert "python:app/flask" not in python.closure("python:app")
