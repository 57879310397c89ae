"""Situations of layouts of packages, of reports, of outputs and of captures that are repeated.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile

from tests.cli.situations import give, text

# 10. Layouts


def test_node_packages_behind_links_of_every_store(pair, envlock, tmp_path):
    stores = {
        "ms": "root/.local/share/pnpm/store/v10/links/ms/2.1.3/abc/node_modules/ms",
        "debug": "srv/b/node_modules/.store/debug@4.3.4-x/node_modules/debug",
        "chalk": "srv/c/node_modules/.bun/chalk@5.3.0/node_modules/chalk",
        "nanoid": "srv/d/node_modules/.deno/nanoid@5.0.7/node_modules/nanoid",
    }
    for name, folder in stores.items():
        said = json.dumps({"name": name, "version": "1.2.3"})
        pair.good.put(f"{folder}/package.json", said)
    (pair.good.path / "srv/a/node_modules").mkdir(parents=True)
    (pair.good.path / "srv/a/node_modules/ms").symlink_to(f"/{stores['ms']}")
    lock = tmp_path / "one.lock"
    envlock("capture", f"dir:{pair.good.path}", "-o", str(lock), "-q")
    keys = envlock("show", str(lock), "--json").json["sections"]["npm"]
    assert {name for name in stores if any(name in key for key in keys)} == set(stores)
    assert pair.changes() == []


def test_one_unit_through_lib_and_through_usr_lib(pair):
    """A false alarm: with a merged /usr both paths are one file."""
    unit = "[Service]\nExecStart=/bin/sh\n[Install]\nWantedBy=multi-user.target\n"
    pair.good.put("usr/lib/systemd/system/a.service", unit)
    (pair.good.path / "lib").symlink_to("usr/lib")
    wants = "etc/systemd/system/multi-user.target.wants"
    (pair.good.path / wants).mkdir(parents=True)
    (pair.bad.path / wants / "a.service").symlink_to("/usr/lib/systemd/system/a.service")
    (pair.good.path / wants / "a.service").symlink_to("/lib/systemd/system/a.service")
    assert set(pair.records().values()) <= {"low", "info"}


# 11. The first screen


def test_a_checkout_with_other_line_ends_is_one_thing(pair, envlock):
    for number in range(60):
        pair.good.put(f"srv/app/conf/s{number}.sh", f"a={number}\n")
    for number in range(60):
        pair.bad.put(f"srv/app/conf/s{number}.sh", f"a={number}\r\n")
    page = text(pair, envlock)
    assert "line ends  LF → CRLF" in page
    assert "59 more because of it" in page
    assert len(page.splitlines()) < 16


def test_scripts_of_a_moved_environment_name_the_old_one(pair):
    pair.good.put("srv/app/bin/python3.11", "x", 0o755)
    for name in ("pip", "flask", "celery"):
        pair.good.put(f"srv/app/bin/{name}", "#!/srv/app/bin/python3.11\nx\n", 0o755)
    pair.good.put("srv/app/share/example", "#!/opt/none/tclsh\n", 0o755)
    assert pair.verdicts("good") == []
    (pair.bad.path / "opt").mkdir()
    (pair.bad.path / "srv/app").rename(pair.bad.path / "opt/app")
    assert pair.verdicts() == [("INTERPRETER-MISSING", "high", "/opt/app")]


def test_another_owner_of_everything_is_one_thing(pair, envlock):
    for number in range(80):
        pair.good.put(f"srv/app/d{number % 7}/f{number}", f"{number}")
    give(pair.bad, "srv/app", 1001)
    give(pair.good, "srv/app", 1000)
    page = text(pair, envlock)
    assert "1000:1000 → 1001:1001" in page
    assert len(page.splitlines()) < 14


# 12. Outputs


def test_a_link_that_leads_to_itself_is_no_place_to_write(pair, envlock, tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    done = envlock("capture", f"dir:{pair.good.path}", "-o", str(tmp_path / "one"), status=4)
    assert "Too many levels of symbolic links" in done.err
    done = envlock("capture", f"dir:{tmp_path / 'one'}", "-o", str(tmp_path / "x"), status=None)
    assert "no such directory" in done.err


def test_a_full_device_is_one_clear_error(pair, envlock):
    done = envlock("capture", f"dir:{pair.good.path}", "-o", "/dev/full", status=4)
    assert "No space left on device (/dev/full)" in done.err
    assert os.stat("/dev/full").st_rdev


# 13. Same input, same bytes


def test_nothing_around_a_capture_is_in_its_lock(pair, envlock, tmp_path, monkeypatch):
    for name in ("z", "a", "M", "\u00e9"):
        pair.good.put(f"etc/app/{name}.conf", name)
    locks = tmp_path / "1.lock", tmp_path / "2.lock"
    envlock("capture", f"dir:{pair.good.path}", "-o", str(locks[0]), "-q")
    for name, value in {"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    before = os.umask(0o077)
    try:
        envlock("capture", f"dir:{pair.good.path}/", "-o", str(locks[1]), "-q")
    finally:
        os.umask(before)
    assert locks[0].read_bytes() == locks[1].read_bytes()


def test_copies_links_and_times_of_equal_files(pair):
    """A false alarm: other times, holes in files, and names in another order in the folder."""
    for name in "abcd":
        pair.good.put(f"srv/app/{name}", name)
    pair.good.put("srv/app/zero", "\0" * 70000)
    shutil.rmtree(pair.bad.path / "srv/app")
    for name in "dcba":
        os.utime(pair.bad.put(f"srv/app/{name}", name), (1, 1))
    with (pair.bad.path / "srv/app/zero").open("wb") as file:
        file.truncate(70000)
    (pair.bad.path / "srv/app/zero").chmod(0o644)
    assert pair.changes() == []


def test_archives_of_an_application_taken_apart(pair):
    """Spring Boot after layertools, Quarkus, a web application: each archive lies by itself."""
    places = {
        "snakeyaml": "app/BOOT-INF/lib/snakeyaml-1.33.jar",
        "netty-common": "deployments/quarkus-app/lib/main/io.netty.netty-common-4.1.jar",
        "log4j-core": "usr/local/tomcat/webapps/ROOT/WEB-INF/lib/log4j-core-2.14.jar",
    }
    pair.good.put("srv/x", "x")
    assert pair.changes() == []
    for name, place in places.items():
        path = pair.bad.put(place, "")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
            said = f"groupId=g\nartifactId={name}\nversion=1.0\n"
            archive.writestr(f"META-INF/maven/g/{name}/pom.properties", said)
    found = {key for section, key in pair.records() if section == "java"}
    assert {name for name in places if any(name in key for key in found)} == set(places)


def test_distributions_below_a_prefix_of_their_own(pair):
    pair.good.put("srv/x", "x")
    assert pair.changes() == []
    for place in (
        "opt/tool/lib/python3.11/site-packages/requests-2.31.0",
        "install/lib/python3.12/site-packages/six-1.16.0",
        "home/app/.local/share/uv/tools/ruff/lib/python3.12/site-packages/ruff-0.4.0",
    ):
        name, _, version = place.rpartition("/")[2].partition("-")
        pair.bad.put(f"{place}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n")
    found = {key.rpartition("/")[2] for section, key in pair.records() if section == "python"}
    assert {"requests", "six", "ruff"} <= found


def test_another_python_below_an_environment_is_said_first(pair, envlock):
    def environment(root, version):
        short = version.rpartition(".")[0]
        root.put("srv/app/pyvenv.cfg", f"home = /usr/bin\nversion = {version}\n")
        root.put(f"usr/bin/python{short}", "x", 0o755)
        (root.path / "srv/app/bin").mkdir(exist_ok=True)
        (root.path / "srv/app/bin/python").unlink(missing_ok=True)
        (root.path / "srv/app/bin/python").symlink_to(f"/usr/bin/python{short}")
        for name in ("flask", "numpy", "rich", "six", "pytz", "idna"):
            folder = f"srv/app/lib/python{short}/site-packages/{name}-1.0.dist-info"
            root.put(f"{folder}/METADATA", f"Name: {name}\nVersion: 1.0\n")

    environment(pair.good, "3.11.9")
    bad = pair.bad
    shutil.rmtree(bad.path / "srv/app/lib")
    environment(bad, "3.12.4")
    page = text(pair, envlock).splitlines()
    assert any("3.11.9 → 3.12.4" in line for line in page[:8])
    assert len(page) < 30


def test_a_package_that_needs_another_beside_it(pair):
    modules = "srv/app/node_modules"
    peers = {"react": "^18.0.0", "left": "1"}
    said = {"name": "react-dom", "version": "18.2.0", "peerDependencies": peers}
    said["peerDependenciesMeta"] = {"left": {"optional": True}}
    pair.good.put(f"{modules}/react-dom/package.json", json.dumps(said))
    pair.good.put(f"{modules}/react/package.json", '{"name": "react", "version": "18.2.0"}')
    assert pair.verdicts("good") == []
    shutil.rmtree(pair.bad.path / modules / "react")
    assert pair.verdicts() == [("NODE-PEER", "medium", "app/react-dom")]


def test_an_archive_behind_a_script_that_starts_it(pair):
    pair.good.put("srv/x", "x")
    path = pair.bad.put("srv/shop/shop.jar", "#!/bin/sh\nexec java -jar $0\n", 0o755)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        said = "groupId=g\nartifactId=snakeyaml\nversion=1.33\n"
        archive.writestr("META-INF/maven/g/snakeyaml/pom.properties", said)
    assert any("snakeyaml" in key for section, key in pair.records() if section == "java")
