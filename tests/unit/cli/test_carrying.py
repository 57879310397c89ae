"""What a capture writes beside the lock passes the search for secrets, or is not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envlock.cli.carrying import keep_beside
from envlock.cli.console import Console
from envlock.config.load import load
from envlock.errors import SecretRefusedError
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store.objects import Store

TOKEN = "ghp_" + "a1B2c3D4" * 4 + "e5F6"


@pytest.mark.plants_secrets("in a store, as a capture that overlooked one would leave it")
@pytest.mark.parametrize("content", [f"x {TOKEN}\n", "x\n"])
def test_a_secret_is_not_written_beside_the_lock(content: str, tmp_path: Path) -> None:
    """A capture finds it by the same rules; this is the store of a capture that did not."""
    config = load(tmp_path, {"HOME": str(tmp_path)}, {})
    config = replace(config, locks=replace(config.locks, carry="git", carry_limit=1 << 20))
    with Store.open(config.store.path) as store:
        sha256 = store.put(content.encode())
        entry = Entry("/srv/notes", EntryType.FILE, 0o644, size=len(content), sha256=sha256)
        row = Row(entry, FileClass.UNOWNED, source=f"blob {sha256}")
        tree = store.put_packed(Tree((row,)).to_bytes())
        store.commit()
    lock = Lock.of([Record("tree", "", {"object": f"sha256:{tree}"})])
    path, console = tmp_path / "locks/x.lock", Console(quiet=True, verbose=False)
    if TOKEN not in content:
        keep_beside(path, lock, config, console)
        assert len(list(path.parent.glob("objects/*"))) == 2
        return
    with pytest.raises(SecretRefusedError) as caught:
        keep_beside(path, lock, config, console)
    assert "/srv/notes: line 1 (github-token)" in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert not path.parent.exists()
