"""Names and numbers of accounts, from passwd(5) and group(5)."""

from __future__ import annotations


def parse_numbers(text: str) -> dict[str, str]:
    """Return name -> number of the accounts in a file; of duplicate names the first counts.

    root has number 0 even if it is not in the file.
    """
    numbers: dict[str, str] = {}
    for line in text.split("\n"):
        fields = line.split(":", 3)
        if len(fields) == 4 and fields[0] and fields[2].isdecimal():
            numbers.setdefault(fields[0], fields[2])
    numbers.setdefault("root", "0")
    return numbers
