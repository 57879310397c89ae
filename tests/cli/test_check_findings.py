"""``envlock check`` of environments with parts that cannot work together."""

from __future__ import annotations

from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass, Role, Root, scope_records
from tests.pairs import Root as Tree

CUDA = Record("cuda", "cudart:app", {"version": "12.4.127"})


def write(envlock, name, *records):
    folder = envlock.folder / "locks"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.lock").write_bytes(render_lock(Lock.of(records)))


def driver(version, **facts):
    return Record("host.driver", "nvidia", {"version": version, **facts})


def test_a_driver_too_old_for_its_cuda_fails_the_check(envlock):
    write(envlock, "good", CUDA, driver("550.54.15"))
    write(envlock, "old", CUDA, driver("470.199.02"))
    ran = envlock("check", status=1)
    assert "locks/good.lock: ok" in ran.out.splitlines()
    assert (
        "locks/old.lock: critical: cuda cudart:app: CUDA 12.4.127 needs driver 525.60.13 or newer, "
        "470.199.02 is loaded (CUDA-DRIVER); next: upgrade the NVIDIA driver, or use an older CUDA"
    ) in ran.out.splitlines()
    assert envlock("check", "good").out == "good: ok\n"
    document = envlock("check", "old", "--json", status=1).json
    assert document["problems"] == {"old": []}
    (found,) = document["verdicts"]["old"]
    assert found["rule"] == "CUDA-DRIVER"
    assert (found["section"], found["key"]) == ("cuda", "cudart:app")
    assert found["severity"] == "critical"


def test_advice_does_not_fail_the_check(envlock):
    dkms = Record("host.dkms", "zfs", {"version": "2.1.11", "state": "not-built"})
    write(envlock, "stale", dkms)
    ran = envlock("check", "stale")
    assert ran.out.startswith("stale: medium: host.dkms zfs: 2.1.11 is not built for the running")


def test_a_rule_about_one_environment_can_be_explained(envlock):
    ran = envlock("explain", "FABRIC-MISMATCH")
    assert ran.out.startswith("severity critical: GPUs behind an NVSwitch")


def test_a_driver_is_judged_by_the_cuda_of_both_sides(envlock):
    write(envlock, "dev", CUDA, driver("550.54.15"))
    write(envlock, "prod", CUDA, driver("470.199.02"))
    ran = envlock("diff", "dev", "prod", "--format", "json", status=1)
    (change,) = [c for c in ran.json["changes"] if c["section"] == "host.driver"]
    assert change["rule"] == "CUDA-DRIVER"
    assert change["why"] == (
        "CUDA 12.4.127 in dev and prod needs driver 525.60.13 or newer; prod has 470.199.02"
    )


def app(*members):
    """Return the records of an application that needs CUDA, and of one that is not there."""
    found = [Member(*each, MemberClass.LINKED, "app → serve") for each in members]
    return [*scope_records([Role("app", Root.parse("exe:/usr/bin/serve"), tuple(found))])]


DKMS = Record("host.dkms", "zfs", {"version": "2.1.11", "state": "not-built"})
HALF = Record("deb", "cups:amd64", {"version": "1", "status": "install ok half-installed"})


def test_what_concerns_no_application_is_counted_in_one_line(envlock):
    scope = app(("cuda", CUDA.key))
    write(envlock, "prod", CUDA, driver("470.199.02"), HALF, DKMS, *scope)
    write(envlock, "idle", HALF, DKMS, *scope)
    ran = envlock("check", "prod", status=1).out.splitlines()
    assert ran[-1] == "prod: outside of app: 2 findings (--whole shows them)"
    (line,) = ran[:-1]
    assert line.startswith("prod: critical: cuda cudart:app: CUDA 12.4.127 needs driver")
    assert "; app needs it: app → serve (CUDA-DRIVER)" in line
    assert envlock("check", "idle").out.splitlines() == [
        "idle: ok",
        "idle: outside of app: 2 findings (--whole shows them)",
    ]
    whole = envlock("check", "idle", "--whole", status=1).out.splitlines()
    assert [line.partition(": ")[2][:4] for line in whole] == ["high", "medi"]


def test_the_document_holds_both_apart(envlock):
    write(envlock, "prod", CUDA, driver("470.199.02"), HALF, *app(("cuda", CUDA.key)))
    document = envlock("check", "prod", "--json", status=1).json
    assert document["scope"] == {"prod": {"app": {"root": "exe:/usr/bin/serve", "assumed": False}}}
    (counted,) = document["verdicts"]["prod"]
    assert (counted["rule"], counted["scope"], counted["via"]) == (
        "CUDA-DRIVER",
        ["app"],
        "app → serve",
    )
    (outside,) = document["outside"]["prod"]
    assert (outside["rule"], outside["scope"]) == ("PACKAGE-HALF", [])
    whole = envlock("check", "prod", "--json", "--whole", status=1).json
    assert (whole["scope"], whole["outside"]) == ({"prod": {}}, {"prod": []})
    assert len(whole["verdicts"]["prod"]) == 2


def test_a_lock_without_an_application_says_why_everything_counts(envlock):
    write(envlock, "box", DKMS)
    (line, note) = envlock("check", "box").out.splitlines()
    assert line.startswith("box: medium: host.dkms zfs")
    assert note.startswith("box: scope: it names no application, so everything counts; --root app=")
    assert envlock("check", "box", "--json").json["notes"]["box"]


def test_what_policy_expects_counts_in_and_out_of_scope(envlock):
    write(envlock, "prod", HALF, *app(("os", "")))
    table = '[[expect]]\nsection = "deb"\nkey = "cups*"\nonly-in = ["dev"]\nreason = "r"\n'
    (envlock.folder / "envlock.toml").write_text(table + '[environments.dev]\ntarget = "host"\n')
    ran = envlock("check", "prod", status=1).out
    assert "EXPECT-ONLY-IN" in ran and "outside of app: 1 finding (" in ran


def test_roots_are_for_what_is_captured_now(envlock, tmp_path):
    write(envlock, "box", DKMS)
    ran = envlock("check", "box", "--root", "app=exe:/usr/bin/serve", status=2)
    assert "a lock has the applications that it was captured with" in ran.err
    root = Tree(tmp_path / "root")
    root.put("usr/local/bin/serve", "#!/bin/sh\n", 0o755)
    root.put("usr/local/bin/other", "#!/usr/bin/gone\n", 0o755)
    target = f"dir:{root.path}"
    assert "INTERPRETER-MISSING" in envlock("check", target, status=1).out
    ran = envlock("check", target, "--root", "app=exe:/usr/local/bin/serve").out
    assert ran == f"{target}: ok\n{target}: outside of app: 1 finding (--whole shows them)\n"
    ran = envlock("check", target, "--root", "app=exe:/usr/local/bin/other", status=1).out
    assert "INTERPRETER-MISSING" in ran and "outside" not in ran
    ran = envlock("check", target, "--root", "app=exe:/usr/bin/nope", status=1).out
    assert "scope app: it begins at exe:/usr/bin/nope, and nothing is there (ROOT-MISSING)" in ran
