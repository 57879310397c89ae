"""A plan as JSON and back, and what is refused."""

import json
from importlib.resources import files

import pytest

from envlock.apply.gap import Phase
from envlock.apply.plan import (
    Archive,
    Left,
    Marks,
    PackageChange,
    Plan,
    Step,
    StepKind,
    Transaction,
    Verb,
)
from envlock.apply.plan_commands import PROGRAMS, REFRESHED
from envlock.apply.plan_document import document_of, plan_bytes, plan_from, read_plan
from envlock.errors import UsageError
from envlock.model.tree import Entry, EntryType

OLD = Archive("tool", "1:1~rc1", "amd64", "a" * 64, 10)
NEW = OLD._replace(version="2", sha256="b" * 64, size=5)
PLAN = Plan(
    lock="team",
    lock_digest=f"envlock1:sha256:{'0' * 64}",
    target="dir:/srv/x",
    machine="",
    roles=("web",),
    steps=(
        Step(
            id="01-user-shop",
            kind=StepKind.COMMAND,
            phase=Phase.ACCOUNTS,
            summary="user shop",
            gaps=("0123456789ab",),
            commands=(("useradd", "shop"),),
            undo=(("gpasswd", "-d", "shop", "adm"),),
            touches=("/etc/passwd",),
        ),
        Step(
            id="02-packages",
            kind=StepKind.PACKAGES,
            phase=Phase.PACKAGES,
            summary="packages: upgrade 1",
            packages=Transaction(
                "apt",
                (PackageChange(Verb.UPGRADE, "tool", "amd64", "1:1~rc1", "2", NEW, OLD),),
                Marks(auto=("tool",)),
            ),
        ),
        Step(
            id="03-file",
            kind=StepKind.FILE,
            phase=Phase.FILES,
            summary="write /etc/a\udcff",
            before=None,
            after=Entry(
                "/etc/a\udcff",
                EntryType.FILE,
                0o4755,
                size=3,
                sha256="c" * 64,
                xattrs=(("user.a", b"\x00"),),
            ),
        ),
        Step(
            id="04-folder",
            kind=StepKind.FOLDER,
            phase=Phase.LANGUAGES,
            summary="environment",
            risk="restart",
            after=Entry("/opt/a", EntryType.DIRECTORY, 0o755),
            entries=(Entry("/opt/a/b", EntryType.SYMLINK, target="c"),),
            is_replaced=True,
            has_undo=False,
        ),
    ),
    left=(Left("0123456789ab", "file", "/etc/b\n", "mode", "by hand"),),
)


def test_a_plan_survives_the_file():
    assert plan_from(json.loads(plan_bytes(PLAN))) == PLAN
    assert plan_bytes(PLAN) == plan_bytes(plan_from(json.loads(plan_bytes(PLAN))))


def test_sizes_are_told():
    assert document_of(PLAN)["bytes"] == 8


def test_changes_without_their_old_version_have_no_undo():
    change = PackageChange(Verb.UPGRADE, "a", "all", "1", "2", NEW)
    assert not change.has_undo
    assert change._replace(old=OLD).has_undo
    assert change._replace(before="").has_undo
    assert change._replace(before="2").has_undo


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("steps", 0, "kind"), "shell"),
        (("steps", 0, "touches"), ["etc/passwd"]),
        (("steps", 0, "commands"), [["sh", "-c", "id"]]),
        (("steps", 0, "undo_commands"), [[]]),
        (("steps", 0, "more"), 1),
        (("steps", 0, "phase"), "nowhere"),
        (("steps", 1, "packages", "manager"), "pip"),
        (("steps", 1, "packages", "changes", 0, "name"), "--purge"),
        (("steps", 1, "packages", "changes", 0, "after"), "1;reboot"),
        (("steps", 1, "packages", "changes", 0, "archive", "name"), "../x"),
        (("steps", 2, "after", "mode"), "99999"),
        (("steps", 2, "after", "path"), "etc"),
        (("steps", 2, "after", "uid"), -1),
        (("steps", 3, "id"), "../4"),
        (("schema_version",), 2),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, where, value):
    document = json.loads(plan_bytes(PLAN))
    place = document
    for name in where[:-1]:
        place = place[name]
    place[where[-1]] = value
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="no plan of envlock"):
        read_plan(path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"steps": []}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="no plan of envlock"):
        read_plan(path)
    with pytest.raises(UsageError, match="cannot read the plan"):
        read_plan(tmp_path / "missing")


def test_the_schema_knows_every_program_that_a_planner_uses():
    schema = json.loads((files("envlock.apply") / "plan.schema.json").read_text())
    known = set(schema["$defs"]["words"]["items"]["prefixItems"][0]["enum"])
    assert known == {*PROGRAMS, *REFRESHED, "useradd", "groupadd"}


def test_a_plan_of_the_largest_size_and_one_byte_more(tmp_path):
    path, size = tmp_path / "plan.json", len(plan_bytes(PLAN))
    path.write_bytes(plan_bytes(PLAN))
    assert read_plan(path, size) == PLAN
    with pytest.raises(UsageError, match="larger than"):
        read_plan(path, size - 1)
