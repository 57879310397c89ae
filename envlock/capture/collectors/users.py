"""Users and groups of the account files; password hashes are never read."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record


def collect(view: View) -> Iterator[Record]:
    """Yield a record for each user and each group; of a doubled name the first counts."""
    for section, path, names in (
        ("user", "/etc/passwd", ("", "", "uid", "gid", "", "home", "shell")),
        ("group", "/etc/group", ("", "", "gid", "members")),
    ):
        seen: set[str] = set()
        for line in (view.text(path) or "").split("\n"):
            if not line or line[0] in "#+-":  # comments, and what other databases would add
                continue
            fields = line.split(":")
            if len(fields) != len(names) or not fields[0] or fields[0] in seen:
                view.gap(path, "a line that is no account")
                continue
            seen.add(fields[0])
            facts = {n: value for n, value in zip(names, fields, strict=True) if n and value}
            yield Record(section, fields[0], facts)


COLLECTOR = Collector(
    name="user",
    sections=("user", "group"),
    reads=("/etc/passwd", "/etc/group"),
    collect=collect,
    sources=("passwd(5)", "group(5)"),
)
