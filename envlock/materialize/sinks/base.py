"""The seam of sinks: the destinations of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from envlock.materialize.image.description import Built


class Sink(Protocol):
    """One destination of an image."""

    @property
    def directory(self) -> Path | None:
        """Return the directory that the layout must be built in, None when any will do."""

    def deliver(self, layout: Path, built: Built) -> str:
        """Bring the image to its destination; return a message for the user, or nothing.

        `layout` is the directory of its complete OCI layout, `built` are its digests.  Raise
        MaterializeError when the destination refuses the image, StoreError when it cannot be
        written, TargetError when it does not answer.
        """
