"""The archive of compiled locales of the GNU C library.

Source: glibc, locale/locarchive.h (`struct locarhead`, `struct namehashent`).
"""

from __future__ import annotations

import struct

_MAGIC = 0xDE020109
_HEADER = struct.Struct("=5I")
_ENTRY = struct.Struct("=3I")
_MOST_ENTRIES = 16384
_LONGEST_NAME = 64


def parse_locale_archive(content: bytes) -> list[str]:
    """Return the sorted names of the locales in an archive, empty when it is malformed.

    Only archives in the byte order of this machine are parsed.
    """
    if len(content) < _HEADER.size:
        return []
    magic, _, offset, _, size = _HEADER.unpack_from(content)
    if magic != _MAGIC or size > _MOST_ENTRIES:
        return []
    found = set()
    for at in range(offset, min(offset + size * _ENTRY.size, len(content) - 11), _ENTRY.size):
        _, name_at, record_at = _ENTRY.unpack_from(content, at)
        if record_at:
            name, end, _ = content[name_at : name_at + _LONGEST_NAME].partition(b"\0")
            if end and name:
                found.add(name.decode("ascii", "replace"))
    return sorted(found)
