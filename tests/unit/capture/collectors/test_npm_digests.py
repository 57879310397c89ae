"""The digests of packages that Yarn and pnpm installed come from their lockfiles."""

import json

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.targets.local.filesystem import LocalTarget

DIGEST = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="
PNPM = f"packages:\n\n  '@x/a@1.0.0':\n    resolution: {{integrity: {DIGEST}}}\n"
YARN = f'# yarn lockfile v1\n\n"@x/a@^1.0.0":\n  version "1.0.0"\n  integrity {DIGEST}\n'
LATER = '"@x/a@npm:^1.0.0":\n  version: 1.0.0\n  checksum: 10/abcd\n'


@pytest.mark.parametrize(
    ("path", "text", "version", "integrity"),
    [
        ("node_modules/.pnpm/lock.yaml", PNPM, "1.0.0", DIGEST),
        ("pnpm-lock.yaml", PNPM, "1.0.0", DIGEST),
        ("yarn.lock", YARN, "1.0.0", DIGEST),
        ("yarn.lock", YARN, "1.0.1", None),
        ("yarn.lock", LATER, "1.0.0", None),
        ("yarn.lock", "\0", "1.0.0", None),
    ],
)
def test_a_digest_holds_for_the_version_that_is_installed(tmp_path, path, text, version, integrity):
    package = tmp_path / "srv/app/node_modules/@x/a/package.json"
    package.parent.mkdir(parents=True)
    package.write_text(json.dumps({"name": "@x/a", "version": version}))
    lockfile = tmp_path / "srv/app" / path
    lockfile.parent.mkdir(parents=True, exist_ok=True)
    lockfile.write_text(text)
    target = LocalTarget(tmp_path, "dir:tree", is_host=False)
    lock = capture(target, collectors(), Request(only=frozenset({"npm"}))).lock
    assert lock.get("npm", "app/@x/a").get("integrity") == integrity
