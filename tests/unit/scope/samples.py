"""Two machines with one application: a laptop with much else, and a slim production image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass, Role, Root, RootKind, scope_records
from envlock.model.text import sort_key

DISTRIBUTIONS = {"cryptography": "46.0.1", "flask": "3.1.0", "requests": "2.32.3"}


def role(name: str, folder: str, *, more: Iterable[Member] = (), kind: str = "python") -> Role:
    """Return the application ``app``: the environment `name` in `folder`, and a library."""
    of = f"python:{name}"
    members = [
        Member("python", name, MemberClass.DECLARED, "app"),
        *(Member("python", f"{name}/{d}", MemberClass.DECLARED, of) for d in DISTRIBUTIONS),
        Member(
            "deb",
            "libssl3:amd64",
            MemberClass.LINKED,
            f"{of}/cryptography → _rust.abi3.so → libssl.so.3",
        ),
        Member("deb", "zlib1g:amd64", MemberClass.DEPENDS, "deb:libssl3:amd64"),
        Member("env", "LD_LIBRARY_PATH", MemberClass.ALWAYS),
        Member("env", "PATH", MemberClass.ALWAYS),
        Member("host.kernel", "", MemberClass.ALWAYS),
        Member("os", "", MemberClass.ALWAYS),
        *more,
    ]
    root = Root(RootKind(kind), folder if kind != "process" else "")
    ordered = sorted(members, key=lambda member: sort_key(member.name))
    return Role("app", root, tuple(ordered), assumed=kind == "process")


def machine(
    name: str,
    folder: str,
    of: Role | None,
    *,
    versions: Mapping[str, str] = {},
    ssl: str = "3.0.16-1~deb12u1",
    more: Iterable[Record] = (),
    without: Iterable[tuple[str, str]] = (),
) -> Lock:
    """Return a machine with the environment `name` in `folder`; `of` is its scope, if any."""
    records = [
        Record("os", "", {"id": "debian", "version": "12", "arch": "amd64"}),
        Record("host.kernel", "", {"release": "6.1.0-31" if of else "6.8.0"}),
        Record("env", "PATH", {"value": f"{folder}/bin:/usr/bin"}),
        Record("env", "LD_LIBRARY_PATH", {"value": f"{folder}/lib"}),
        Record("deb", "libssl3:amd64", {"version": ssl, "mark": "manual" if of else "auto"}),
        Record("deb", "zlib1g:amd64", {"version": "1:1.2.13"}),
        Record("python", name, {"version": "3.11.2", "path": folder}),
        *(
            Record("python", f"{name}/{d}", {"version": versions.get(d, v)})
            for d, v in DISTRIBUTIONS.items()
        ),
        *more,
        *(scope_records([of]) if of else ()),
    ]
    gone = frozenset(without)
    coverage = {
        "deb": {"status": "ok"},
        "python": {"status": "ok"},
        "env": {"status": "ok"},
        "scope": {"status": "ok"},
    }
    return Lock.of((r for r in records if (r.section, r.key) not in gone), coverage)


def laptop(**rest: object) -> Lock:
    """Return the laptop: the environment is named after its folder, and vim is installed."""
    more = (Record("deb", "vim:amd64", {"version": "9.0"}), *rest.pop("more", ()))  # type: ignore[misc]
    return machine("shop", "/home/me/shop/.venv", role("shop", ".venv"), more=more, **rest)  # type: ignore[arg-type]


def image(**rest: object) -> Lock:
    """Return the image, which runs the application."""
    return machine("opt-app", "/opt/app", role("opt-app", "", kind="process"), **rest)  # type: ignore[arg-type]
