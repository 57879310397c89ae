"""Lockfiles made up to be compared."""

from __future__ import annotations


def synthetic_lock(changed: int, each: int = 5000) -> str:
    """Return a canonical lock of `each` packages and as many files.

    The first `changed` packages are newer.
    """
    header = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file."
    out = [f'{header}\nlock-version = "1.0"\n']
    out += (
        f'\n[deb."package{number:05d}:amd64"]\n'
        f'version = "1.{2 if number < changed else 1}.{number}-1"\n'
        f'mark = "auto"\nsource = "source{number // 3:05d}"\n'
        for number in range(each)
    )
    out += (
        f'\n[file."/etc/app/{number:05d}.conf"]\n'
        f'class = "unowned"\nmode = "0644"\nowner = "0:0"\nsha256 = "{number:064x}"\n'
        for number in range(each)
    )
    return "".join(out)


def fleet_lock(number: int) -> str:
    """Return the lock of one host of a fleet: every other one differs in up to 40 packages."""
    tables = synthetic_lock(0).split("\n[")
    tables = tables[:2501] + tables[5001:7501]
    for step in range(number % 40 if number % 2 else 0):
        place = 1 + (number * 131 + step * 61) % 2500
        tables[place] = tables[place].replace('version = "1.', 'version = "2.')
    if number % 10 == 3:
        del tables[2501 + number]
    return "\n[".join(tables)
