"""Machines that a lock travels between, for tests."""

from __future__ import annotations

from tests.conftest import Cli


def built(envlock: Cli, lock: str) -> str:
    """Rebuild a lock without a network; return the digest of the image."""
    return envlock("materialize", lock, "-o", "image", "-q", "--offline").out.strip()
