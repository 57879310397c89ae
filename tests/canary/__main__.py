"""Print how many secrets were planted and how many leaked: ``python -m tests.canary``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.canary.journey import Journey, search


def main() -> int:
    """Plant, run every verb, search, and print the counts; end with 1 if anything leaked."""
    with tempfile.TemporaryDirectory() as folder:
        journey = Journey(Path(folder))
        journey.go()
    found = search(journey)
    for place, count in sorted(found.planted.items()):
        sys.stdout.write(f"planted in {place}: {count}\n")
    for output, leaked in found.leaked.items():
        sys.stdout.write(f"{output}: {len(leaked)} leaked{''.join(map(_line, leaked))}\n")
    total = sum(found.planted.values())
    leaks = sum(map(len, found.leaked.values()))
    sys.stdout.write(f"{total} planted, {leaks} leaked in {len(found.leaked)} outputs\n")
    return 1 if leaks else 0


def _line(leak: str) -> str:
    return f"\n    {leak}"


if __name__ == "__main__":
    raise SystemExit(main())
