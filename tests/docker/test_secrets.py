"""Canaries: secrets planted everywhere in a container are nowhere in what envlock writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

pytestmark = pytest.mark.docker

CANARIES = {
    "environment": "canary-env-4711",
    "url": "canary-url-4711",
    "private key": "canary-key-4711",
    "netrc": "canary-netrc-4711",
    "hash": "canaryhash4711xxxxxxxx",
    "setting": "canary-setting-4711",
    "token": "ghp_canarycanarycanarycanarycanary4711xx",
    "command": "canary-cmd-4711",
    "history": "canary-history-4711",
}
PLANT = f"""
printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\\n{CANARIES["private key"]}\\n' > /srv/deploy_key
printf 'machine example.org login a password {CANARIES["netrc"]}\\n' > /root/.netrc
echo 'app:$6$saltsalt${CANARIES["hash"]}:19000:0:99999:7:::' >> /etc/shadow
echo 'db_password = "{CANARIES["setting"]}"' > /etc/app.ini
echo 'url: https://u:{CANARIES["url"]}@example.org/x' > /srv/app.yaml
echo '{{"t": "{CANARIES["token"]}"}}' > /srv/t.json
echo 'curl {CANARIES["history"]}' > /root/.bash_history
echo 'plain = 1' > /etc/plain.ini
"""


def everything_written(folder: Path):
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        yield path, raw
        if raw[:4] == b"\x28\xb5\x2f\xfd":
            with zstandard.ZstdDecompressor().stream_reader(raw) as stream:
                yield path, stream.read()


def test_no_secret_is_ever_written(debian_image, run_container, envlock, tmp_path):
    container = run_container(
        debian_image,
        "-e",
        f"API_TOKEN={CANARIES['environment']}",
        "-e",
        f"PIP_INDEX_URL=https://u:{CANARIES['url']}@example.org/simple",
        command=("sh", "-c", "sleep 600", f"--password={CANARIES['command']}"),
    )
    container.sh(PLANT)
    captured = envlock("capture", f"docker:{container.name}", "--name", "web", "-v")
    shown = envlock("show", "web", "--json")
    built = envlock("materialize", "web", "-o", tmp_path / "layout", "-v")
    report = envlock("diff", "web", f"image:{debian_image}", "--json", status=1)
    said = "".join(ran.out + ran.err for ran in (captured, shown, built, report))
    for kind, canary in CANARIES.items():
        assert canary not in said, kind
    for path, raw in everything_written(tmp_path):
        for kind, canary in CANARIES.items():
            assert canary.encode() not in raw, f"{kind} is in {path}"
    sections = shown.json["sections"]
    assert sections["env"]["API_TOKEN"] == {"secret": "present"}
    assert "sha256" in sections["file"]["/etc/plain.ini"]
    assert "/root/.netrc" in captured.err
    assert "/root/.netrc" not in sections["file"]
    assert sections["file"]["/etc/app.ini"]["redacted"] == "true"
    assert "/etc/app.ini: ***" in built.err
