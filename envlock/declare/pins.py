"""What must keep its version in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Pins(NamedTuple):
    """Debian packages and Python packages, name to version."""

    debian: Mapping[str, str]
    python: Mapping[str, str]

    @property
    def preferences(self) -> str:
        """The pins as apt_preferences(5)."""
        return "".join(
            f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n\n"
            for name, version in sorted(self.debian.items())
        )

    @property
    def constraints(self) -> str:
        """The pins as a file of constraints of pip."""
        return "".join(f"{name}=={version}\n" for name, version in sorted(self.python.items()))


NO_PINS = Pins({}, {})
