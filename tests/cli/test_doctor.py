"""``envlock doctor`` of directories: what it says, writes and returns."""

import json
import shutil

import pytest

STATUS = """\
Package: {name}
Status: install ok installed
Architecture: all
Version: {version}
Maintainer: x <x@example.org>
Description: x

"""


@pytest.fixture
def roots(here, envlock):
    """Return the directories of an environment, which is captured as team, and of a machine."""
    made = []
    for side in ("team", "machine"):
        root = here / side
        (root / "var/lib/dpkg").mkdir(parents=True)
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text("ID=debian\nVERSION_ID=12\n")
        (root / "etc/app.conf").write_text("workers = 4\n")
        install(root, curl="2", tool="2")
        made.append(root)
    envlock("capture", f"dir:{made[0]}", "--name", "team", "-q")
    return made


def install(root, **packages):
    text = "".join(STATUS.format(name=n, version=v) for n, v in packages.items())
    (root / "var/lib/dpkg/status").write_text(text)


def test_a_machine_that_is_ready(roots, envlock):
    told = envlock("doctor", "team", f"dir:{roots[1]}", status=0)
    assert "READY" in told.out and "nothing to do" in told.out
    assert "NOT" not in told.out


def test_what_is_missing_wrong_and_extra(roots, envlock):
    install(roots[1], curl="1", own="1")
    told = envlock("doctor", "team", f"dir:{roots[1]}", status=1).out
    assert told.startswith("NOT READY")
    assert "1 missing, 2 wrong, 1 extra" in told  # the version, and that there are no lists
    assert "run: apt-get update" in told
    assert "run: apt-get install --no-install-recommends curl=2 tool=2" in told
    assert "1 more that only this machine has" in told


def test_json_names_step_need_and_who_may_do_it(roots, envlock):
    install(roots[1], curl="3", tool="2")
    (gap, lists) = sorted(
        envlock("doctor", "team", f"dir:{roots[1]}", "--json", status=1).json["gaps"],
        key=lambda gap: gap["section"],
    )
    assert lists["section"] == "machine"
    assert (gap["wanted"], gap["present"], gap["state"]) == ("2", "3", "wrong")
    assert (gap["step"], gap["needs"], gap["auto"]) == ("system packages", ["root"], "ask")
    assert gap["caution"] == "it installs an older version"
    assert gap["fix"][0][:2] == ["apt-get", "install"]


@pytest.mark.parametrize(
    ("packages", "status", "word"),
    [
        ({"curl": "2", "tool": "2"}, 0, "OK"),
        ({"curl": "1", "tool": "2"}, 2, "CRITICAL"),
        ({"curl": "2"}, 1, "WARNING"),
    ],
)
def test_a_health_check(roots, envlock, packages, status, word):
    install(roots[1], **packages)
    told = envlock("doctor", "team", f"dir:{roots[1]}", "--as", "nagios", status=status).out
    assert told.startswith(f"ENVLOCK {word} - team: ")
    assert told.count("\n") == 1
    assert "unknown=0" in told


def test_what_cannot_be_read_is_unknown(roots, envlock):
    shutil.rmtree(roots[1] / "etc")
    (roots[1] / "etc").symlink_to("etc")
    told = envlock("doctor", "team", f"dir:{roots[1]}", status=1).out
    assert "2 unknown" in told
    assert "unreadable (/etc/debian_version: loop of symbolic links)" in told


def test_the_script_is_ordered_and_asks_nothing(roots, envlock, here):
    install(roots[1], curl="1", own="1")
    envlock("doctor", "team", f"dir:{roots[1]}", "--fix-script", here / "fix.sh", status=1)
    lines = (here / "fix.sh").read_text().splitlines()
    assert lines[0] == "#!/bin/sh"
    assert "set -eu" in lines
    commands = [line for line in lines if line and not line.startswith("#")]
    update, install_all = (
        next(n for n, line in enumerate(commands) if line.startswith(start))
        for start in ("apt-get update", "apt-get install --yes")
    )
    assert update < install_all
    assert commands[install_all].endswith("curl=2 tool=2")


def test_hostile_names_stay_in_their_line(roots, envlock, here):
    root, script = roots[1], here / "fix.sh"
    (root / "etc/x\nrm -rf .conf").write_text("a = 1\n")
    envlock("doctor", "team", f"dir:{root}", "--all", "--fix-script", script, status=1)
    (line,) = [line for line in script.read_text().splitlines() if "rm -rf" in line]
    assert line.startswith("# by hand: ")


def test_what_is_asked_wrongly(roots, envlock):
    told = envlock("doctor", "team", "team", status=2)
    assert "team is no machine" in told.err
    told = envlock("doctor", "team", f"dir:{roots[1]}", "--root", "web", status=2)
    assert "names no application web" in told.err
    told = envlock("doctor", "missing", f"dir:{roots[1]}", status=2)
    assert "missing" in told.err
    told = envlock("doctor", "team", f"dir:{roots[1]}", "--only", "nothing", status=2)
    assert "nothing" in told.err


def test_what_no_command_does_is_said_for_the_machine(roots, envlock):
    (roots[1] / "etc/app.conf").unlink()
    (roots[1] / "usr/local/bin").mkdir(parents=True)
    (roots[1] / "usr/local/bin/own").write_text("#!/bin/sh\n")
    told = envlock("doctor", "team", f"dir:{roots[1]}", status=1).out
    assert "bring it here from team" in told
    assert "both sides" not in told and "or remove it on" not in told


def test_only_one_section(roots, envlock):
    install(roots[1], curl="1", tool="2")
    (roots[1] / "etc/app.conf").write_text("workers = 1\n")
    gaps = json.loads(
        envlock("doctor", "team", f"dir:{roots[1]}", "--only", "deb", "--json", status=1).out
    )["gaps"]
    assert {gap["section"] for gap in gaps} == {"deb", "machine"}
