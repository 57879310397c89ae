"""Read the tables of planted secrets and of ordinary files."""

from __future__ import annotations

from pathlib import Path

MARKER = "Zq7vK2"
"""What every planted secret holds, and nothing else does."""

SECRETS = (
    f"Hunter2-{MARKER}",
    MARKER,
    f"s3cr3t{MARKER}",
    f"Pa$$w0rd!{MARKER}",
    f"x{MARKER}Zk3jfu39Gh28sLqQ7w",
)
"""Secrets to plant: weak and strong ones."""


def read_rows(name: str, folder: Path = Path(__file__).parent) -> list[tuple[str, str]]:
    """Return the path and text of every row of a table, in this folder unless told otherwise."""
    rows: list[tuple[str, str]] = []
    for line in (folder / name).read_text().splitlines(keepends=True):
        if line.startswith("== "):
            rows.append((line[3:].strip(), ""))
        elif rows and not line.startswith("## "):
            rows[-1] = (rows[-1][0], rows[-1][1] + line)
    return [(path, text.rstrip("\n") + "\n") for path, text in rows]


MARKS = (
    ("/etc/app/app.ini", "[db]\r\npassword = {S}\r\nuser = app\r\n"),
    ("/etc/app/app.ini", "\ufeffpassword = {S}\n"),
    ("/srv/app/.env", "JWT_SECRET={S}\r\nDEBUG=1\r\n"),
    ("/srv/app/n.env", "A=1\n\0\nDB_PASSWORD={S}\n"),
    ("/etc/app/c.conf", "set PASSWORD={S}\r\n"),
    ("/srv/x/run.bat", "set DB_PASSWORD={S}\r\n"),
)
"""Rows that a text file cannot hold: ends of lines of other systems, marks, a NUL."""

PLANTED = (*read_rows("planted.txt"), *MARKS)
ORDINARY = tuple(read_rows("ordinary.txt"))
