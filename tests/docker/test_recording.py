"""A recording of a real container gives the lock that the container gives."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.docker


def test_a_recorded_container_is_the_container(run_container, debian_image, envlock):
    box = run_container(debian_image, "-e", "TOKEN=hunter2hunter2", "-e", "LANG=C.UTF-8")
    box.sh("echo 'worker_processes 3;' >> /etc/nginx/nginx.conf; python3 -m venv --without-pip /v")
    envlock("capture", f"docker:{box.name}", "--record", "case.tar.zst", "-o", "live.lock")
    envlock("capture", "recorded:case.tar.zst", "-o", "replayed.lock")
    live, replayed = ((envlock.folder / f"{n}.lock").read_bytes() for n in ("live", "replayed"))
    assert live == replayed
    assert b"conffile-modified" in live
    envlock("diff", "live.lock", f"docker:{box.name}", "--section", "deb", "--exit-zero")
    assert envlock("diff", "live.lock", "recorded:case.tar.zst").out.startswith("EQUAL")
    envlock("capture", "recorded:none.tar", status=4)
