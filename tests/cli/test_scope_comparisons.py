"""Applications in comparisons of three and more, in pull requests, and in merges of locks."""

from __future__ import annotations

import json

import pytest

from envlock.cli.main import run as main
from envlock.lockfile.reader import parse_lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass
from tests.cli.locks import write
from tests.unit.scope.samples import image, laptop, machine, role

VIM = Record("deb", "vim:amd64", {"version": "9.1"})


def moved(capsys, *arguments: str) -> dict[str, str | None]:
    """Return, by record, which side changed since the base."""
    main(["diff", *arguments, "--json"])
    changes = json.loads(capsys.readouterr().out)["changes"]
    return {f"{c['section']} {c['key']}": c["moved"] for c in changes if c["scope"]}


OLD = {"flask": "3.0.0", "requests": "2.31.0"}
NEW_HERE = {"flask": "3.1.0", "requests": "2.31.0"}
NEW_THERE = {"flask": "3.0.0", "requests": "2.32.0"}


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(laptop(versions=OLD), id="named like the left side"),
        pytest.param(image(versions=OLD), id="named like the right side"),
        pytest.param(
            machine("old", "/opt/old", role("old", "/opt/old"), versions=OLD), id="named otherwise"
        ),
        pytest.param(
            machine("shop", "/home/me/shop/.venv", None, versions=OLD),
            id="without applications, like the left side",
        ),
        pytest.param(
            machine("opt-app", "/opt/app", None, versions=OLD),
            id="without applications, like the right side",
        ),
    ],
)
def test_the_base_says_which_side_of_an_application_changed(here, capsys, base) -> None:
    write(here, base=base, dev=laptop(versions=NEW_HERE), prod=image(versions=NEW_THERE))
    found = moved(capsys, "dev", "prod", "--base", "base")
    assert found == {"python app/flask": "left", "python app/requests": "right"}


def test_a_name_that_is_taken_is_marked_in_the_base_too(here, capsys) -> None:
    taken = Record("python", "app", {"version": "3.12.1", "path": "/srv/app"})
    write(
        here,
        base=laptop(versions=OLD, more=[taken]),
        dev=laptop(versions=NEW_HERE, more=[taken]),
        prod=image(versions=NEW_THERE),
    )
    found = moved(capsys, "dev", "prod", "--base", "base")
    assert found == {"python @app/flask": "left", "python @app/requests": "right"}


def test_a_library_that_only_the_closures_know_is_compared_with_the_base(here, capsys) -> None:
    def with_digest(make, name, digest):
        of = f"python:{name}"
        path = "/usr/lib/libown.so"
        member = Member("file", path, MemberClass.LINKED, f"{of} → libown.so", digest * 32)
        folder = {"shop": ".venv", "opt-app": ""}[name]
        kind = "python" if folder else "process"
        return machine(
            name, {"shop": "/home/me/shop/.venv", "opt-app": "/opt/app"}[name],
            role(name, folder, more=[member], kind=kind),
        )  # fmt: skip

    write(
        here,
        base=with_digest(laptop, "shop", "ab"),
        dev=with_digest(laptop, "shop", "ab"),
        prod=with_digest(image, "opt-app", "cd"),
    )
    assert moved(capsys, "dev", "prod", "--base", "base") == {"file /usr/lib/libown.so": "right"}


def test_the_status_of_three_comes_from_the_application(here, capsys) -> None:
    write(here, base=laptop(), dev=laptop(more=[Record("deb", "nano", {"version": "1"})]))
    write(here, prod=image())
    assert main(["diff", "dev", "prod", "--base", "base"]) == 0
    assert main(["diff", "dev", "prod", "--base", "base", "--whole"]) == 1
    capsys.readouterr()


def test_many_environments_are_judged_by_their_application(here, capsys) -> None:
    write(here, a=laptop(), b=image(), c=image(more=[VIM]))
    assert main(["diff", "a", "b", "c"]) == 0
    assert main(["diff", "--whole", "a", "b", "c"]) == 1
    capsys.readouterr()
    write(here, c=image(versions={"flask": "3.0.0"}))
    assert main(["diff", "a", "b", "c", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (finding,) = [f for f in document["findings"] if f["key"] == "app/flask"]
    assert finding["scope"] == ["app"]
    assert finding["outliers"][0]["environments"] == ["c"]


def test_merged_locks_have_what_an_application_needs_on_either_side(here, capsys) -> None:
    def with_members(*members: Member, records=()):
        more = [Member("deb", "libpq5:amd64", MemberClass.LINKED, members[0].via), *members[1:]]
        every = [Record("deb", "libpq5:amd64", {"version": "15"}), *records]
        return machine(
            "shop", "/home/me/shop/.venv", role("shop", ".venv", more=more), more=every
        )  # fmt: skip

    pq = [
        Member("deb", "libpq5:amd64", MemberClass.LINKED, f"python:shop/{name} → libpq.so.5")
        for name in ("flask", "cryptography", "requests")
    ]
    krb = Member("deb", "krb:amd64", MemberClass.LINKED, "deb:libpq5:amd64 → libpq.so.5 → krb")
    write(
        here,
        base=with_members(pq[0]),
        ours=with_members(pq[2], krb, records=[Record("deb", "krb:amd64", {"version": "1"})]),
        theirs=with_members(pq[1]),
    )
    files = [f"locks/{name}.lock" for name in ("base", "ours", "theirs")]
    assert main(["merge-driver", *files]) == 0
    capsys.readouterr()
    assert main(["check", "ours"]) == 0
    merged = parse_lock((here / files[1]).read_bytes(), where="merged")
    assert merged.get("scope", "app/deb:libpq5:amd64")["via"] == pq[1].via
    assert merged.get("scope", "app/deb:krb:amd64")["via"] == krb.via
    assert main(["diff", "ours", "theirs"]) == 1
    assert "deb krb:amd64" in capsys.readouterr().out
