"""Print the slowest regular expressions: ``python -m tests.unit.slowest_pattern``.

Each of the package is tried on the texts of `tests/unit/test_linear.py`, which are made of its own
pieces, all of the same length.
"""

from __future__ import annotations

import sys

from tests.unit.patterns import AnyPattern, all_patterns, is_bound_to_the_start
from tests.unit.test_linear import BOUND, LONG, run, texts

SHOWN = 5
TRIES = 3
"""The fastest of so many tries counts: the machine has other work."""


def slowest_text(name: str, pattern: AnyPattern) -> tuple[float, str]:
    """Return the time in seconds of the text that takes longest, and what it repeats."""
    is_bound = name in BOUND or is_bound_to_the_start(name)
    times = []
    for unit in texts(pattern):
        text = unit * (LONG // len(unit)) + "\x01"
        times.append((min(run(pattern, text, is_bound=is_bound) for _ in range(TRIES)), unit))
    return max(times)


def main() -> int:
    """Print how many patterns were tried, and the slowest of them."""
    patterns = all_patterns()
    times = [(*slowest_text(name, pattern), name) for name, pattern in patterns.items()]
    sys.stdout.write(f"{len(patterns)} patterns, each on texts of {LONG:,} characters\n")
    for seconds, unit, name in sorted(times, reverse=True)[:SHOWN]:
        sys.stdout.write(f"{seconds * 1000:.1f} ms: {name} on {unit[:40]!r} repeated\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
