"""The deb and os collectors: distroless images, foreign architectures, package states."""

import hashlib

from envlock.model.depth import Depth
from envlock.model.tree import FileClass


def test_files_of_distroless_images_have_owners(tmp_path, captured):
    root = tmp_path / "root"
    status = root / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    (root / "usr/bin").mkdir(parents=True)
    (status / "base").write_text("Package: base-files\nVersion: 12.4\nArchitecture: amd64\n")
    lines = []
    for name in ("as-packaged", "edited"):
        (root / "usr/bin" / name).write_text(f"{name}\n")
        lines.append(f"{hashlib.md5(f'{name}{chr(10)}'.encode()).hexdigest()}  usr/bin/{name}\n")
    (status / "base.md5sums").write_text("".join(lines))
    (root / "usr/bin/edited").write_text("something else\n")
    (root / "usr/bin/unowned").write_text("x\n")
    found = captured(root)
    rows = {row.entry.path: row for row in found.tree.rows}
    assert rows["/usr/bin/as-packaged"].file_class is FileClass.PACKAGE
    assert rows["/usr/bin/as-packaged"].owner == "deb base-files:amd64"
    assert rows["/usr/bin/edited"].file_class is FileClass.PACKAGE_MODIFIED
    assert rows["/usr/bin/unowned"].file_class is FileClass.UNOWNED


def test_foreign_architectures_are_recorded(tmp_path, captured):
    admin = tmp_path / "root/var/lib/dpkg"
    admin.mkdir(parents=True)
    (admin / "arch").write_text("amd64\ni386\narm64\n")
    assert captured(tmp_path / "root", depth=Depth.RECORDS).lock.sections["os"] == {
        "": {"arch": "amd64", "foreign-archs": "arm64 i386"}
    }


def test_unusual_package_states_are_recorded(tmp_path, captured):
    admin = tmp_path / "root/var/lib/dpkg"
    admin.mkdir(parents=True)
    states = {
        "a": "install ok installed",
        "b": "install ok triggers-pending",
        "c": "install reinstreq half-installed",
        "d": "deinstall ok config-files",
        "e": "hold ok triggers-awaited",
    }
    (admin / "status").write_text(
        "\n".join(
            f"Package: {name}\nStatus: {state}\nArchitecture: all\nVersion: 1\n"
            for name, state in states.items()
        )
    )
    found = captured(tmp_path / "root", depth=Depth.RECORDS).lock.sections["deb"]
    recorded = {key.partition(":")[0]: facts.get("status", "") for key, facts in found.items()}
    assert recorded == {**states, "a": ""}
