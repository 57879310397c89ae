"""What a capture writes beside the lock passes the search for secrets, or is not written."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from envlock.cli.carrying import keep_beside
from envlock.cli.console import Console
from envlock.config.load import Config, load
from envlock.errors import SecretRefusedError
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store.objects import Store

TOKEN = "ghp_" + "a1B2c3D4" * 4 + "e5F6"


CUT = gzip.compress(b"a = 1\n" * 10_000, mtime=0)[:60]
RESEMBLING = json.dumps({"capabilities": 1, "process": 2, "token": TOKEN})
"""What looks like a recording of envlock and is none."""


def zip_of(name: str, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, content)
    return held.getvalue()


class Kept(NamedTuple):
    """A lock with one file that is kept by value, and where it would be written."""

    lock: Lock
    path: Path
    config: Config


def kept(content: bytes, folder: Path, *paths: str) -> Kept:
    """Return a lock as a capture would leave it that overlooked what is in `content`.

    It is at /srv/notes, or at the paths `paths`; the data in /srv/data was asked for.
    """
    config = load(folder, {"HOME": str(folder)}, {})
    config = replace(config, locks=replace(config.locks, carry="git", carry_limit=1 << 20))
    with Store.open(config.store.path) as store:
        sha256 = store.put(content)
        entry = Entry("/srv/notes", EntryType.FILE, 0o644, size=len(content), sha256=sha256)
        entries = [entry._replace(path=path) for path in paths or (entry.path,)]
        rows = [Row(each, FileClass.UNOWNED, source=f"blob {sha256}") for each in entries]
        tree = store.put_packed(Tree.of(rows).to_bytes())
        store.commit()
    data = Record("state", "/srv/data", {"engine": "redis", "kept": "true"})
    lock = Lock.of([data, Record("tree", "", {"object": f"sha256:{tree}"})])
    return Kept(lock, folder / "locks/x.lock", config)


@pytest.mark.parametrize("content", [b"x\n", zip_of("inner.gz", CUT)], ids=["text", "archive"])
def test_what_has_no_secret_is_written_beside_the_lock(content: bytes, tmp_path: Path) -> None:
    """Also where an archive inside an archive is damaged."""
    lock, path, config = kept(content, tmp_path)
    keep_beside(path, lock, config, Console(quiet=True, verbose=False))
    assert len(list(path.parent.glob("objects/*"))) == 2


@pytest.mark.plants_secrets("in a store, as a capture that overlooked one would leave it")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"x {TOKEN}\n".encode(), "/srv/notes: line 1 (github-token)"),
        (RESEMBLING.encode(), "/srv/notes: token (github-token)"),
        (CUT, "what cannot be searched for secrets does not travel: /srv/notes: "),
        (zip_of("x", TOKEN.encode())[:-9], "does not travel: /srv/notes: a zip archive"),
    ],
    ids=["a text", "no recording", "a cut file", "a cut archive"],
)
def test_a_secret_or_what_may_hold_one_is_not_written_beside_the_lock(
    content: bytes, told: str, tmp_path: Path
) -> None:
    """A capture finds it by the same rules; this is the store of a capture that did not."""
    lock, path, config = kept(content, tmp_path)
    with pytest.raises(SecretRefusedError) as caught:
        keep_beside(path, lock, config, Console(quiet=True, verbose=False))
    assert told in str(caught.value)
    assert caught.value.hint
    assert TOKEN not in str(caught.value)
    assert not path.parent.exists()


@pytest.mark.plants_secrets("in data of a service, which is kept whole, and beside it")
def test_data_that_is_kept_whole_is_not_searched_and_what_lies_beside_it_is(tmp_path: Path) -> None:
    content = f"x {TOKEN}\n".encode()
    console = Console(quiet=True, verbose=False)
    lock, path, config = kept(content, tmp_path, "/srv/data/notes", "/srv/data")
    keep_beside(path, lock, config, console)
    assert len(list(path.parent.glob("objects/*"))) == 2

    lock, path, config = kept(content, tmp_path / "b", "/srv/data/notes", "/srv/database")
    with pytest.raises(SecretRefusedError, match="/srv/database: line 1"):
        keep_beside(path, lock, config, console)
