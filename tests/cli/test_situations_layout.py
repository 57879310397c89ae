"""Situations of layout, of what was not recorded, and of what is read from nothing.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import os
import shutil

from tests.cli.situations import coverage, give, rules, text

# 7. Meaning in layout


def test_settings_in_utf_16(pair, envlock):
    contents = {
        "srv/app/app.env": "LEVEL=debug\nWORKERS=4\n",
        "etc/app/x.ini": "[a]\nb=1\n",
        "srv/app/requirements.txt": "flask==2.0\n",
        "srv/app/list.csv": "a,b\n",
    }
    for name, content in contents.items():
        pair.good.put(name, content)
    for name, content in contents.items():
        (pair.bad.path / name).write_bytes(content.encode("utf-16"))
    assert rules(pair) == {
        "/srv/app/app.env": "FILE-LAYOUT",
        "/etc/app/x.ini": "FILE-LAYOUT",
        "/srv/app/requirements.txt": "FILE-LAYOUT",
        "/srv/app/list.csv": "FILE-COMMENTS",
    }
    assert "encoding  UTF-8 → UTF-16" in text(pair, envlock)


def test_a_setting_that_changed_with_its_encoding(pair):
    pair.good.put("etc/app/x.ini", "[a]\nb=1\n")
    (pair.bad.path / "etc/app/x.ini").write_bytes("[a]\nb=2\n".encode("utf-16"))
    assert rules(pair) == {"/etc/app/x.ini": "FILE-CONTENT"}


def test_invisible_characters_are_shown(pair, envlock):
    pair.good.put("etc/app/app.conf", "workers = 4\nname = web\n")
    pair.good.put("etc/app/a.yaml", "a: one two\n")
    pair.bad.put("etc/app/app.conf", "workers = 4\nname = we\u200bb\n")
    pair.bad.put("etc/app/a.yaml", "a: one\u00a0two\n")
    page = text(pair, envlock)
    assert "200b" in page
    assert "a0" in page


def test_a_space_at_the_end_of_a_value(pair, envlock):
    pair.good.put("srv/app/application.properties", "db.name=orders\n")
    pair.good.put("srv/app/app.env", "REGION=eu\n")
    pair.good.put("etc/app.ini", "[a]\nb = 1\n")
    pair.bad.put("srv/app/application.properties", "db.name=orders \n")
    pair.bad.put("srv/app/app.env", "REGION=eu \n")
    pair.bad.put("etc/app.ini", "[a]\nb = 1 \n")
    assert rules(pair) == {
        "/srv/app/application.properties": "FILE-CONTENT",
        "/srv/app/app.env": "FILE-LAYOUT",
        "/etc/app.ini": "FILE-COMMENTS",
    }
    assert "db.name=orders → db.name=orders\\x20" in text(pair, envlock)


def test_names_that_their_reader_skips(pair):
    """run-parts and includedir skip names with a dot, sysctl and systemd those without .conf."""
    pair.good.put("usr/lib/systemd/system/app.service", "[Service]\nExecStart=/bin/sh\n")
    job, rule = "*/5 * * * * root /bin/sh\n", "deploy ALL=(ALL) NOPASSWD: ALL\n"
    limit = "[Service]\nLimitNOFILE=65536\n"
    moved = (
        ("etc/cron.d/job", "etc/cron.d/job.sh", job),
        ("etc/sudoers.d/deploy", "etc/sudoers.d/deploy.conf", rule),
        ("etc/sysctl.d/90-a.conf", "etc/sysctl.d/90-a", "vm.swappiness = 1\n"),
        (
            "etc/systemd/system/app.service.d/o.conf",
            "etc/systemd/system/app.service.d/o.cnf",
            limit,
        ),
    )
    for old, _, content in moved:
        pair.good.put(old, content)
    for old, new, content in moved:
        (pair.bad.path / old).unlink()
        pair.bad.put(new, content)
    found = {key for (_, key), severity in pair.records().items() if severity != "low"}
    assert ("cron", "/etc/cron.d/job /bin/sh") in pair.records()
    assert {f"/{old}" for old, _, _ in moved[1:3]} <= found
    assert any("app.service" in key for key in found)


def test_order_where_the_first_match_wins(pair):
    files = {
        "etc/postgresql/15/main/pg_hba.conf": (
            "host all all 10.0.0.0/8 scram-sha-256\n",
            "host all all 0.0.0.0/0 reject\n",
        ),
        "etc/sudoers": ("deploy ALL=(ALL) NOPASSWD: ALL\n", "deploy ALL=(ALL) ALL\n"),
    }
    for name, (first, second) in files.items():
        pair.good.put(name, first + second)
        pair.bad.put(name, second + first)
    pair.good.put("etc/nsswitch.conf", "hosts: files dns\n")
    pair.bad.put("etc/nsswitch.conf", "hosts: dns files\n")
    found = pair.records()
    assert found["file", "/etc/postgresql/15/main/pg_hba.conf"] == "medium"
    assert any("sudoers" in key and severity == "medium" for (_, key), severity in found.items())
    assert found["setting", "nsswitch.hosts"] == "medium"


REFUSED = [
    ("etc/mysql/conf.d/a.cnf", 0o644, 0o666),
    ("home/app/.ssh/authorized_keys", 0o600, 0o664),
    ("etc/sudoers.d/deploy", 0o440, 0o777),
    ("etc/logrotate.d/app", 0o644, 0o664),
    ("home/app/.pgpass", 0o600, 0o640),
]


def test_modes_for_which_a_file_is_refused(pair):
    for name, before, _ in REFUSED:
        pair.good.put(name, "x = 1\n", before)
    for name, _, after in REFUSED:
        (pair.bad.path / name).chmod(after)
    found = {c["key"]: c for c in pair.changes() if c["section"] == "file"}
    for name, before, _ in REFUSED:
        change = found[f"/{name}"]
        assert (change["rule"], change["severity"]) == ("FILE-REFUSED", "high")
        assert change["fix"] == f"chmod {before:04o} /{name}"


def test_a_mode_that_is_accepted_again_is_no_loss(pair):
    pair.good.put("home/app/.ssh/authorized_keys", "x\n", 0o664)
    (pair.bad.path / "home/app/.ssh/authorized_keys").chmod(0o600)
    assert set(pair.records().values()) == {"medium"}


def test_a_public_key_may_be_read_by_all(pair):
    pair.good.put("home/app/.ssh/id_ed25519.pub", "x\n", 0o600)
    (pair.bad.path / "home/app/.ssh/id_ed25519.pub").chmod(0o644)
    assert set(pair.records().values()) == {"medium"}


def test_a_job_of_another_owner(pair):
    pair.good.put("etc/cron.d/a", "* * * * * root /bin/sh\n")
    os.chown(pair.bad.path / "etc/cron.d/a", 1000, 0)
    assert {c["rule"] for c in pair.changes() if c["field"] == "owner"} == {"FILE-REFUSED"}


def test_a_file_written_again_in_another_form(pair):
    """A false alarm: other spaces, comments and order, and every setting is the same."""
    pair.good.put("etc/app/a.json", '{"a": 1, "b": {"c": [1, 2], "d": null}}\n')
    pair.bad.put("etc/app/a.json", '{\n  "b": {"d": null, "c": [1, 2]},\n  "a": 1\n}')
    pair.good.put("etc/app/a.yaml", "a: 1\nb:\n  - x\n  - y\n")
    pair.bad.put("etc/app/a.yaml", "# c\nb:\n- x\n- y\na: 1\n")
    assert set(pair.records().values()) == {"info"}


# 8. Not recorded


def test_the_folder_of_a_service(pair):
    folders = ("var/log/nginx", "var/log/app", "var/cache/nginx", "var/spool/q", "var/lib/app")
    for name in folders:
        (pair.good.path / name).mkdir(parents=True)
    pair.good.put("var/log/nginx/error.log", "x\n")
    for name in folders:
        give(pair.bad, name, 33)
        give(pair.good, name, 33)
    assert pair.records() == {}
    (pair.bad.path / "var/spool/q").rmdir()
    shutil.rmtree(pair.bad.path / "var/log/nginx")
    os.chown(pair.bad.path / "var/log/app", 0, 0)
    os.chown(pair.bad.path / "var/lib/app", 0, 0)
    (pair.bad.path / "var/cache/nginx").chmod(0o700)
    assert pair.records() == {("file", f"/{name}"): "medium" for name in folders}


def test_logs_and_state_that_move_with_time(pair):
    """A false alarm: a day of logs, rotated ones, caches, and what services make below theirs."""
    pair.good.put("var/log/nginx/access.log", "a\n")
    (pair.good.path / "var/lib/app").mkdir(parents=True)
    pair.good.put("run/a", "")
    for name in ("var/lib/app", "var/log/nginx"):
        give(pair.bad, name, 33)
        give(pair.good, name, 33)
    pair.bad.put("var/log/nginx/access.log", "b\n")
    pair.bad.put("var/log/nginx/access.log.1", "a\n")
    pair.bad.put("var/log/journal/0123456789abcdef0123456789abcdef/system.journal", "j")
    pair.bad.put("var/lib/app/data/base/1", "x")
    os.chown(pair.bad.path / "var/lib/app/data", 33, 33)
    pair.bad.put("run/app/pid", "1")
    assert [key for _, key in pair.records() if key != "/var/log/journal"] == []


# 9. Silent emptiness


def test_a_database_that_neither_side_can_read(pair, envlock):
    path = "usr/lib/sysimage/rpm/rpmdb.sqlite"
    pair.good.put(path, "one kind of damage")
    pair.bad.put(path, "another")
    [change] = pair.changes()
    assert (change["key"], change["kind"]) == (f"/{path}", "unknown")
    assert text(pair, envlock).startswith("INCONCLUSIVE")
    pair.bad.put(path, "one kind of damage")
    assert pair.changes() == []
    pair.bad.put(f"{path}-wal", "what was not written into it yet")
    assert [change["kind"] for change in pair.changes()] == ["unknown"]


def test_a_list_of_files_that_is_gone_or_empty(pair, envlock, tmp_path):
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
        for name in ("curl", "wget")
    )
    pair.good.put("var/lib/dpkg/status", status)
    for name in ("curl", "wget"):
        pair.good.put(f"var/lib/dpkg/info/{name}.list", "/.\n/usr\n")
    assert coverage(pair.good, "deb", envlock, tmp_path)["status"] == "ok"
    pair.bad.put("var/lib/dpkg/info/curl.list", "")
    assert "curl" in coverage(pair.bad, "deb", envlock, tmp_path)["reason"]
    (pair.bad.path / "var/lib/dpkg/info/curl.list").unlink()
    assert "curl" in coverage(pair.bad, "deb", envlock, tmp_path)["reason"]


EMPTIED = [
    ("python", "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA", "Name: six\n"),
    ("npm", "srv/app/node_modules/left-pad/package.json", '{"name":"left-pad","version":"1.3.0"}'),
    ("gem", "var/lib/gems/3.1.0/specifications/rake-13.0.gemspec", "s.name = 'rake'\n"),
    ("conda", "opt/conda/conda-meta/zlib-1.3-0.json", '{"name":"zlib","version":"1.3"}'),
]


def test_what_a_power_cut_leaves_empty(pair, envlock, tmp_path):
    for _, name, content in EMPTIED:
        pair.good.put(name, content)
    for _, name, _ in EMPTIED:
        pair.bad.put(name, "")
    sections = {section for section, _, _ in EMPTIED}
    for section in sections:
        assert coverage(pair.bad, section, envlock, tmp_path)["status"] != "ok"
    assert not [c for c in pair.changes() if c["section"] in sections and c["kind"] == "removed"]


def test_a_database_of_apk_in_its_new_place(pair):
    record = "C:Q1Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWw=\nP:zlib\nV:{}\nA:x86_64\n\n"
    pair.good.put("usr/lib/apk/db/installed", record.format("1.3-r0"))
    pair.bad.put("usr/lib/apk/db/installed", record.format("1.3.1-r0"))
    assert [(section, key) for section, key in pair.records()] == [("apk", "zlib")]


def test_the_same_sources_in_the_newer_form(pair):
    """A false alarm: apt modernize-sources wrote what sources.list said as deb822."""
    line = "deb http://deb.example.org/debian {} main contrib\n"
    pair.good.put("etc/apt/sources.list", line.format("trixie") + line.format("trixie-updates"))
    pair.bad.put("etc/apt/sources.list", "")
    pair.bad.put(
        "etc/apt/sources.list.d/debian.sources",
        "Types: deb\nURIs: http://deb.example.org/debian/\nSuites: trixie trixie-updates\n"
        "Components: main contrib\n",
    )
    assert {section for section, _ in pair.records()} == {"file"}
    assert not {"high", "critical"} & set(pair.records().values())
