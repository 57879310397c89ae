"""Changes of one cause are shown once: the first leads, no more severe one is hidden."""

from dataclasses import replace

import pytest

from envlock.diff.alike import fold_alike, unfold
from envlock.diff.drift import Change, ChangeKind, ChangeStatus
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

CHANGED, ADDED, REMOVED = ChangeKind.CHANGED, ChangeKind.ADDED, ChangeKind.REMOVED


def change(key, field="mode", left="0644", right="0640", *, section="file", **other):
    values = {"kind": CHANGED, "severity": Severity.MEDIUM, "rule": "FILE-MODE", **other}
    return Change(
        id=f"{section} {key} {field}", section=section, key=key, field=field, left=left,
        right=right, relation=Relation.DIFFERS, why="", fix="", **values,
    )  # fmt: skip


def explained(changes):
    return {c.key: c.explained_by for c in fold_alike(changes) if c.explained_by}


def mirrored(changes):
    kinds = {ADDED: REMOVED, REMOVED: ADDED}
    return [replace(c, left=c.right, right=c.left, kind=kinds.get(c.kind, c.kind)) for c in changes]


UMASK = [
    change("/app", left="0755", right="0750"),
    *(change(f"/app/lib/m{n}.py") for n in range(6)),
]


def test_a_umask_is_one_change():
    assert explained(UMASK) == {f"/app/lib/m{n}.py": "file /app" for n in range(6)}
    assert explained(mirrored(UMASK)) == explained(UMASK)


def test_few_changes_and_other_places_are_not_folded():
    assert explained(UMASK[:3]) == {}
    assert explained([change(f"/srv/{n}/x") for n in range(6)]) == {}
    assert explained([change(f"/etc/{n}/x") for n in range(6)]) == {}


def test_siblings_without_a_common_directory_are_led_by_the_first():
    found = explained([change(f"/srv/app/{name}") for name in "dacb"])
    assert found == dict.fromkeys(["/srv/app/b", "/srv/app/c", "/srv/app/d"], "file /srv/app/a")


def test_a_more_severe_change_stays_visible():
    severe = change("/app/lib/x", severity=Severity.HIGH)
    assert "/app/lib/x" not in explained([*UMASK, severe])


def test_bits_with_a_meaning_of_their_own_stay_visible():
    special = [change(f"/app/{n}", left="0755", right="4755") for n in range(6)]
    assert explained(special) == {}


def test_owner_is_folded_by_both_values():
    changes = [change(f"/data/x/{n}", "owner", "0:0", "33:33") for n in range(5)]
    assert len(explained(changes)) == 4
    changes[2] = change("/data/x/2", "owner", "0:0", "34:34")
    assert "/data/x/2" not in explained(changes)


LINKS = [
    change(f"/etc/policies/{n}.config", "target", f"/usr/LEGACY/{n}.txt", f"/usr/DEFAULT/{n}.txt")
    for n in range(12)
]


@pytest.mark.parametrize("turn", [lambda changes: changes, mirrored])
def test_links_follow_the_file_that_names_what_was_replaced(turn):
    config = [
        change("/etc/policies/state/current", "sha256", "a" * 64, "b" * 64),
        change("/etc/policies/state/current", "content:line 1", "LEGACY", "DEFAULT"),
        change("/etc/policies/config", "sha256", "a" * 64, "b" * 64),
        change("/etc/policies/config", "content:line 1", "LEGACY", "DEFAULT"),
    ]
    config = [
        replace(c, explained_by=f"file {c.key}") if ":" in c.field else c for c in turn(config)
    ]
    found = explained([*turn(LINKS), *config])
    assert {found[c.key] for c in LINKS} == {"file /etc/policies/config"}


def test_links_without_such_a_file_are_led_by_the_first():
    assert set(explained(LINKS).values()) == {"file /etc/policies/0.config"}


def test_alternatives_of_one_program_fold():
    changes = [
        change(name, "value", f"/usr/lib/jvm/11/bin/{name}", f"/usr/lib/jvm/11-zulu/bin/{name}",
               section="alternative")
        for name in ("jar", "java", "javac", "jshell")
    ]  # fmt: skip
    assert len(explained(changes)) == 0, "two characters are no name"
    changes = [replace(c, left=c.left.replace("/11/", "/temurin-11/")) for c in changes]
    assert explained(changes) == dict.fromkeys(["java", "javac", "jshell"], "alternative jar")


def test_a_digest_of_software_folds_into_the_file_that_says_more():
    digest = change("/opt/x", "sha256", "a" * 64, "b" * 64, section="software")
    file = change("/opt/x/lib/a.pc", "sha256", "a" * 64, "b" * 64)
    assert explained([digest, file]) == {"/opt/x": "file /opt/x/lib/a.pc"}
    version = change("/opt/x", "version", "1", "2", section="software")
    assert explained([version, digest, file])["/opt/x/lib/a.pc"] == "software /opt/x"


def test_a_record_and_its_file_are_one_change():
    job = change("/etc/cron.d/x /bin/y", "", None, "x", section="cron", kind=ADDED)
    file = change("/etc/cron.d/x", "", None, "file 0644 0:0", kind=ADDED)
    assert explained([job, file]) == {"/etc/cron.d/x": "cron /etc/cron.d/x /bin/y"}
    assert explained([job, replace(file, kind=REMOVED, left="x", right=None)]) == {}


def test_a_unit_and_the_service_that_it_is_are_one_change():
    unit = change("/etc/systemd/system/x.service", "", None, "file 0644 0:0", kind=ADDED)
    service = change("x.service", "", None, "unit", section="service", kind=ADDED)
    for pair in ([service, unit], mirrored([service, unit])):
        assert explained(pair) == {"x.service": "file /etc/systemd/system/x.service"}
    assert explained([replace(service, severity=Severity.HIGH), unit]) == {}


def test_an_account_has_its_group_and_numbers_with_it():
    changes = [
        change("bob", "", None, "uid 1", section=section, kind=ADDED)
        for section in ("user", "group", "subid")
    ]
    found = [(c.section, c.explained_by) for c in fold_alike(changes)]
    assert found == [("user", ""), ("group", "user bob"), ("subid", "user bob")]


def test_covered_changes_neither_lead_nor_follow():
    covered = [replace(UMASK[0], status=ChangeStatus.WAIVED), *UMASK[1:]]
    assert "/app" not in explained(covered)
    assert set(explained(covered).values()) == {"file /app/lib/m0.py"}


def test_unfolding_restores_what_was_folded_and_no_more():
    consequence = change("/usr/x", "sha256", "a", "b", rule="EXPLAINED", explained_by="deb x")
    changes = (*UMASK, consequence)
    assert tuple(unfold(fold_alike(changes))) == changes


def test_a_program_that_is_gone_is_one_change_for_all_accounts_that_name_it():
    several = [
        change(name, "shell-missing", None, "true", section="user", kind=ADDED)
        for name in ("bin", "games", "mail", "news")
    ]
    assert explained(several) == dict.fromkeys(("games", "mail", "news"), "user bin")
    assert explained(mirrored(several)) == explained(several)
    assert explained(several[:3]) == {}
