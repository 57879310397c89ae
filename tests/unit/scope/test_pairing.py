"""Two locks with applications: which are paired, what they are called, and what is refused."""

from __future__ import annotations

import pytest

from envlock.model.lock import Lock
from envlock.model.parity import parity_digest
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass, Role, Root, RootKind, roles_of, scope_records
from envlock.model.scoping import PairedBy, RolePair
from envlock.scope.pairing import pair, partner_roots
from tests.unit.scope.samples import DISTRIBUTIONS, image, laptop, machine, role


def digest(lock: Lock) -> str:
    return parity_digest(lock, roles_of(lock)["app"])


def other_environment(name: str, names: tuple[str, ...]) -> list[Record]:
    facts = {"version": "3.12.1", "path": f"/srv/{name}"}
    return [
        Record("python", name, facts),
        *(Record("python", f"{name}/{d}", {"version": DISTRIBUTIONS.get(d, "1")}) for d in names),
    ]


def test_environments_in_other_directories_are_named_alike() -> None:
    paired = pair(laptop(), image(), "dev", "prod")
    assert set(paired.left.sections["python"]) == {"app", *(f"app/{d}" for d in DISTRIBUTIONS)}
    assert paired.left.sections["python"].keys() == paired.right.sections["python"].keys()
    assert [
        lock.get("env", "LD_LIBRARY_PATH")["value"] for lock in (paired.left, paired.right)
    ] == [
        "/{app}/lib",
        "/{app}/lib",
    ]


def test_what_both_sides_call_the_same_keeps_its_key() -> None:
    right = machine("shop", "/home/me/shop/.venv", role("shop", ".venv"))
    paired = pair(laptop(), right, "dev", "prod")
    assert "shop/flask" in paired.left.sections["python"]
    assert paired.scoping is not None
    assert paired.scoping.of("python", "shop/flask") == ("app",)


def test_a_name_that_is_taken_gets_a_mark() -> None:
    paired = pair(laptop(more=other_environment("app", ("pip",))), image(), "dev", "prod")
    assert {"@app", "@app/flask", "app", "app/pip"} <= set(paired.left.sections["python"])
    assert "@app/flask" in paired.right.sections["python"]


def test_an_environment_that_has_the_name_of_its_role_keeps_it() -> None:
    right = machine("app", "/opt/app", role("app", "/opt/app"))
    paired = pair(laptop(), right, "dev", "prod")
    assert "app/flask" in paired.left.sections["python"]
    assert "app/flask" in paired.right.sections["python"]


def test_declared_roles_and_roles_that_were_assumed() -> None:
    declared = machine("opt-app", "/opt/app", role("opt-app", "/opt/app"))
    for right, by in ((declared, PairedBy.DECLARED), (image(), PairedBy.SIMILARITY)):
        scoping = pair(laptop(), right, "dev", "prod").scoping
        assert scoping is not None
        (only,) = scoping.pairs
        assert (only.paired_by, only.score, only.basis) == (by, 1.0, "3 of 3 Python packages")
        assert only.is_equal


def test_a_side_without_roots_is_searched_and_compared_by_what_the_other_needs() -> None:
    bare = machine("opt-app", "/opt/app", None, more=other_environment("tools", ("black", "ruff")))
    scoping = pair(laptop(), bare, "dev", "prod").scoping
    assert scoping is not None
    (only,) = scoping.pairs
    assert (only.right, only.projected) == ("python:/opt/app", "right")
    assert only.declare == ("[environments.prod.roots]", 'app = "python:/opt/app"')
    assert scoping.of("deb", "libssl3:amd64") == ("app",)
    assert scoping.of("deb", "vim:amd64") == scoping.of("python", "tools/black") == ()


def test_two_that_are_as_like_are_refused_by_name() -> None:
    names = tuple(DISTRIBUTIONS)
    bare = machine("one", "/srv/one", None, more=other_environment("two", names))
    paired = pair(laptop(), bare, "dev", "prod")
    assert paired.scoping is None
    (note,) = paired.notes
    assert note == (
        "app of dev is not compared with prod: several are about equally like it: "
        "one (100%), two (100%); --root app=… names its root there"
    )


def test_what_has_too_little_in_common_is_refused() -> None:
    bare = machine("x", "/x", None, without=[("python", f"x/{d}") for d in ("flask", "requests")])
    (note,) = pair(laptop(), bare, "dev", "prod").notes
    assert "the nearest, x (33%), has too little in common" in note


def test_locks_without_scope_say_why_everything_is_compared() -> None:
    bare = machine("x", "/x", None)
    paired = pair(bare, bare, "dev", "prod")
    assert paired.scoping is None
    assert paired.left is bare
    assert "neither dev nor prod names an application" in paired.notes[0]


@pytest.mark.parametrize(
    ("record", "root"),
    [
        (Record("software", "/opt/bin/report", {"kind": "program"}), "exe:/opt/bin/report"),
        (Record("rpm", "report.x86_64", {"version": "1"}), "package:report"),
    ],
)
def test_a_program_is_found_by_its_name(record: Record, root: str) -> None:
    member = Member("software", "/usr/local/bin/report", MemberClass.DECLARED, "app")
    application = role("shop", ".venv")._replace(
        root=Root(RootKind.EXE, "report"), members=(member,)
    )
    known = Lock.of(
        [Record("software", "/usr/local/bin/report", {"kind": "x"}), *scope_records([application])]
    )
    assert {n: str(r) for n, r in partner_roots(known, Lock.of([record])).items()} == {"app": root}


def test_a_service_is_found_by_its_unit() -> None:
    member = Member("service", "nginx.service", MemberClass.DECLARED, "app")
    application = role("shop", ".venv")._replace(
        root=Root(RootKind.SERVICE, "nginx"), members=(member,)
    )
    known = Lock.of(
        [Record("service", "nginx.service", {"user": "x"}), *scope_records([application])]
    )
    other = Lock.of([Record("service", "nginx.service", {"user": "y"})])
    assert str(partner_roots(known, other)["app"]) == "service:nginx"


def test_the_parity_digest_is_the_same_in_another_directory_and_changes_with_a_version() -> None:
    assert digest(laptop()) == digest(image())
    assert digest(laptop()) != digest(image(versions={"flask": "3.0.0"}))
    assert digest(laptop()) != digest(image(ssl="3.0.15-1"))


def test_what_nobody_needs_is_not_in_the_parity_digest() -> None:
    more = [Record("deb", "emacs:amd64", {"version": "1"}), *other_environment("x", ("pip",))]
    assert digest(laptop(more=more)) == digest(laptop())


def test_what_only_one_application_needs_is_told_although_both_have_it() -> None:
    extra = Member("deb", "vim:amd64", MemberClass.LINKED, "app → libvim.so")
    left = machine(
        "shop",
        "/home/me/shop/.venv",
        role("shop", ".venv", more=[extra]),
        more=[Record("deb", "vim:amd64", {"version": "9.0"})],
    )
    right = image(more=[Record("deb", "vim:amd64", {"version": "9.0"})])
    scoping = pair(left, right, "dev", "prod").scoping
    assert scoping is not None
    assert scoping.pairs[0].only_left == ("deb:vim:amd64",)
    assert not scoping.pairs[0].is_equal


def test_a_library_in_an_environment_is_named_by_its_role() -> None:
    def library(name: str) -> list[Record]:
        owner = {"packaged-by": f"python {name}/cryptography"}
        return [Record("cuda", f"cudart:{name}", {"version": "12.4.127", **owner})]

    left, right = laptop(more=library("shop")), image(more=library("opt-app"))
    paired = pair(left, right, "dev", "prod")
    assert set(paired.left.sections["cuda"]) == set(paired.right.sections["cuda"]) == {"cudart:app"}
    assert digest(left) == digest(right)


def test_only_locales_that_somebody_names_count() -> None:
    def locales(available: str) -> list[Record]:
        return [Record("locale", "", {"available": available, "lang": "C.UTF-8"})]

    member = [Member("locale", "", MemberClass.ALWAYS)]
    sides = [
        machine(name, folder, role(name, folder, more=member), more=locales(available))
        for name, folder, available in (
            ("shop", "/home/me/shop/.venv", "C.utf8 de_DE.utf8"),
            ("opt-app", "/opt/app", "C.utf8"),
            ("opt-app", "/opt/app", "de_DE.utf8"),
        )
    ]
    assert digest(sides[0]) == digest(sides[1]) != digest(sides[2])
    paired = pair(sides[0], sides[1], "dev", "prod")
    assert paired.left.get("locale") == paired.right.get("locale")


def test_java_archives_are_named_by_role_whatever_their_directory() -> None:
    def service(folder: str, rates: str) -> Lock:
        keys = (f"{folder}/ledger", f"{folder}-lib/rates")
        more = [Member("java", key, MemberClass.DECLARED, "app → -jar") for key in keys]
        records = [Record("java", key, {"version": rates}) for key in keys]
        of = role("opt-app", "/opt/app", more=more)
        return machine("opt-app", "/opt/app", of, more=records)

    left, right = service("ledger", "1.2"), service("app", "1.2")
    paired = pair(left, right, "dev", "prod")
    assert paired.left.sections["java"] == paired.right.sections["java"]
    assert set(paired.left.sections["java"]) == {"app/ledger", "app/rates"}
    assert digest(left) == digest(right) != digest(service("app", "1.3"))


def test_java_archives_of_one_name_keep_their_keys() -> None:
    keys = ("a/util", "b/util")
    more = [Member("java", key, MemberClass.DECLARED, "app") for key in keys]
    of = role("opt-app", "/opt/app", more=more)
    lock = machine(
        "opt-app", "/opt/app", of, more=[Record("java", k, {"version": "1"}) for k in keys]
    )
    assert set(pair(lock, image(), "dev", "prod").left.sections["java"]) == set(keys)


def test_an_interpreter_that_many_projects_share_is_no_partner() -> None:
    shared = tuple(f"other-{number}" for number in range(60)) + tuple(DISTRIBUTIONS)
    bare = machine("one", "/srv/one", None, more=other_environment("shared", shared), without=[
        ("python", f"one/{d}") for d in DISTRIBUTIONS
    ])  # fmt: skip
    paired = pair(laptop(), bare, "dev", "prod")
    assert paired.scoping is None
    assert "the nearest, shared (100%), has too little in common" in paired.notes[0]


UNIT = "/etc/systemd/system/web.service"


def served(kind: str, *, wanted_by: str = "multi-user.target", version: str = "1.22") -> Lock:
    """Return a machine whose application is nginx, as a service or as a program."""
    root = Root.parse({"service": "service:web", "exe": "exe:/usr/sbin/nginx"}[kind])
    members = [Member("deb", "nginx:amd64", MemberClass.DECLARED, "web → nginx")]
    if kind == "service":
        members.append(Member("service", "web.service", MemberClass.DECLARED, "web"))
        members.append(Member("file", UNIT, MemberClass.DECLARED, "web", "ab" * 32))
    return Lock.of(
        [
            Record("deb", "nginx:amd64", {"version": version}),
            Record("service", "web.service", {"wanted-by": wanted_by}),
            Record("file", UNIT, {"sha256": "ab" * 32}),
            *scope_records([Role("web", root, tuple(members))]),
        ],
        {"deb": {"status": "ok"}, "service": {"status": "ok"}},
    )


def web_of(left: Lock, right: Lock) -> RolePair:
    scoping = pair(left, right, "dev", "prod").scoping
    assert scoping is not None
    (only,) = scoping.pairs
    return only


def test_a_service_equals_the_program_that_it_starts() -> None:
    dev, prod = served("service"), served("exe", wanted_by="other.target")
    only = web_of(dev, prod)
    assert only.is_equal and not only.only_left and not only.only_right
    scoping = pair(dev, prod, "dev", "prod").scoping
    assert scoping is not None
    assert scoping.of("service", "web.service") == scoping.of("file", UNIT) == ()
    assert not web_of(dev, served("exe", version="1.24")).is_equal


def test_two_services_that_are_started_otherwise_are_not_the_same() -> None:
    dev = served("service")
    assert web_of(dev, served("service")).is_equal
    assert not web_of(dev, served("service", wanted_by="other.target")).is_equal
    scoping = pair(dev, dev, "dev", "prod").scoping
    assert scoping is not None
    assert scoping.of("service", "web.service") == scoping.of("file", UNIT) == ("web",)


def test_what_follows_from_a_missing_library_is_told_there() -> None:
    own = Member("deb", "krb:amd64", MemberClass.LINKED, "deb:pq:amd64 → libpq.so.5 → libkrb.so")
    pq = Member("deb", "pq:amd64", MemberClass.LINKED, "python:shop/flask → libpq.so.5")
    more = [
        Record("deb", "krb:amd64", {"version": "1"}),
        Record("deb", "pq:amd64", {"version": "1"}),
    ]
    left = machine("shop", "/srv/shop", role("shop", "/srv/shop", more=[own, pq]), more=more)
    right = machine("shop", "/srv/shop", role("shop", "/srv/shop"), more=more[:1])
    scoping = pair(left, right, "dev", "prod").scoping
    assert scoping is not None and scoping.pairs[0].only_left == ()
    right = machine("shop", "/srv/shop", role("shop", "/srv/shop"), more=more)
    scoping = pair(left, right, "dev", "prod").scoping
    assert scoping is not None
    assert scoping.pairs[0].only_left == ("deb:krb:amd64", "deb:pq:amd64")
