"""Policy on the command line: expectations, waivers, baselines, a base, a policy from git."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from envlock.lockfile.writer import write_lock
from envlock.model.lock import Lock
from envlock.model.record import Record

SETTINGS = """\
# ours
[environments.dev]
[environments.prod]

[diff]
fail-on = "low"   # all of it
"""
NO_GDB = """
[[expect]]
section = "deb"
key = "gdb:*"
only-in = ["dev"]
reason = "no debuggers in production"
"""
LATER = "2027-01-31"
TODAY = {"SOURCE_DATE_EPOCH": "1780272000"}  # 2026-06-01


def deb(name, version="1.0-1"):
    return "deb", f"{name}:amd64", {"version": version, "mark": "manual", "source": name}


class Project:
    """Two locks and an envlock.toml."""

    def __init__(self, envlock):
        self.envlock = envlock
        self.settings = envlock.folder / "envlock.toml"
        self.settings.write_text(SETTINGS)
        self.lock("dev", deb("curl", "8-2"), deb("gdb"))
        self.lock("prod", deb("curl", "8-1"), deb("nginx"))

    def lock(self, name, *records):
        lock = Lock.of([Record(*record) for record in records], {"deb": {"status": "ok"}})
        write_lock(self.envlock.folder / f"locks/{name}.lock", lock)

    def add(self, text):
        self.settings.write_text(self.settings.read_text() + text)

    def __call__(self, *arguments, status=0, **environ):
        return self.envlock(*arguments, status=status, **{**TODAY, **environ})

    def changes(self, *arguments, status=None, **environ):
        ran = self("diff", *(arguments or ("dev", "prod")), "--json", status=status, **environ)
        return {c["key"].partition(":")[0]: c for c in ran.json["changes"]}

    def git(self, *arguments):
        who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER")
               for what in ("NAME", "EMAIL")}  # fmt: skip
        subprocess.run(
            ["git", "-C", self.envlock.folder, *arguments],
            check=True,
            capture_output=True,
            env={**os.environ, **who},
        )


@pytest.fixture
def project(envlock):
    return Project(envlock)


class TestExpectations:
    def test_met_and_unmet(self, project):
        project.add(NO_GDB)
        ran = project("diff", "dev", "prod", status=1)
        assert "gdb" not in ran.out
        assert "hidden: 1 expected" in ran.out
        project("check", status=0)
        project.lock("prod", deb("curl", "8-1"), deb("gdb"))
        change = project.changes()["gdb"]
        assert (change["rule"], change["field"]) == ("EXPECT-ONLY-IN", "expect:only-in")
        assert "no debuggers in production" in change["why"]
        assert "no debuggers in production" in project("diff", "dev", "prod", status=1).out
        assert "EXPECT-ONLY-IN" in project("check", status=1).out
        assert "no debuggers" in project("explain", "EXPECT-ONLY-IN").out

    def test_an_environment_is_named_after_its_lockfile(self, project):
        project.add(NO_GDB)
        assert "gdb" not in project.changes("locks/dev.lock", "./locks/prod.lock")
        copy = project.envlock.folder / "elsewhere"
        copy.mkdir()
        (copy / "ci.lock").write_bytes((project.envlock.folder / "locks/dev.lock").read_bytes())
        assert project.changes("elsewhere/ci.lock", "prod")["gdb"]["left"] == "1.0-1"

    def test_check_finds_impossible_expectations(self, project):
        project.add(
            '\n[[expect]]\nsection = "debs"\nat-least = "1"\nreason = "x"\n'
            '\n[[expect]]\nsection = "deb"\nonly-in = ["staging"]\nreason = "x"\n'
            '\n[[expect]]\nsection = "deb"\nat-least = "one two"\nreason = "x"\n'
            '\n[[expect]]\nsection = "*"\nkey = "x"\nat-least = "1"\nreason = "x"\n'
        )
        found = project("check", "--json", status=1).json["problems"]["envlock.toml"]
        assert [problem.partition(": ")[2] for problem in found] == [
            "no section is called debs",
            "no environment is called staging",
            "at-least one two: not a Debian version: 'one two'",
        ]


class TestWaivers:
    def waive(self, project, *arguments, status=0, reason="rebuilt on Monday", expires=LATER):
        return project("waive", *arguments, "--reason", reason, "--expires", expires, status=status)

    def test_from_finding_to_file_and_back(self, project):
        finding = project.changes()["curl"]
        ran = self.waive(project, finding["id"], "dev", "prod")
        assert ran.out == f"deb curl:amd64 version: waived between dev and prod until {LATER}\n"
        text = project.settings.read_text()
        assert text.startswith(SETTINGS)
        waived = project.changes()["curl"]
        assert (waived["status"], waived["policy"]) == (
            "waived",
            f"waived until {LATER}: rebuilt on Monday",
        )
        assert project.changes("prod", "dev")["curl"]["status"] == "waived"
        output = project("explain", finding["id"]).out
        assert "deb curl:amd64 version: dev has 8-2, prod has 8-1" in output
        assert "fix: apt-get install --no-install-recommends curl=8-2" in output
        assert "judged by: deb-version(7)" in output
        assert f"until {LATER}: rebuilt on Monday" in output
        project("check", status=0)
        late = project.changes("dev", "prod", "--today", "2027-02-01")["curl"]
        assert late["status"] == "expired-waiver"
        assert "expired on" in project("check", "--today", "2027-02-01", status=1).out
        assert "expired on" in project("explain", finding["id"], "--today", "2027-02-01").out

    def test_a_changed_value_ends_the_waiver_and_is_noted(self, project):
        self.waive(project, project.changes()["curl"]["id"], "dev", "prod")
        project.lock("prod", deb("curl", "7-1"))
        ran = project("diff", "dev", "prod", "--json", status=1)
        assert {c["status"] for c in ran.json["changes"]} == {"new"}
        assert [note["kind"] for note in ran.json["notes"]] == ["scope", "stale-waiver"]
        assert "stale-waiver: deb curl" in project("diff", "dev", "prod", status=1).out

    def test_a_second_waiver_of_a_finding_replaces_the_first(self, project):
        finding = project.changes()["curl"]["id"]
        self.waive(project, finding, "dev", "prod", expires="2026-06-02")
        project.settings.write_text(project.settings.read_text() + "# the end\n")
        self.waive(project, finding, reason="later after all")
        text = project.settings.read_text()
        assert text.count("[[waive]]") == 1
        assert text.endswith("# the end\n")
        assert "later after all" in text

    def test_every_lock_is_searched_when_none_is_named(self, project):
        added = project.changes("prod", "dev")["gdb"]["id"]
        assert "prod has nothing, dev has 1.0-1" in project("explain", added).out
        ran = self.waive(project, added)
        assert "between prod and dev" in ran.out
        assert project.changes()["gdb"]["status"] == "waived"
        project.lock("ci", deb("curl", "8-2"), deb("gdb"))
        ran = self.waive(project, project.changes()["curl"]["id"], status=2)
        assert "several pairs" in ran.err

    @pytest.mark.parametrize(
        ("arguments", "more", "words"),
        [
            (("0123456789ab", "dev", "prod"), {}, ("no finding has the id 0123456789ab", "hint:")),
            (("0123456789ab", "dev"), {}, ("only one environment",)),
            (("ID", "dev", "prod"), {"reason": " "}, ("reason",)),
            (("ID", "dev", "prod"), {"expires": "soon"}, ("not a date",)),
            (("ID", "dev", "prod"), {"expires": "2026-05-31"}, ("in the past",)),
        ],
    )
    def test_invalid_waivers(self, project, arguments, more, words):
        finding = project.changes()["curl"]["id"]
        arguments = [finding if word == "ID" else word for word in arguments]
        ran = self.waive(project, *arguments, status=2, **more)
        for word in words:
            assert word in ran.err
        assert project.settings.read_text() == SETTINGS

    def test_envlock_toml_is_created_if_it_is_missing(self, project):
        finding = project.changes()["curl"]["id"]
        project.settings.unlink()
        self.waive(project, finding, "dev", "prod")
        assert project.changes()["curl"]["status"] == "waived"

    def test_a_toml_date_is_a_date(self, project):
        self.waive(project, project.changes()["curl"]["id"], "dev", "prod")
        text = project.settings.read_text()
        project.settings.write_text(text.replace(f'"{LATER}"', LATER))
        assert project.changes()["curl"]["status"] == "waived"

    def test_today_must_be_a_date(self, project):
        assert "not a date" in project("diff", "dev", "prod", "--today", "x", status=2).err
        assert "seconds" in project("diff", "dev", "prod", status=2, SOURCE_DATE_EPOCH="x").err


class TestBaseline:
    def test_it_is_created_once_and_only_shrinks(self, project):
        file = project.envlock.folder / "known.toml"
        ask = ("diff", "dev", "prod", "--baseline", "known.toml")
        assert "no such baseline" in project(*ask, status=2).err
        ran = project(*ask, "--write-baseline", status=0)
        assert "EQUAL" in ran.out
        assert "3 differences accepted" in ran.err
        begun = file.read_text()
        assert "only shrinks" in project(*ask, "--write-baseline", status=2).err
        project(*ask, status=0)
        project(*ask, "--update-baseline", status=0)
        assert file.read_text() == begun

        project.lock("prod", deb("curl", "8-2"), deb("nginx"), deb("vim"))
        ran = project(*ask, status=1)
        assert "stale-baseline: 1 accepted difference" in ran.out
        ran = project(*ask, "--update-baseline", status=1)
        assert "stale-baseline" not in ran.out
        assert "vim" in ran.out
        assert len(file.read_text()) < len(begun)
        assert "vim" not in file.read_text()
        project.lock("prod", deb("curl", "8-1"), deb("nginx"), deb("vim"))
        assert project.changes(*ask[1:])["curl"]["status"] == "new"

    def test_it_is_named_in_the_settings_and_checked(self, project):
        project.add('baseline = "known.toml"\n')
        project("diff", "dev", "prod", "--write-baseline")
        project("diff", "dev", "prod", status=0)
        project("check", status=0)
        known = project.envlock.folder / "known.toml"
        finding = project.changes()["gdb"]["id"]
        assert "is accepted between" in project("explain", finding).out
        known.write_text(known.read_text().replace('"prod"', '"staging"'))
        assert "no environment is called staging" in project("check", status=1).out
        known.write_text("x")
        assert "not a baseline" in project("diff", "dev", "prod", status=2).err

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("--write-baseline",), "--baseline FILE"),
            (("--baseline", "b", "--write-baseline", "--update-baseline"), "not both"),
            (("--baseline", "b", "--write-baseline", "--section", "deb"), "all sections"),
        ],
    )
    def test_contradicting_options(self, project, arguments, word):
        assert word in project("diff", "dev", "prod", *arguments, status=2).err


class TestPolicyFile:
    def test_the_policy_of_a_revision_replaces_that_of_the_work_tree(self, project):
        project.add(NO_GDB)
        project.git("init", "-q", "-b", "main")
        project.git("add", ".")
        project.git("commit", "-qm", "begin")
        project.settings.write_text(
            SETTINGS.replace('"low"', '"critical"') + '[environments.ci]\nlock = "locks/dev.lock"\n'
        )
        project("diff", "dev", "prod", status=0)
        ask = ("dev", "prod", "--policy", "git:main:envlock.toml")
        project("diff", *ask, status=1)
        assert "gdb" not in project.changes(*ask)
        assert "gdb" in project.changes("dev", "prod")
        # Settings other than policy still come from the work tree.
        project("diff", "ci", *ask[1:], status=1)
        project("check", *ask[2:])
        assert "git" in project("diff", "dev", "prod", "--policy", "git:nowhere:x", status=2).err

    def test_its_baseline_is_read_from_the_same_revision(self, project):
        project.git("init", "-q", "-b", "main")
        (project.envlock.folder / "policy").mkdir()
        policy = project.envlock.folder / "policy/envlock.toml"
        policy.write_text('[diff]\nbaseline = "../known.toml"\n')
        ask = ("diff", "dev", "prod", "--policy")
        project(*ask, "policy/envlock.toml", "--write-baseline")
        project.git("add", ".")
        project.git("commit", "-qm", "begin")
        (project.envlock.folder / "known.toml").write_text('baseline-version = "1"\n')
        project(*ask, "policy/envlock.toml", status=1)
        project(*ask, "git:main:policy/envlock.toml", status=0)
        ran = project(*ask, "git:main:policy/envlock.toml", "--update-baseline", status=2)
        assert "cannot be changed" in ran.err

    def test_a_missing_policy_file(self, project):
        assert (
            "nowhere.toml"
            in project("diff", "dev", "prod", "--policy", "nowhere.toml", status=2).err
        )


class TestBase:
    def test_the_side_that_changed(self, project):
        project.lock("last", deb("curl", "8-1"), deb("gdb"))
        found = project.changes("dev", "prod", "--base", "last")
        assert {key: change["moved"] for key, change in found.items()} == {
            "curl": "left",
            "gdb": "right",
            "nginx": "right",
        }
        ran = project("diff", "dev", "prod", "--base", "last", status=1)
        assert "dev → prod  since last" in ran.out
        assert "(changed on dev)" in ran.out
        assert project("diff", "dev", "prod", "--base", "last", "--json", status=1).json["base"]
        assert project.changes()["curl"]["moved"] is None


def test_a_preset_is_counted_under_its_name(project):
    project.add('presets = ["container-vs-host"]\n')
    project.lock("dev", deb("linux-image-6.1.0-21-amd64"), deb("curl", "8-1"), deb("nginx"))
    ran = project("diff", "dev", "prod", "--json", status=0)
    assert json.loads(ran.out)["hidden"] == {"container-vs-host": 1}
    assert "a container does not boot" in project("explain", "container-vs-host").out
    project.add("\n[[x]]\n")
    project.settings.write_text(SETTINGS + 'presets = ["containers"]\n')
    assert "container-vs-host" in project("diff", "dev", "prod", status=2).err
