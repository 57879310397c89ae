"""What keeps parts of Python environments from working, as captures record it."""

import base64
import hashlib
import shutil
import subprocess
import sys

import pytest

from envlock.model.depth import Depth
from tests.conftest import unavailable

ONLY = {"only": frozenset({"python"}), "depth": Depth.RECORDS}


@pytest.fixture
def site(tmp_path):
    """Return the site-packages of a virtual environment, in a root with its interpreter."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/python3.11").write_text("x")
    (root / "opt/app/bin").mkdir(parents=True)
    (root / "opt/app/bin/python").symlink_to("/usr/bin/python3.11")
    config = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"
    (root / "opt/app/pyvenv.cfg").write_text(config)
    site = root / "opt/app/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    return site


def install(site, name, version, *headers, **files):
    """Install a distribution; names of files have two underscores for a slash."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}", *headers]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    rows = [f"{info.name}/METADATA,,"]
    for key, content in files.items():
        path = key.replace("__", "/") + ".py"
        if path == f"{name}/init.py" or path.endswith("/init.py"):
            path = path.replace("/init.py", "/__init__.py")
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode()
        rows.append(f"{path},sha256={digest.rstrip('=')},{len(content)}")
    (info / "RECORD").write_text("\n".join(rows) + "\n")
    return info


def facts(captured, site):
    lock = captured(site.parents[4], **ONLY).lock
    return lock.sections["python"], lock.coverage["python"]


def test_a_good_environment_has_no_faults(captured, site):
    install(site, "idna", "3.7")
    install(site, "requests", "2.31.0", "Requires-Dist: idna (<4,>=2.5)", requests__init="x = 1")
    records, coverage = facts(captured, site)
    assert records["app"] == {
        "version": "3.11.2",
        "implementation": "cpython",
        "path": "/opt/app",
        "system-site-packages": "false",
    }
    assert records["app/requests"] == {"version": "2.31.0"}
    assert coverage["status"] == "ok"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda root: (root / "usr/bin/python3.11").unlink(), "missing"),
        (lambda root: relink(root, "/usr/bin/python3.12"), "3.12"),
        (lambda root: relink(root, "/usr/bin/python3"), ""),
    ],
)
def test_the_interpreter_of_a_virtual_environment(captured, site, change, fault):
    root = site.parents[4]
    for name in ("python3.12", "python3", "sh"):
        (root / "usr/bin" / name).write_text("x")
    change(root)
    records, _ = facts(captured, site)
    assert records["app"].get("interpreter", "") == fault


def relink(root, target):
    link = root / "opt/app/bin/python"
    link.unlink()
    link.symlink_to(target)


def test_a_real_virtual_environment_whose_interpreter_goes(captured, tmp_path):
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/true").write_text("x")
    argv = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", root / "srv/shop"]
    subprocess.run(argv, check=True)
    found = captured(root, **ONLY).lock.sections["python"]
    assert found["shop"]["interpreter"] == "missing"
    for link in (root / "srv/shop/bin").glob("python*"):
        if link.readlink().is_absolute():
            target = root / str(link.readlink()).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sys.executable, target)
    assert "interpreter" not in captured(root, **ONLY).lock.sections["python"]["shop"]


def test_requirements(captured, site):
    install(site, "idna", "2.0")
    install(site, "urllib3", "2.2.1")
    install(
        site,
        "requests",
        "2.31.0",
        "Requires-Dist: idna>=2.5",
        "Requires-Dist: urllib3<2",
        "Requires-Dist: certifi",
        "Requires-Dist: chardet; extra == 'x'",
        "Requires-Dist: colorama; sys_platform == 'win32'",
        "Requires-Dist: typing; python_version < '3.8'",
        "Requires-Dist: odd; platform_machine == 'x86_64'",
    )
    records, _ = facts(captured, site)
    assert records["app/requests"]["unmet"] == "certifi; idna>=2.5 (2.0)"
    assert records["app/requests"]["beyond"] == "urllib3<2 (2.2.1)"
    assert "unmet" not in records["app/idna"]


def test_requirements_of_what_sees_the_system(captured, site):
    system = site.parents[4] / "usr/local/lib/python3.11/site-packages"
    install(system, "idna", "3.7")
    install(site, "requests", "2.31.0", "Requires-Dist: idna")
    records, _ = facts(captured, site)
    assert records["app/requests"]["unmet"] == "idna"
    config = site.parents[2] / "pyvenv.cfg"
    config.write_text(config.read_text().replace("false", "true"))
    records, _ = facts(captured, site)
    assert "unmet" not in records["app/requests"]


def test_two_distributions_with_one_module(captured, site):
    install(site, "PyJWT", "2.8.0", jwt__init="encode = 1", jwt__api="a = 1")
    install(site, "jwt", "1.3.1", jwt__init="JWT = 1")
    install(site, "same", "1", jwt__api="a = 1")
    records, _ = facts(captured, site)
    assert records["app/pyjwt"]["overlaps"] == "jwt"
    assert records["app/jwt"]["overlaps"] == "pyjwt"
    assert "overlaps" not in records["app/same"]


@pytest.mark.parametrize("mark", ["", "# a\n", "__path__ = extend_path(__path__, __name__)\n"])
def test_namespaces_and_stray_tests_may_be_shared(captured, site, mark):
    install(site, "one", "1", tests__init="1", google__init="x" * 3)
    install(site, "two", "1", tests__init="2", google__init=mark)
    records, _ = facts(captured, site)
    assert "overlaps" not in records["app/one"]


def test_what_an_interrupted_installation_leaves(captured, site):
    install(site, "attrs", "21.4.0")
    install(site, "attrs", "23.2.0")
    install(site, "idna", "3.6")
    install(site, "~dna", "3.7").parent.joinpath("~dna").mkdir()
    records, coverage = facts(captured, site)
    assert records["app/attrs"] == {"version": "21.4.0", "other-versions": "23.2.0"}
    assert records["app"]["leftovers"] == "~dna ~dna-3.7.dist-info"
    assert "app/dna" not in records and records["app/idna"] == {"version": "3.6"}
    assert coverage["status"] == "ok"


def test_sources_and_paths_that_are_gone(captured, site):
    info = install(site, "mine", "1.0")
    direct = '{"url": "file:///home/dev/mine%20x", "dir_info": {"editable": true}}'
    (info / "direct_url.json").write_text(direct)
    (site / "mine.pth").write_text("/home/dev/mine x\nimport os\nrelative\n")
    (site / "old.egg-link").write_text("/home/dev/old\n.\n")
    records, coverage = facts(captured, site)
    assert records["app/mine"]["source"] == "missing"
    assert records["app/old"] == {"editable": "true", "origin": "local", "source": "missing"}
    assert records["app"]["lost-paths"] == "mine.pth"
    assert coverage["status"] == "ok"
    (site.parents[4] / "home/dev/mine x").mkdir(parents=True)
    records, _ = facts(captured, site)
    assert "source" not in records["app/mine"] and "lost-paths" not in records["app"]


def test_a_part_of_a_system_proves_nothing_about_the_rest(captured, site):
    shutil.rmtree(site.parents[4] / "usr")
    (site / "mine.pth").write_text("/home/dev/mine\n")
    records, _ = facts(captured, site)
    assert "interpreter" not in records["app"] and "lost-paths" not in records["app"]


def test_a_module_that_was_built_here_and_lost_its_library(captured, site, tmp_path):
    if not shutil.which("gcc"):
        unavailable("gcc", "there is no compiler")
    folder = site.parents[4] / "usr/lib"
    folder.mkdir()
    library, module = folder / "libfoo.so.1", site / "fast/_c.so"
    module.parent.mkdir()
    argv = ["gcc", "-x", "c", "-", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libfoo.so.1"]
    subprocess.run([*argv, "-o", library], input="int f(void) {return 1;}", text=True, check=True)
    argv = ["gcc", "-x", "c", "-", "-x", "none", library, "-shared", "-fPIC", "-nostdlib"]
    source = "int f(void); int g(void) {return f();}"
    subprocess.run([*argv, "-o", module], input=source, text=True, check=True)
    info = install(site, "fast", "1.0")
    (info / "RECORD").write_text("fast/_c.so,,\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n")
    assert "missing" not in facts(captured, site)[0]["app/fast"]
    library.unlink()
    assert facts(captured, site)[0]["app/fast"]["missing"] == "libfoo.so.1"
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp311-cp311-manylinux2014_x86_64\n")
    assert "missing" not in facts(captured, site)[0]["app/fast"]
