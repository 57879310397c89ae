"""Which files and records of an environment an image of one application holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.closure.package_databases import with_dependencies
from envlock.materialize.closure.reduce import Reduced, reduce, reduce_lock, with_classes_of
from envlock.model.lock import Lock
from envlock.model.scope import Member, MemberClass, Role, Root, RootKind, scope_records
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

STATUS = b"""\
Package: app
Status: install ok installed
Architecture: amd64
Depends: libx (>= 1) | libz, data
Version: 1

Package: libx
Status: install ok installed
Architecture: amd64
Version: 1

Package: pack
Provides: data
Status: install ok installed
Architecture: all
Version: 1

Package: editor
Status: install ok installed
Architecture: amd64
Version: 1

"""


class World:
    """A tree and a lock that a test fills."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.contents: dict[str, bytes] = {}
        self.sections: dict[str, dict[str, dict[str, str]]] = {"os": {"": {"id": "debian"}}}
        self.file("/var/lib/dpkg/status", content=STATUS)
        for name in ("app", "libx", "pack", "editor"):
            arch = "all" if name == "pack" else "amd64"
            self.sections.setdefault("deb", {})[f"{name}:{arch}"] = {"version": "1"}
            self.file(f"/usr/bin/{name}", owner=f"deb {name}:{arch}")
            listed = f"/usr/bin\n/usr/bin/{name}\n".encode()
            self.file(f"/var/lib/dpkg/info/{name}.list", content=listed)

    def add(self, path: str, kind: EntryType, owner: str = "", **more: object) -> None:
        for end in (at for at, char in enumerate(path) if char == "/" and at):
            above = path[:end]
            if above not in self.rows:
                self.rows[above] = Row(Entry(above, EntryType.DIRECTORY, 0o755), FileClass.UNOWNED)
        entry = Entry(path, kind, 0o644, **more)  # type: ignore[arg-type]
        self.rows[path] = Row(entry, FileClass.UNOWNED, owner)

    def file(self, path: str, owner: str = "", content: bytes = b"x") -> None:
        digest = hashlib.sha256(content).hexdigest()
        self.contents[digest] = content
        self.add(path, EntryType.FILE, owner, size=len(content), sha256=digest)

    def link(self, path: str, target: str, owner: str = "") -> None:
        self.add(path, EntryType.SYMLINK, owner, target=target)

    def folder(self, path: str, owner: str = "") -> None:
        self.add(path, EntryType.DIRECTORY, owner)

    def reduce(self, *members: str, root: str = "exe:/usr/bin/app") -> Reduced:
        found = tuple(
            Member(*name.split(":", 1), MemberClass.LINKED)
            for name in members or ("deb:app:amd64", "deb:libx:amd64")
        )
        lock = Lock.of(
            [
                *Lock(sections=self.sections).records(),
                *scope_records([Role("app", Root.parse(root), found)]),
            ]
        )
        tree = Tree.of(self.rows.values())
        return reduce(lock, tree, "app", lambda r: self.contents[r.entry.sha256], self._put)

    def _put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.contents[digest] = content
        return digest

    def paths(self, *members: str, root: str = "exe:/usr/bin/app") -> set[str]:
        return {row.entry.path for row in self.reduce(*members, root=root).tree.rows}


@pytest.fixture
def world() -> World:
    return World()


def content(world: World, part: Reduced, path: str) -> bytes:
    (row,) = (row for row in part.tree.rows if row.entry.path == path)
    assert row.source == f"blob {row.entry.sha256}"
    assert row.entry.size == len(world.contents[row.entry.sha256])
    return world.contents[row.entry.sha256]


def test_packages_are_whole_or_gone_and_the_database_says_which(world: World) -> None:
    part = world.reduce()
    paths = {row.entry.path for row in part.tree.rows}
    assert {"/usr/bin/app", "/usr/bin/libx", "/usr/bin/pack", "/usr", "/usr/bin"} <= paths
    assert not {path for path in paths if "editor" in path}
    status = content(world, part, "/var/lib/dpkg/status")
    assert status == STATUS[: STATUS.index(b"Package: editor")]
    assert part.left_out["deb editor:amd64"] == 1
    assert set(part.lock.sections["deb"]) == {"app:amd64", "libx:amd64", "pack:all"}


def test_dependencies_are_those_that_are_installed(world: World) -> None:
    rows = world.rows
    read = lambda row: world.contents[row.entry.sha256]  # noqa: E731
    found = with_dependencies({"deb app:amd64"}, rows, read)
    assert found == {"deb app:amd64", "deb libx:amd64", "deb pack:all"}


def test_every_image_has_accounts_certificates_and_empty_directories(world: World) -> None:
    for path in ("/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/etc/ld.so.cache"):
        world.file(path)
    world.folder("/tmp")
    world.file("/etc/editor.conf")
    paths = world.paths()
    assert {"/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/tmp"} <= paths
    assert "/etc/editor.conf" not in paths


def test_configuration_that_people_wrote_stays_with_its_package(world: World) -> None:
    world.folder("/etc/app", owner="deb app:amd64")
    world.folder("/etc/editor", owner="deb editor:amd64")
    for name in ("app", "editor"):
        world.file(f"/etc/{name}/conf.d/mine.conf")
    paths = world.paths()
    assert "/etc/app/conf.d/mine.conf" in paths
    assert "/etc/editor/conf.d/mine.conf" not in paths


def test_links_lead_to_what_is_there(world: World) -> None:
    world.link("/bin", "usr/bin", owner="deb editor:amd64")
    world.file("/var/lib/dpkg/info/app.list", content=b"/bin\n/bin/app\n")
    world.link("/usr/bin/run", "/etc/alternatives/run")
    world.link("/etc/alternatives/run", "/usr/bin/app")
    world.link("/usr/bin/edit", "/etc/alternatives/edit")
    world.link("/etc/alternatives/edit", "/usr/bin/editor")
    paths = world.paths()
    assert {"/bin", "/usr/bin/run", "/etc/alternatives/run"} <= paths
    assert not {"/usr/bin/edit", "/etc/alternatives/edit"} & paths


def test_packages_of_links_on_the_way_are_kept(world: World) -> None:
    """The ``python`` of an environment is a link to a link of a package to the interpreter."""
    world.sections["python"] = {"shop": {"version": "3.11.2", "path": "/opt/shop/.venv"}}
    world.link("/opt/shop/.venv/bin/python", "/usr/bin/x3")
    world.link("/usr/bin/x3", "app", owner="deb editor:amd64")
    paths = world.paths("deb:app:amd64", "python:shop", root="python:/opt/shop/.venv")
    assert {"/opt/shop/.venv/bin/python", "/usr/bin/x3", "/usr/bin/editor"} <= paths


def test_an_environment_of_a_language_is_kept_with_its_distributions(world: World) -> None:
    venv = "/opt/shop/.venv/lib/python3.11/site-packages"
    world.sections["python"] = {"shop": {"version": "3.11.2", "path": "/opt/shop/.venv"}}
    world.file(f"{venv}/numpy/x.py", owner="python shop/numpy")
    world.file(f"{venv}/unused/x.py", owner="python shop/unused")
    world.file("/opt/shop/.venv/pyvenv.cfg")
    world.file("/opt/shop/shop.py")
    world.file("/opt/other/x.py")
    paths = world.paths(
        "deb:app:amd64", "python:shop", "python:shop/numpy", root="python:/opt/shop/.venv"
    )
    assert {f"{venv}/numpy/x.py", "/opt/shop/.venv/pyvenv.cfg", "/opt/shop/shop.py"} <= paths
    assert not {f"{venv}/unused/x.py", "/opt/other/x.py"} & paths


def test_what_no_package_owns_is_the_applications_where_one_process_runs(world: World) -> None:
    for path in ("/srv/forum/index.php", "/app.js", "/usr/lib/stray.so"):
        world.file(path)
    declared, running = world.paths(), world.paths(root="process")
    assert not {"/srv/forum/index.php", "/app.js"} & declared
    assert {"/srv/forum/index.php", "/app.js"} <= running
    assert "/usr/lib/stray.so" not in running


def test_software_in_a_tree_of_its_own_is_kept_as_a_tree(world: World) -> None:
    for path in ("/opt/jdk/bin/java", "/opt/jdk/lib/libjvm.so", "/opt/ide/bin/ide"):
        world.file(path)
    paths = world.paths("deb:app:amd64", "file:/opt/jdk/bin/java")
    assert "/opt/jdk/lib/libjvm.so" in paths
    assert "/opt/ide/bin/ide" not in paths


def test_apk_and_pacman_databases_name_the_packages_that_are_there(world: World) -> None:
    installed = b"P:musl\nV:1\n\nP:vim\nV:2\n\n"
    world.file("/lib/apk/db/installed", content=installed)
    world.file("/var/lib/pacman/local/glibc-2.40-1/desc")
    world.file("/var/lib/pacman/local/vim-9.1-1/desc")
    part = world.reduce("apk:musl", "pacman:glibc")
    paths = {row.entry.path for row in part.tree.rows}
    assert content(world, part, "/lib/apk/db/installed") == b"P:musl\nV:1\n\n"
    assert "/var/lib/pacman/local/glibc-2.40-1/desc" in paths
    assert "/var/lib/pacman/local/vim-9.1-1/desc" not in paths


def test_a_database_of_rpm_is_refused(world: World) -> None:
    world.file("/var/lib/rpm/rpmdb.sqlite")
    with pytest.raises(MaterializeError, match="database of rpm"):
        world.reduce("rpm:bash.x86_64")


def test_a_role_that_the_lock_lacks_is_refused_with_those_it_has(world: World) -> None:
    role = Role("web", Root(RootKind.PROCESS), ())
    for lock, hint in (
        (Lock.of(scope_records([role])), "it has web"),
        (Lock(sections={}), "capture again with --root app=ROOT"),
    ):
        with pytest.raises(MaterializeError) as caught:
            reduce(lock, Tree(()), "app", lambda _: b"", lambda _: "")
        assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("root", "facts"),
    [
        ("exe:/usr/bin/app", {"cmd": '["/usr/bin/app"]'}),
        ("python:/opt/shop/.venv", {"cmd": '["/opt/shop/.venv/bin/python"]'}),
        ("python:/usr/bin/python3", {"cmd": '["/usr/bin/python3"]'}),
        ("node:/srv/web", {"cmd": '["node", "."]', "workdir": "/srv/web"}),
        ("python:.venv", {}),
    ],
)
def test_an_image_starts_as_its_root_says_where_nothing_else_does(
    world: World, root: str, facts: Mapping[str, str]
) -> None:
    assert world.reduce(root=root).lock.get("process") == facts
    world.sections["process"] = {"": {"cmd": '["own"]'}}
    assert world.reduce(root=root).lock.get("process") == {"cmd": '["own"]'}


def test_a_verification_compares_what_the_application_has() -> None:
    wanted = Lock(sections={"deb": {"app": {"version": "1"}}})
    found = Lock(
        sections={"deb": {"app": {"version": "2"}, "new": {"version": "1"}}, "cron": {"x": {}}}
    )
    assert reduce_lock(found, wanted).sections == {"deb": {"app": {"version": "2"}}}


def test_missing_login_shells_are_not_compared_unless_they_were_missing() -> None:
    wanted = Lock(sections={"user": {"a": {"uid": "1"}, "b": {"shell-missing": "true"}}})
    found = Lock(
        sections={"user": {key: {"uid": "1", "shell-missing": "true"} for key in ("a", "b")}}
    )
    assert reduce_lock(found, wanted).sections["user"] == {
        "a": {"uid": "1"},
        "b": {"uid": "1", "shell-missing": "true"},
    }


def test_classes_are_taken_over_for_directories_alone() -> None:
    def row(path: str, kind: EntryType, name: FileClass) -> Row:
        return Row(Entry(path, kind), name)

    wanted = Tree(
        (
            row("/a", EntryType.DIRECTORY, FileClass.PACKAGE),
            row("/b", EntryType.FILE, FileClass.PACKAGE),
        )
    )
    found = Tree(
        (
            row("/a", EntryType.DIRECTORY, FileClass.STATE),
            row("/b", EntryType.FILE, FileClass.UNOWNED),
        )
    )
    classes = [each.file_class for each in with_classes_of(found, wanted).rows]
    assert classes == [FileClass.STATE, FileClass.PACKAGE]
