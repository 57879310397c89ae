"""Applications on the command line: compare, digest and explain them."""

from __future__ import annotations

import json

import pytest

from envlock.cli.main import run as main
from tests.cli.locks import write
from tests.unit.scope.samples import image, laptop, machine

CHAIN = "app (python:.venv) → shop 3.11.2 → cryptography 46.0.1 → _rust.abi3.so"


def test_the_first_lines_say_what_was_compared_and_the_rest_is_one_line(here, capsys) -> None:
    write(here, dev=laptop(), prod=image(ssl="3.0.11-1~deb12u2"))
    assert main(["diff", "dev", "prod"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "DRIFT  dev → prod"
    assert out[1] == (
        "app: python:.venv on dev, process on prod; "
        "paired by likeness: 3 of 3 Python packages; another closure"
    )
    assert "outside of app: 1 difference (--whole shows them)" in out
    assert not any("vim" in line for line in out)
    assert len(out) < 45


def test_lockfiles_are_named_without_their_directory_where_that_tells_them(here, capsys) -> None:
    write(here, dev=laptop(), prod=image(ssl="3.0.11-1~deb12u2"))
    main(["diff", "locks/dev.lock", "locks/prod.lock"])
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "DRIFT  locks/dev.lock → locks/prod.lock"
    assert out[1].startswith("app: python:.venv on dev, process on prod; ")
    (here / "old").mkdir()
    (here / "locks/dev.lock").rename(here / "old/prod.lock")
    main(["diff", "old/prod.lock", "locks/prod.lock"])
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("app: python:.venv on old/prod.lock, process on locks/prod.lock; ")


def test_only_what_is_in_scope_decides_the_status(here, capsys) -> None:
    write(here, dev=laptop(), prod=image())
    assert main(["diff", "dev", "prod"]) == 0
    assert main(["diff", "--whole", "dev", "prod"]) == 1
    assert "vim" in capsys.readouterr().out


def test_every_change_has_its_roles_in_the_document(here, capsys) -> None:
    write(here, dev=laptop(), prod=image(versions={"flask": "3.0.0"}))
    main(["diff", "dev", "prod", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["scope"]["app"] == {
        "left": "python:.venv",
        "right": "process",
        "paired_by": "similarity",
        "score": 1.0,
        "basis": "3 of 3 Python packages",
        "projected": "",
        "parity": False,
    }
    scopes = {f"{c['section']} {c['key']}": c["scope"] for c in document["changes"]}
    assert scopes == {"deb vim:amd64": [], "python app/flask": ["app"]}
    assert document["outside"]["medium"] == 1


def test_a_lock_that_names_no_application_is_compared_by_the_other(here, capsys) -> None:
    write(here, dev=laptop(), prod=machine("opt-app", "/opt/app", None))
    main(["diff", "dev", "prod"])
    out = capsys.readouterr().out
    assert "prod was compared by what dev needs" in out
    assert 'to declare it in envlock.toml: [environments.prod.roots] app = "python:/opt/app"' in out


def test_locks_without_applications_say_why_everything_is_compared(here, capsys) -> None:
    bare = machine("x", "/x", None)
    write(here, dev=bare, prod=machine("x", "/x", None, ssl="3.1-1"))
    main(["diff", "dev", "prod"])
    assert "neither dev nor prod names an application" in capsys.readouterr().out


def test_a_waiver_holds_for_what_is_in_scope(here, capsys) -> None:
    write(here, dev=laptop(), prod=image(versions={"flask": "3.0.0"}))
    main(["diff", "dev", "prod", "--json"])
    (found,) = [c for c in json.loads(capsys.readouterr().out)["changes"] if c["scope"]]
    (here / "envlock.toml").write_text("")
    arguments = ["waive", found["id"], "dev", "prod", "--reason", "r", "--expires", "2999-01-01"]
    assert main(arguments) == 0
    assert main(["diff", "dev", "prod"]) == 0


def test_a_baseline_holds_what_is_in_scope_alone(here, capsys) -> None:
    write(here, dev=laptop(), prod=image(versions={"flask": "3.0.0"}))
    arguments = ["diff", "dev", "prod", "--baseline", "accepted.toml"]
    main([*arguments, "--write-baseline"])
    assert main(arguments) == 0
    text = (here / "accepted.toml").read_text()
    assert "python app/flask version" in text
    assert "vim" not in text


def test_digest_prints_a_line_for_each_role(here, capsys) -> None:
    write(here, dev=laptop(), prod=image())
    lines = []
    for name in ("dev", "prod"):
        main(["digest", name])
        lines.append(capsys.readouterr().out.splitlines())
    assert [line[-1].split()[0] for line in lines] == ["app", "app"]
    assert lines[0][-1] == lines[1][-1]
    assert lines[0][0] != lines[1][0]
    main(["digest", "dev", "--json"])
    assert list(json.loads(capsys.readouterr().out)["roles"]) == ["app"]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (
            "deb libssl3",
            f"{CHAIN} → libssl.so.3 → libssl3 3.0.16-1~deb12u1",
        ),
        ("python flask", "app (python:.venv) → shop 3.11.2 → flask 3.1.0"),
        ("deb vim", "deb vim:amd64: no application needs it (known are app)"),
        ("env PATH", "app (python:.venv) → PATH (always)"),
    ],
)
def test_explain_prints_the_chain(here, capsys, record, told) -> None:
    write(here, dev=laptop())
    assert main(["explain", record, "dev"]) == 0
    assert capsys.readouterr().out.strip() == told


def test_explain_of_a_record_that_is_not_there_says_how_to_find_it(here, capsys) -> None:
    write(here, dev=laptop())
    assert main(["explain", "deb nope", "dev"]) == 2
    err = capsys.readouterr().err
    assert "dev has no record deb nope" in err
    assert main(["explain", "deb vim"]) == 2
