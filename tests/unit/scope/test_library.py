"""The libraries that the loader picks, by the rules of glibc and of musl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.captured_files import CapturedFiles
from envlock.model.lock import Lock
from envlock.model.scope import Member, MemberClass
from envlock.scope.closure import closure
from envlock.scope.edges import library
from envlock.scope.graph import Around, File, Need
from envlock.targets.base import Target
from envlock.targets.kinds import open_target
from tests.unit.formats.elf_files import linked_elf
from tests.unit.formats.test_loader_files import make_cache

LOADER = "/lib64/ld-linux-x86-64.so.2"
STATES = (
    b"\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"
    b"ld.so (GNU libc) stable release version 2.36.\n\0x86-64-v4:x86-64-v3:x86-64-v2\0"
    b"/etc/ld.so.cache\0"
)
DEFAULT = "/usr/lib/x86_64-linux-gnu"
MUSL = "/lib/ld-musl-x86_64.so.1"


class Root:
    """A root directory with the loader of glibc, and what a program in it needs."""

    def __init__(self, top: Path, target: Target) -> None:
        self.top = top
        self.view = CapturedFiles(
            target,
            owner=lambda _: "",
            digest=lambda _: "",
            open_file=lambda entry: target.open(entry.path),
        )
        self.file(LOADER, linked_elf(soname="ld-linux-x86-64.so.2") + STATES)

    def file(self, path: str, content: bytes) -> str:
        where = self.top / path[1:]
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
        return path

    def library(self, path: str, *needed: str, **form: str) -> str:
        return self.file(path, linked_elf(*needed, soname=path.rpartition("/")[2], **form))

    def program(self, *needed: str, path: str = "/opt/app/bin/app", **form: str) -> str:
        form = {"interpreter": LOADER, **form}
        return self.file(path, linked_elf(*needed, **form))

    def cache(self, *rows: tuple[str, str, str]) -> None:
        self.file("/etc/ld.so.cache", make_cache(list(rows)))

    def closure(
        self, *paths: str, levels: str = "", variables: Mapping[str, str] | None = None
    ) -> dict[str, Member]:
        lock = Lock(sections={"host.libc": {"": {"hwcaps": levels}}})
        around = Around(view=self.view, lock=lock, variables=variables or {}, workdir="/srv")
        start = [Need(File(path)) for path in paths]
        members = closure("app", start, (library.EDGE,), around)
        return {member.name: member for member in members}

    def picked(self, *paths: str, levels: str = "", **variables: str) -> set[str]:
        """Return the members besides the files that it starts from and the loader."""
        members = self.closure(*paths, levels=levels, variables=variables)
        return members.keys() - {f"file:{path}" for path in (*paths, LOADER)}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with closing(open_target(f"dir:{tmp_path}")) as target:
        yield Root(tmp_path, target)


def test_a_program_needs_its_loader_and_its_libraries(root: Root) -> None:
    root.library(f"{DEFAULT}/liba.so.1", "libb.so.1")
    root.library(f"{DEFAULT}/libb.so.1")
    found = root.closure(root.program("liba.so.1"))
    assert {name: (m.member_class, m.via) for name, m in found.items()} == {
        "file:/opt/app/bin/app": (MemberClass.DECLARED, "app"),
        f"file:{LOADER}": (MemberClass.LINKED, f"file:/opt/app/bin/app → {LOADER}"),
        f"file:{DEFAULT}/liba.so.1": (
            MemberClass.LINKED,
            "file:/opt/app/bin/app → liba.so.1",
        ),
        f"file:{DEFAULT}/libb.so.1": (
            MemberClass.LINKED,
            f"file:{DEFAULT}/liba.so.1 → libb.so.1",
        ),
    }


def test_the_order_of_places(root: Root) -> None:
    """RPATH, LD_LIBRARY_PATH, RUNPATH, the cache, the default directories."""
    places = ("/rpath", "/variable", "/runpath", "/cached", DEFAULT)
    for place in places:
        root.library(f"{place}/liba.so.1")
    root.cache(("liba.so.1", "/cached/liba.so.1", ""))
    old = root.program("liba.so.1", path="/old", rpath="/rpath")
    new = root.program("liba.so.1", path="/new", runpath="/runpath")
    plain = root.program("liba.so.1", path="/plain")
    assert root.picked(old, LD_LIBRARY_PATH="/variable") == {"file:/rpath/liba.so.1"}
    assert root.picked(new, LD_LIBRARY_PATH="/variable") == {"file:/variable/liba.so.1"}
    assert root.picked(new) == {"file:/runpath/liba.so.1"}
    assert root.picked(plain) == {"file:/cached/liba.so.1"}
    (root.top / "cached/liba.so.1").unlink()
    fresh = Root(root.top, root.view._target)
    assert fresh.picked(plain) == {f"file:{DEFAULT}/liba.so.1"}


def test_the_rpath_of_a_program_counts_for_the_libraries_of_its_libraries(root: Root) -> None:
    root.library("/opt/app/lib/liba.so.1", "libb.so.1")
    root.library("/opt/app/lib/libb.so.1")
    program = root.program("liba.so.1", rpath="$ORIGIN/../lib")
    assert root.picked(program) == {"file:/opt/app/lib/liba.so.1", "file:/opt/app/lib/libb.so.1"}


def test_a_runpath_counts_for_its_own_object_only(root: Root) -> None:
    root.library("/opt/app/lib/liba.so.1", "libb.so.1")
    root.library("/opt/app/lib/libb.so.1")
    program = root.program("liba.so.1", runpath="${ORIGIN}/../lib")
    assert root.picked(program) == {"file:/opt/app/lib/liba.so.1", "missing-library:libb.so.1"}


def test_a_runpath_shuts_off_the_rpath_of_the_loaders(root: Root) -> None:
    root.library("/opt/app/lib/liba.so.1", "libb.so.1", runpath="/elsewhere")
    root.library("/opt/app/lib/libb.so.1")
    program = root.program("liba.so.1", rpath="$ORIGIN/../lib")
    assert "missing-library:libb.so.1" in root.picked(program)


def test_what_is_loaded_already_is_taken_by_its_soname(root: Root) -> None:
    root.library("/first/liba.so.1", "libb.so.1", runpath="/second")
    root.library("/first/libb.so.1")
    root.library("/second/libb.so.1")
    program = root.program("libb.so.1", "liba.so.1", runpath="/first")
    assert root.picked(program) == {"file:/first/liba.so.1", "file:/first/libb.so.1"}


def test_a_library_of_another_machine_is_passed_over(root: Root) -> None:
    root.file("/one/liba.so.1", linked_elf(machine=183))
    root.file("/two/liba.so.1", linked_elf(machine=3, word=4))
    root.library("/three/liba.so.1")
    program = root.program("liba.so.1", runpath="/one:/two:/three")
    assert root.picked(program) == {"file:/three/liba.so.1"}


def test_a_level_of_the_processor_is_taken_where_the_lock_has_it(root: Root) -> None:
    for level in ("x86-64-v2", "x86-64-v3"):
        root.library(f"{DEFAULT}/glibc-hwcaps/{level}/liba.so.1")
    root.library(f"{DEFAULT}/liba.so.1")
    program = root.program("liba.so.1")
    assert root.picked(program) == {f"file:{DEFAULT}/liba.so.1"}
    best = f"file:{DEFAULT}/glibc-hwcaps/x86-64-v3/liba.so.1"
    assert root.picked(program, levels="x86-64-v3 x86-64-v2") == {best}


def test_a_level_of_the_cache_is_taken_where_the_lock_has_it(root: Root) -> None:
    for folder in ("/opt/v2", "/opt/v3", "/opt/any"):
        root.library(f"{folder}/liba.so.1")
    root.cache(
        ("liba.so.1", "/opt/v2/liba.so.1", "x86-64-v2"),
        ("liba.so.1", "/opt/v3/liba.so.1", "x86-64-v3"),
        ("liba.so.1", "/opt/any/liba.so.1", ""),
    )
    program = root.program("liba.so.1")
    assert root.picked(program) == {"file:/opt/any/liba.so.1"}
    assert root.picked(program, levels="x86-64-v2") == {"file:/opt/v2/liba.so.1"}
    assert root.picked(program, levels="x86-64-v3 x86-64-v2") == {"file:/opt/v3/liba.so.1"}


def test_without_a_cache_the_directories_of_its_configuration_are_searched(root: Root) -> None:
    root.library("/usr/local/lib/liba.so.1")
    root.library(f"{DEFAULT}/liba.so.1")
    root.file("/etc/ld.so.conf", b"include ld.so.conf.d/*.conf\n")
    root.file("/etc/ld.so.conf.d/local.conf", b"/usr/local/lib\n")
    assert root.picked(root.program("liba.so.1")) == {"file:/usr/local/lib/liba.so.1"}


def test_no_default_directory_is_searched_for_what_is_linked_so(root: Root) -> None:
    root.library(f"{DEFAULT}/liba.so.1")
    root.library("/opt/lib/libb.so.1")
    root.cache(("liba.so.1", f"{DEFAULT}/liba.so.1", ""), ("libb.so.1", "/opt/lib/libb.so.1", ""))
    path = root.file("/app", linked_elf("liba.so.1", "libb.so.1", interpreter=LOADER, flags=0x800))
    assert root.picked(path) == {"missing-library:liba.so.1", "file:/opt/lib/libb.so.1"}


def test_the_loaders_variables_are_replaced(root: Root) -> None:
    root.library("/opt/app/lib/x86_64-linux-gnu/liba.so.1")
    root.library("/opt/app/x86_64/libb.so.1")
    program = root.program(
        "liba.so.1", "libb.so.1", runpath="$ORIGIN/../$LIB:${ORIGIN}/../${PLATFORM}:$ORIGINAL"
    )
    assert root.picked(program) == {
        "file:/opt/app/lib/x86_64-linux-gnu/liba.so.1",
        "file:/opt/app/x86_64/libb.so.1",
    }


def test_the_origin_of_a_library_is_the_path_it_was_found_by(root: Root) -> None:
    root.library("/real/liba.so.1", "libb.so.1", runpath="$ORIGIN/more")
    root.library("/shown/more/libb.so.1")
    (root.top / "shown/liba.so.1").symlink_to("../real/liba.so.1")
    program = root.program("liba.so.1", runpath="/shown")
    assert root.picked(program) == {"file:/real/liba.so.1", "file:/shown/more/libb.so.1"}


def test_a_relative_or_empty_directory_is_the_working_directory(root: Root) -> None:
    root.library("/srv/liba.so.1")
    root.library("/srv/sub/libb.so.1")
    program = root.program("liba.so.1", "libb.so.1")
    assert root.picked(program, LD_LIBRARY_PATH=":sub") == {
        "file:/srv/liba.so.1",
        "file:/srv/sub/libb.so.1",
    }


def test_a_name_with_a_slash_is_a_path(root: Root) -> None:
    root.library("/opt/app/plugins/liba.so")
    program = root.program("$ORIGIN/../plugins/liba.so", "/gone/libb.so")
    assert root.picked(program) == {
        "file:/opt/app/plugins/liba.so",
        "missing-library:/gone/libb.so",
    }


def test_what_settings_preload_is_needed(root: Root) -> None:
    root.library("/opt/liba.so")
    root.library(f"{DEFAULT}/libb.so")
    root.file("/etc/ld.so.preload", b"/opt/liba.so # all\n")
    found = root.closure(root.program(), variables={"LD_PRELOAD": "libb.so libgone.so"})
    assert found["file:/opt/liba.so"].via.endswith("→ preloaded /opt/liba.so")
    assert found[f"file:{DEFAULT}/libb.so"].via.endswith("→ preloaded libb.so")
    assert "missing-library:libgone.so" not in found  # the loader warns and goes on


def test_without_its_loader_a_program_has_no_libraries(root: Root) -> None:
    program = root.program("libc.so.6", interpreter=MUSL)
    assert root.picked(program) == {f"missing-library:{MUSL}"}


def test_the_library_of_the_hosts_driver_is_not_missing(root: Root) -> None:
    assert root.picked(root.program("libcuda.so.1", "libnvidia-ml.so.1")) == set()


def test_a_module_finds_what_the_program_that_loads_it_finds(root: Root) -> None:
    """A conda interpreter has an RPATH, so that wheels get the libraries of conda."""
    python = root.program(path="/conda/bin/python3.11", rpath="$ORIGIN/../lib")
    other = root.program(path="/bin/sh")
    root.library("/conda/lib/libstdc++.so.6")
    root.library(f"{DEFAULT}/libstdc++.so.6")
    module = root.file("/conda/lib/python3.11/site-packages/x/_x.so", linked_elf("libstdc++.so.6"))
    assert root.picked(other, python, module) == {"file:/conda/lib/libstdc++.so.6"}
    assert root.picked(module) == {f"file:{DEFAULT}/libstdc++.so.6"}


def test_a_module_may_rely_on_the_library_of_another_distribution(root: Root) -> None:
    top = "/venv/lib/python3.11/site-packages"
    python = root.program(path="/usr/bin/python3.11")
    root.library(f"{top}/torch/lib/libc10.so")
    module = root.file(f"{top}/vision/_C.so", linked_elf("libc10.so", "libgone.so"))
    found = root.closure(python, module)
    assert found[f"file:{top}/torch/lib/libc10.so"].member_class is MemberClass.LOADED
    assert found["missing-library:libgone.so"].via == f"file:{module}"


def test_libraries_that_a_file_says_it_loads_are_needed_when_they_are_there(root: Root) -> None:
    root.library(f"{DEFAULT}/libz.so.1")
    note = b'[{"soname": ["libz.so.1"]}, {"soname": ["libgone.so.1"]}]'
    path = root.file("/app", linked_elf(interpreter=LOADER, dlopen=note))
    found = root.closure(path)
    assert found[f"file:{DEFAULT}/libz.so.1"].member_class is MemberClass.LOADED
    assert "missing-library:libgone.so.1" not in found


def test_two_programs_may_find_different_libraries_for_the_same_one(root: Root) -> None:
    root.library(f"{DEFAULT}/liba.so.1", "libb.so.1")
    root.library("/one/libb.so.1")
    root.library("/two/libb.so.1")
    one = root.program("liba.so.1", path="/bin/one", rpath="/one")
    two = root.program("liba.so.1", path="/bin/two", rpath="/two")
    expected = {f"file:{DEFAULT}/liba.so.1", "file:/one/libb.so.1", "file:/two/libb.so.1"}
    assert root.picked(one, two) == expected
    assert root.picked(two, one) == expected


class TestMusl:
    @pytest.fixture(autouse=True)
    def _loader(self, root: Root) -> None:
        root.file(MUSL, linked_elf(soname="libc.musl-x86_64.so.1"))

    def picked(self, root: Root, *paths: str, **variables: str) -> set[str]:
        return root.picked(*paths, **variables) - {f"file:{MUSL}"}

    def test_its_loader_is_its_c_library(self, root: Root) -> None:
        root.library("/lib/libc.so")
        program = root.program("libc.musl-x86_64.so.1", "libc.so", interpreter=MUSL)
        assert self.picked(root, program) == set()

    def test_the_order_of_places(self, root: Root) -> None:
        for place in ("/variable", "/own", "/usr/local/lib", "/usr/lib"):
            root.library(f"{place}/liba.so.1")
        root.cache(("liba.so.1", "/own/liba.so.1", ""))
        plain = root.program("liba.so.1", interpreter=MUSL, path="/plain")
        own = root.program("liba.so.1", interpreter=MUSL, path="/o", runpath="/own")
        assert self.picked(root, own, LD_LIBRARY_PATH="/variable") == {"file:/variable/liba.so.1"}
        assert self.picked(root, own) == {"file:/own/liba.so.1"}
        assert self.picked(root, plain) == {"file:/usr/local/lib/liba.so.1"}

    def test_its_path_file_replaces_the_default_directories(self, root: Root) -> None:
        root.library("/usr/lib/liba.so.1")
        root.library("/opt/lib/libb.so.1")
        root.file("/etc/ld-musl-x86_64.path", b"/lib\n/opt/lib:/opt/more\n")
        program = root.program("liba.so.1", "libb.so.1", interpreter=MUSL)
        assert self.picked(root, program) == {
            "missing-library:liba.so.1",
            "file:/opt/lib/libb.so.1",
        }

    def test_a_runpath_is_inherited_like_an_rpath(self, root: Root) -> None:
        root.library("/opt/app/lib/liba.so.1", "libb.so.1")
        root.library("/opt/app/lib/libb.so.1")
        program = root.program("liba.so.1", interpreter=MUSL, runpath="$ORIGIN/../lib")
        assert self.picked(root, program) == {
            "file:/opt/app/lib/liba.so.1",
            "file:/opt/app/lib/libb.so.1",
        }

    def test_a_run_path_with_another_variable_counts_for_nothing(self, root: Root) -> None:
        root.library("/opt/lib/liba.so.1")
        program = root.program("liba.so.1", interpreter=MUSL, runpath="/opt/lib:/opt/$LIB")
        assert self.picked(root, program) == {"missing-library:liba.so.1"}
