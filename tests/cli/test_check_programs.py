"""``envlock check`` of root directories with real programs, before and after they break."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import unavailable

LIBRARY = "int foo(void) { return 1; }"
NEWER = "int foo(void) { return 1; }\nint bar(void) { return 2; }"
PROGRAM = "int bar(void); int main(void) { return bar(); }"
VERSIONS = "FOO_1.0 { global: foo; local: *; };\n"
NEWER_VERSIONS = f"{VERSIONS}FOO_2.0 {{ global: bar; }} FOO_1.0;\n"


class Root:
    """A root directory with the C library of this machine, and what is compiled into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        self.copied("/bin/sh", "usr/bin/sh")
        (path / "bin").symlink_to("usr/bin")
        for line in subprocess.run(
            ["ldd", "/bin/sh"], check=True, capture_output=True, text=True
        ).stdout.splitlines():
            for word in line.split():
                if word.startswith("/"):
                    self.copied(word, word[1:])

    def put(self, name: str, content: str, mode: int = 0o644) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)
        return file

    def copied(self, source: str, name: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, self.path / name)

    def library(self, name: str, source: str, versions: str) -> Path:
        """Compile a library with versions of symbols, soname ``libfoo.so.1``."""
        script = self.path.parent / "versions"
        script.write_text(versions)
        options = ("-shared", "-fPIC", "-Wl,-soname,libfoo.so.1", f"-Wl,--version-script={script}")
        return self.compiled(name, source, *options)

    def compiled(self, name: str, source: str, *options: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        argv = ["gcc", "-x", "c", "-", "-o", file, *options]
        subprocess.run(argv, input=source, text=True, check=True)
        return file

    def ldconfig(self) -> None:
        subprocess.run(["/sbin/ldconfig", "-r", self.path], check=True)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Return a root directory in which /usr/local/bin/tool works."""
    if not shutil.which("gcc"):
        unavailable("gcc", "there is no compiler")
    root = Root(tmp_path / "root")
    root.put("etc/ld.so.conf", "/usr/local/lib\n")
    library = root.library("usr/local/lib/libfoo.so.1.2", NEWER, NEWER_VERSIONS)
    (root.path / "usr/local/lib/libfoo.so.1").symlink_to("libfoo.so.1.2")
    argv = ["gcc", "-x", "c", "-", "-x", "none", library, "-o", root.path / "tool"]
    subprocess.run(argv, input=PROGRAM, text=True, check=True)
    (root.path / "usr/local/bin").mkdir()
    (root.path / "tool").rename(root.path / "usr/local/bin/tool")
    root.put("usr/local/bin/script", "#!/bin/sh\n", 0o755)
    root.ldconfig()
    return root


def check(envlock, root, status):
    return envlock("check", f"dir:{root.path}", "--json", status=status).json["verdicts"]


def rules(envlock, root):
    (found,) = check(envlock, root, 1).values()
    return {(one["section"], one["key"]): one["rule"] for one in found}


def test_what_works_has_no_findings(envlock, root):
    (found,) = check(envlock, root, 0).values()
    assert found == []
    assert envlock("check", f"dir:{root.path}").out == f"dir:{root.path}: ok\n"
    assert not list(envlock.folder.rglob("*.lock"))


def test_an_older_library_lacks_versions_of_symbols(envlock, root):
    root.library("usr/local/lib/libfoo.so.1.2", LIBRARY, VERSIONS)
    assert rules(envlock, root) == {("missing-symbol", "FOO_2.0"): "SYMBOL-MISSING"}
    text = envlock("check", f"dir:{root.path}", status=1).out
    assert "/usr/local/bin/tool needs it, and libfoo.so.1 does not have it" in text
    assert "its newest is 1.0" in text


def test_a_weakly_needed_version_may_be_missing(envlock, root):
    root.library("usr/local/lib/libfoo.so.1.2", LIBRARY, VERSIONS)
    newer = root.library("usr/local/lib/libnewer.so", NEWER, NEWER_VERSIONS)
    source = "int bar(void) __attribute__((weak)); int main(void) { return bar ? bar() : 0; }"
    argv = ["gcc", "-x", "c", "-", "-x", "none", newer, "-Wl,--no-as-needed"]
    argv += ["-o", root.path / "usr/local/bin/tool"]
    subprocess.run(argv, input=source, text=True, check=True)
    newer.unlink()
    (found,) = check(envlock, root, 0).values()
    assert found == []


def test_a_library_that_is_gone(envlock, root):
    (root.path / "usr/local/lib/libfoo.so.1.2").unlink()
    assert rules(envlock, root) == {
        ("missing-library", "libfoo.so.1"): "LIBRARY-MISSING",
        ("dangling", "/usr/local/lib/libfoo.so.1"): "DANGLING-LIBRARY",
    }


def test_a_library_that_came_after_ldconfig(envlock, root):
    (root.path / "usr/local/lib/libfoo.so.1").rename(root.path / "aside")
    (root.path / "usr/local/lib/libfoo.so.1.2").rename(root.path / "aside-too")
    root.ldconfig()
    (root.path / "aside-too").rename(root.path / "usr/local/lib/libfoo.so.1.2")
    (root.path / "aside").rename(root.path / "usr/local/lib/libfoo.so.1")
    assert rules(envlock, root) == {("missing-library", "libfoo.so.1"): "LIBRARY-NOT-CACHED"}
    root.ldconfig()
    assert check(envlock, root, 0)


def test_a_library_where_the_loader_does_not_look(envlock, root):
    (root.path / "opt/foo").mkdir(parents=True)
    (root.path / "usr/local/lib").rename(root.path / "opt/foo/lib")
    root.put("etc/ld.so.conf", "")
    root.ldconfig()
    assert rules(envlock, root) == {("missing-library", "libfoo.so.1"): "LIBRARY-OFF-PATH"}


def test_a_program_for_another_loader_and_a_script_without_interpreter(envlock, root):
    loader = "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"
    root.compiled("usr/local/bin/musl", "int main(void) { return 0; }", loader)
    root.put("usr/local/bin/script", "#!/usr/bin/python2\n", 0o755)
    assert rules(envlock, root) == {
        ("missing-library", "/lib/ld-musl-x86_64.so.1"): "PROGRAM-LOADER",
        ("software", "/usr/local/bin/script"): "INTERPRETER-MISSING",
    }


def test_a_program_for_another_architecture(envlock, root):
    tool = root.path / "usr/local/bin/tool"
    raw = bytearray(tool.read_bytes())
    number = 183 if raw[18] == 62 else 62
    raw[18:20] = number.to_bytes(2, "little")
    tool.write_bytes(raw)
    assert rules(envlock, root) == {("software", "/usr/local/bin/tool"): "PROGRAM-FOREIGN"}


def test_the_severity_that_fails_is_a_setting(envlock, root):
    root.put("usr/local/bin/script", "#!/usr/bin/python2\n", 0o755)
    target = f"dir:{root.path}"
    assert "high: software /usr/local/bin/script" in envlock("check", target, status=1).out
    assert "high: software" in envlock("check", target, "--fail-on", "critical").out
    assert "high: software" in envlock("check", target, "--fail-on", "never").out
    (envlock.folder / "envlock.toml").write_text('[check]\nfail-on = "critical"\n')
    envlock("check", target, status=0)
    envlock("check", target, "--fail-on", "info", status=1)


def test_a_difference_tells_it_too(envlock, root, tmp_path):
    good = tmp_path / "good"
    shutil.copytree(root.path, good, symlinks=True)
    root.library("usr/local/lib/libfoo.so.1.2", LIBRARY, VERSIONS)
    ran = envlock("diff", f"dir:{good}", f"dir:{root.path}", "--format", "json", status=1)
    found = {c["key"]: c for c in ran.json["changes"] if c["section"] == "missing-symbol"}
    assert found["FOO_2.0"]["severity"] == "critical"
    ran = envlock("diff", f"dir:{root.path}", f"dir:{good}", "--format", "json", status=1)
    found = {c["key"]: c for c in ran.json["changes"] if c["section"] == "missing-symbol"}
    assert found["FOO_2.0"]["severity"] == "low"
