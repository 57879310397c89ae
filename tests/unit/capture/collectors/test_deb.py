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


def test_a_removed_package_owns_the_configuration_files_that_it_left(tmp_path, captured):
    root = tmp_path / "root"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc/kept.conf").write_text("kept\n")
    md5 = hashlib.md5(b"kept\n").hexdigest()
    (root / "var/lib/dpkg/status").write_text(
        "Package: thing\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
        f"Conffiles:\n /etc/kept.conf {md5}\n /etc/gone.conf {md5}\n\n"
    )
    (root / "var/lib/dpkg/info/thing.list").write_text("/etc\n/etc/kept.conf\n/etc/gone.conf\n")
    found = captured(root)
    rows = {row.entry.path: row for row in found.tree.rows}
    assert rows["/etc/kept.conf"].owner == "deb thing:amd64"
    assert rows["/etc/kept.conf"].source.startswith("blob")
    assert "/etc/gone.conf" not in found.lock.sections.get("file", {})


def test_the_journal_of_dpkg_is_applied(tmp_path, captured):
    admin = tmp_path / "root/var/lib/dpkg"
    (admin / "updates").mkdir(parents=True)
    stanza = "Package: a\nStatus: install ok {}\nArchitecture: all\nVersion: {}\n\n"
    (admin / "status").write_text(stanza.format("installed", 1))
    (admin / "updates/0001").write_text(stanza.format("half-configured", 3))
    (admin / "updates/0000").write_text(stanza.format("unpacked", 2))
    (admin / "updates/tmp.i").write_text("#padding\n" * 9)
    found = captured(tmp_path / "root", depth=Depth.RECORDS)
    facts = found.lock.sections["deb"]["a:all"]
    assert facts == {"version": "3", "source": "a", "status": "install ok half-configured"}
    assert found.coverage["deb"].status == "ok"
    (admin / "updates/0002").write_text("Package: a\nStatus: install ok inst")
    found = captured(tmp_path / "root", depth=Depth.RECORDS)
    assert found.coverage["deb"].status == "partial"
    assert found.coverage["deb"].gaps[0].where == "/var/lib/dpkg/updates/0002"


def test_marks_are_stated_by_apt_alone(tmp_path, captured):
    admin = tmp_path / "root/var/lib/dpkg"
    admin.mkdir(parents=True)
    stanza = "Package: {}\nStatus: {} ok installed\nArchitecture: all\nVersion: 1\n\n"
    both = stanza.format("tzdata", "install") + stanza.format("kept", "hold")
    (admin / "status").write_text(both)

    def marks():
        found = captured(tmp_path / "root", depth=Depth.RECORDS).lock.sections["deb"]
        return {key.partition(":")[0]: facts.get("mark", "") for key, facts in found.items()}

    assert marks() == {"tzdata": "", "kept": "hold"}
    (admin / "status").write_text(both + stanza.format("apt", "install"))
    assert marks() == {"tzdata": "manual", "kept": "hold", "apt": "manual"}
    states = tmp_path / "root/var/lib/apt/extended_states"
    states.parent.mkdir()
    states.write_text("Package: tzdata\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: ap")
    assert marks() == {"tzdata": "auto", "kept": "hold", "apt": ""}


def test_a_database_that_is_missing_beside_its_other_files_is_a_gap(tmp_path, captured):
    others = {
        "var/lib/dpkg/info/bash.list": ("deb", "/var/lib/dpkg/status"),
        "lib/apk/db/scripts.tar": ("apk", "/lib/apk/db/installed"),
        "var/lib/rpm/Basenames": ("rpm", "/var/lib/rpm"),
        "var/lib/pacman/local/ALPM_DB_VERSION": ("pacman", "/var/lib/pacman/local"),
        "usr/lib/opkg/info/libc.list": ("opkg", "/usr/lib/opkg/status"),
        "var/lib/snapd/snaps/core_1.snap": ("snap", "/var/lib/snapd/state.json"),
        "opt/conda/conda-meta/history": ("conda", "/opt/conda/conda-meta/history"),
    }
    for path in others:
        (tmp_path / "root" / path).parent.mkdir(parents=True)
        (tmp_path / "root" / path).write_text("+defaults::numpy-1.26-0\n/.\n")
    found = captured(tmp_path / "root")
    for name, where in others.values():
        assert found.coverage[name].status in ("unreadable", "partial"), name
        assert [gap.where for gap in found.coverage[name].gaps] == [where]
