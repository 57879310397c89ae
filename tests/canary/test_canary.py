"""No planted secret is in anything that envlock writes, in any form."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.store.objects import Store
from envlock.workflow import capture_target
from tests.canary.journey import Journey, search
from tests.canary.needles import Needles
from tests.canary.plants import Garden
from tests.unit.secrets.samples import ORDINARY, read_rows


@pytest.mark.plants_secrets("in images that are captured; what is made of them it searches itself")
def test_no_planted_secret_is_in_any_output(tmp_path: Path) -> None:
    journey = Journey(tmp_path)
    journey.go()
    found = search(journey)
    assert sum(found.planted.values()) >= 400
    assert len(found.planted) >= 10
    assert {output: leaked for output, leaked in found.leaked.items() if leaked} == {}


def test_ordinary_files_stay_visible(tmp_path: Path) -> None:
    root = tmp_path / "root"
    garden = Garden(root, "a")
    rows = (*ORDINARY, *read_rows("ordinary.txt", Path(__file__).parent))
    for path, text in rows:
        garden.write(path, text.encode())
    assert len(rows) >= 150
    with Store.open(tmp_path / "store") as store:
        request = Request(depth=Depth.FULL)
        taken = capture_target(f"dir:{root}", request, store, lambda *_: None, keep=True)
        hidden = {*taken.left_out, *taken.redacted}
        assert taken.tree is not None
        kept = [row.entry for row in taken.tree.rows if row.source.startswith("blob ")]
        for entry in kept:
            content = (root / entry.path.lstrip("/")).read_bytes()
            assert entry.sha256 == hashlib.sha256(content).hexdigest()
            assert store.read(entry.sha256) == content
    assert len(kept) >= 250
    assert len(hidden) <= 2, hidden


def test_every_form_of_a_secret_is_found() -> None:
    """A search that finds nothing proves nothing unless it finds what is there."""
    secret = "Hu9aZq7vK2x0001q"
    needles = Needles([secret], [b"PASSWORD=x"], "Zq7vK2")
    forms = [secret.encode(), secret.encode().hex().encode(), secret.encode("utf-16-le")]
    forms += [base64.b64encode(b"=" * count + secret.encode() + b";") for count in range(3)]
    for algorithm in (hashlib.sha256, hashlib.md5, hashlib.sha1):
        forms.append(algorithm(secret.encode()).hexdigest().encode())
        forms.append(algorithm(b"PASSWORD=x").hexdigest().encode())
    for form in forms:
        assert needles.found_in(b"<" + form + b">"), form
    assert not needles.found_in(b"Hu9aZq7vK2")
