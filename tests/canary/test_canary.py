"""No planted secret is in anything that envlock writes, in any form."""

from __future__ import annotations

from pathlib import Path

from tests.canary.journey import Journey, search
from tests.canary.needles import Needles


def test_no_planted_secret_is_in_any_output(tmp_path: Path) -> None:
    journey = Journey(tmp_path)
    journey.go()
    found = search(journey)
    assert sum(found.planted.values()) >= 400
    assert len(found.planted) >= 10
    assert {output: leaked for output, leaked in found.leaked.items() if leaked} == {}


def test_every_form_of_a_secret_is_found() -> None:
    """A search that finds nothing proves nothing unless it finds what is there."""
    import base64
    import hashlib

    secret = "Hu9aZq7vK2x0001q"
    needles = Needles([secret], [b"PASSWORD=x"])
    forms = [secret.encode(), secret.encode().hex().encode(), secret.encode("utf-16-le")]
    forms += [base64.b64encode(b"=" * count + secret.encode() + b";") for count in range(3)]
    for algorithm in (hashlib.sha256, hashlib.md5, hashlib.sha1):
        forms.append(algorithm(secret.encode()).hexdigest().encode())
        forms.append(algorithm(b"PASSWORD=x").hexdigest().encode())
    for form in forms:
        assert needles.found_in(b"<" + form + b">"), form
    assert not needles.found_in(b"Hu9aZq7vK2")
