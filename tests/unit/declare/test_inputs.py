"""What a declaration takes from its project, and the digest of both."""

import os
from pathlib import Path

import pytest

from envlock.config.declare_table import Declaration
from envlock.declare.inputs import Limits, declaration_digest, read_inputs
from envlock.errors import ConfigError, SecretRefusedError

SHOP = Declaration(
    name="shop",
    origin="debian:bookworm",
    apt=("nginx", "curl"),
    files=(("/etc/shop", "deploy"), ("/usr/local/bin/serve", "serve.sh")),
    modes=(("/usr/local/bin/serve", "0750"),),
    env=(("LANG", "C.UTF-8"),),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy/more").mkdir(parents=True)
    (tmp_path / "deploy/a.conf").write_text("port = 80\n")
    (tmp_path / "deploy/more/run").write_text("#!/bin/sh\n")
    (tmp_path / "deploy/more/run").chmod(0o700)
    (tmp_path / "serve.sh").write_text("#!/bin/sh\nexec true\n")
    return tmp_path


def digest(declaration: Declaration, root: Path) -> str:
    return declaration_digest(declaration, read_inputs(declaration, root))


def test_directories_are_taken_whole_with_modes_that_no_umask_changes(project: Path) -> None:
    files = read_inputs(SHOP, project).files
    assert {place: file.mode for place, file in files.items()} == {
        "/etc/shop/a.conf": 0o644,
        "/etc/shop/more/run": 0o755,
        "/usr/local/bin/serve": 0o750,
    }
    before = digest(SHOP, project)
    (project / "deploy/a.conf").chmod(0o600)
    os.utime(project / "deploy/a.conf", (0, 0))
    assert digest(SHOP, project) == before


def test_the_digest_is_of_what_is_wanted(project: Path) -> None:
    before = digest(SHOP, project)
    fields = {name: getattr(SHOP, name) for name in SHOP.__slots__}
    same = [{"name": "other"}, {"apt": ("curl", "nginx", "nginx")}]
    other = [
        {"apt": ("nginx",)}, {"recommends": True}, {"origin": "debian:trixie"}, {"user": "app"},
        {"env": (("LANG", "C"),)}, {"cmd": ("a",)}, {"components": ("main", "contrib")},
        {"mirrors": ("http://m",)}, {"modes": ()}, {"files": SHOP.files[:1], "modes": ()},
        {"suites": ("bookworm",)},
    ]  # fmt: skip
    assert [digest(Declaration(**{**fields, **each}), project) for each in same] == [before] * 2
    found = [digest(Declaration(**{**fields, **each}), project) for each in other]
    (project / "deploy/a.conf").write_text("port = 81\n")
    assert len({before, *found, digest(SHOP, project)}) == len(other) + 2


def test_a_file_that_is_not_there_a_link_and_a_pipe_are_refused(project: Path) -> None:
    for make in (
        lambda path: None,
        lambda path: path.symlink_to("/etc/passwd"),
        os.mkfifo,
    ):
        path = project / "serve.sh"
        path.unlink(missing_ok=True)
        make(path)
        with pytest.raises(ConfigError, match=r"serve\.sh"):
            read_inputs(SHOP, project)


def test_as_much_as_a_declaration_may_take(project: Path) -> None:
    size = sum(path.stat().st_size for path in project.rglob("*") if path.is_file())
    assert len(read_inputs(SHOP, project, Limits(3, size)).files) == 3
    with pytest.raises(ConfigError, match="takes more than 2 files"):
        read_inputs(SHOP, project, Limits(2, size))
    with pytest.raises(ConfigError, match="larger than"):
        read_inputs(SHOP, project, Limits(3, size - 1))


@pytest.mark.plants_secrets("the declaration that is refused has one")
def test_a_secret_is_refused_wherever_it_is(project: Path) -> None:
    password = "hunter2-" + "Zq9x"
    fields = {name: getattr(SHOP, name) for name in SHOP.__slots__}
    for changed in (
        {"env": (("DB_PASSWORD", password),)},
        {"cmd": ("app", f"--password={password}")},
    ):
        with pytest.raises(SecretRefusedError) as caught:
            read_inputs(Declaration(**{**fields, **changed}), project)
        assert password not in str(caught.value)
    (project / "deploy/a.conf").write_text(f"password = {password}\n")
    with pytest.raises(SecretRefusedError, match=r"deploy/a\.conf"):
        read_inputs(SHOP, project)
