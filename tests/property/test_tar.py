"""Any rows, written as a tar archive, are read back unchanged."""

from __future__ import annotations

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from envlock.materialize.image.tar import emit
from envlock.model.text import from_bytes, sort_key
from envlock.model.tree import Entry, EntryType, FileClass, Row

TYPES = {
    EntryType.FILE: tarfile.REGTYPE,
    EntryType.DIRECTORY: tarfile.DIRTYPE,
    EntryType.SYMLINK: tarfile.SYMTYPE,
    EntryType.HARDLINK: tarfile.LNKTYPE,
    EntryType.CHAR: tarfile.CHRTYPE,
    EntryType.FIFO: tarfile.FIFOTYPE,
}
name = st.binary(min_size=1, max_size=120).map(
    lambda raw: from_bytes(raw.replace(b"/", b"_").replace(b"\0", b"_"))
)
path = st.lists(name, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
xattrs = st.dictionaries(st.sampled_from(["user.a", "security.capability"]), st.binary(max_size=60))


@st.composite
def entries(draw):
    kind = draw(st.sampled_from(sorted(TYPES)))
    linked = kind in (EntryType.SYMLINK, EntryType.HARDLINK)
    number = st.integers(0, 2**32)
    content = draw(st.binary(max_size=1100)) if kind is EntryType.FILE else b""
    entry = Entry(
        draw(path),
        kind,
        draw(st.integers(0, 0o7777)),
        draw(number),
        draw(number),
        draw(st.integers(-(2**40), 2**40)),
        len(content),
        draw(path) if linked else "",
        draw(st.tuples(st.integers(0, 4095), st.integers(0, 2**20))) if kind == "c" else None,
        tuple(sorted(draw(xattrs).items())),
    )
    return entry, content


class Held:
    def __init__(self, contents):
        self.contents = contents

    def chunks(self, row):
        return [self.contents[row.entry.path]]


def read_back(member: tarfile.TarInfo, content: bytes) -> tuple[Entry, bytes]:
    kind = next(kind for kind, flag in TYPES.items() if flag == member.type)
    root = "/" if kind is EntryType.HARDLINK else ""
    found = {
        key.removeprefix("SCHILY.xattr."): value.encode("utf-8", "surrogateescape")
        for key, value in member.pax_headers.items()
        if key.startswith("SCHILY.xattr.")
    }
    entry = Entry(
        f"/{member.name}",
        kind,
        member.mode,
        member.uid,
        member.gid,
        int(member.mtime),
        len(content),
        root + member.linkname if member.linkname else "",
        (member.devmajor, member.devminor) if kind is EntryType.CHAR else None,
        tuple(sorted(found.items())),
    )
    return entry, content


@given(st.lists(entries(), max_size=8, unique_by=lambda pair: pair[0].path))
def test_rows_survive_the_archive(pairs):
    pairs.sort(key=lambda pair: sort_key(pair[0].path))
    rows = [Row(entry, FileClass.UNOWNED) for entry, _ in pairs]
    raw = b"".join(emit(rows, Held({entry.path: content for entry, content in pairs})))
    with tarfile.open(fileobj=io.BytesIO(raw), encoding="utf-8") as tar:
        found = [
            read_back(member, tar.extractfile(member).read() if member.isreg() else b"")
            for member in tar
        ]
    assert found == pairs
