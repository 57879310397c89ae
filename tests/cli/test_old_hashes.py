"""A root from before shadow(5), with password hashes in passwd and group, is rebuilt without."""

from __future__ import annotations

import hashlib

HASHES = ("$6$saltsalt$abcdefghijklmnopqrstuvwxyz", "abJnggxhB/yWI", "zqKvMxYpLw0Ra")
FILES = {
    "etc/passwd": f"root:{HASHES[0]}:0:0:root:/root:/bin/sh\nold:{HASHES[1]}:5:5::/:/bin/sh\n"
    "bin:x:1:1::/:/sbin/nologin\n",
    "etc/group": f"wheel:{HASHES[2]}:10:root\nbin:x:1:\n",
    "etc/gshadow": f"wheel:{HASHES[2]}::root\n",
    "var/lib/dpkg/arch": "amd64\n",
    "usr/share/doc/x": "x\n",
}


def test_it_is_rebuilt_with_locked_accounts(envlock, tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    image = tmp_path / "image"
    envlock("capture", f"dir:{tmp_path / 'root'}", "--name", "old", "-q")
    rebuilt = envlock("materialize", "old", "--offline", "-o", image)
    assert "/etc/passwd: its password hashes are not in the image; locked: root, old" in rebuilt.err
    assert "/etc/group: its password hashes are not in the image; locked: wheel" in rebuilt.err
    document = envlock("materialize", "old", "--offline", "-o", image, "--json").json
    assert document["locked"] == {"/etc/group": ["wheel"], "/etc/passwd": ["root", "old"]}
    assert "EQUAL" in envlock("verify", "old", f"oci:{image}").out
    held = b"".join(path.read_bytes() for path in image.rglob("*") if path.is_file())
    assert b"root:*:0:0:root:/root:/bin/sh\nold:*:5:5::/:/bin/sh\nbin:x:1:1" in held
    for folder in (image, tmp_path / "xdg_data_home", envlock.folder):
        said = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        for hash_ in HASHES:
            assert hash_.encode() not in said
            assert hash_[-8:].encode() not in said, "nor a part of it"
        for name in ("etc/passwd", "etc/group", "etc/gshadow"):
            assert hashlib.sha256(FILES[name].encode()).hexdigest().encode() not in said
