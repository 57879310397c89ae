"""Planted drift between two otherwise identical containers, and the noise that is none."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.docker

NOISE = r"""
echo line >> /var/log/nginx/access.log
echo cache > /var/cache/nginx-page
mkdir -p /run/app; echo 4711 > /run/app.pid
echo scratch > /tmp/scratch; echo more > /var/tmp/more
echo 'ls -la' > /root/.bash_history
mkdir -p /var/lib/apt/lists; echo 'Origin: x' > /var/lib/apt/lists/example.org_dists_x_InRelease
python3 -c 'import json, email, http.client' 2>/dev/null
mkdir -p /usr/lib/python3/dist-packages/__pycache__
echo pyc > /usr/lib/python3/dist-packages/__pycache__/x.cpython-311.pyc
mkdir -p /root/.cache/pip; echo x > /root/.cache/pip/x
"""

DRIFT = r"""
dpkg --purge --force-depends libcap2-bin >/dev/null 2>&1
apt-mark hold nginx-common >/dev/null
sed -i '/^Package: gzip$/,/^$/s/^Version: .*/Version: 1999a-1/' /var/lib/dpkg/status
echo '# edited' >> /etc/nginx/nginx.conf
rm /etc/nginx/fastcgi_params
chmod 0600 /etc/nginx/mime.types
printf patched >> /usr/bin/tac
chmod u+s /usr/bin/sort
chown daemon:daemon /usr/bin/uniq
echo '#!/bin/sh' > /usr/local/bin/tool
ln -sf /usr/bin/false /usr/local/bin/link
cd /etc/apt/sources.list.d
echo 'deb [trusted=yes] http://example.org/debian stable main' > example.list
cd /
useradd -u 4242 -M intruder
groupadd -g 4343 guests
mkdir -p /etc/systemd/system/multi-user.target.wants
printf '[Service]\nExecStart=/bin/true\n' > /etc/systemd/system/planted.service
ln -s /etc/systemd/system/planted.service /etc/systemd/system/multi-user.target.wants/
ln -sf /usr/bin/busybox-vi /etc/alternatives/pager
dpkg-divert --local --rename --add /usr/bin/tail >/dev/null
echo 'Europe/Berlin' > /etc/timezone
chmod 0777 /usr/share/nginx
rm -rf /usr/share/doc/base-files
ln -sf /usr/bin/head /usr/bin/first
dpkg-statoverride --force-statoverride-add --add root root 0700 /usr/bin/nl
echo 'custom = 1' > /etc/app.toml
"""

EXPECTED = {
    "package removed": ("deb", "libcap2-bin:amd64", "", "removed"),
    "package held": ("deb", "nginx-common:all", "mark", "changed"),
    "package downgraded": ("deb", "gzip:amd64", "version", "changed"),
    "conffile edited": ("file", "/etc/nginx/nginx.conf", "sha256", "changed"),
    "conffile removed": ("file", "/etc/nginx/fastcgi_params", "", "removed"),
    "conffile mode": ("file", "/etc/nginx/mime.types", "mode", "changed"),
    "packaged program edited": ("file", "/usr/bin/tac", "sha256", "changed"),
    "setuid planted": ("file", "/usr/bin/sort", "mode", "changed"),
    "owner changed": ("file", "/usr/bin/uniq", "owner", "changed"),
    "program added": ("file", "/usr/local/bin/tool", "", "added"),
    "link added": ("file", "/usr/local/bin/link", "", "added"),
    "apt source added": ("apt-source", "deb http://example.org/debian stable main", "", "added"),
    "user added": ("user", "intruder", "", "added"),
    "group added": ("group", "guests", "", "added"),
    "alternative switched": ("alternative", "pager", "value", "changed"),
    "diversion added": ("diversion", "/usr/bin/tail", "", "added"),
    "time zone": ("locale", "", "timezone", "added"),
    "directory mode": ("file", "/usr/share/nginx", "mode", "changed"),
    "stat override": ("statoverride", "/usr/bin/nl", "", "added"),
    "config file added": ("file", "/etc/app.toml", "", "added"),
    "variable changed": ("env", "LANG", "value", "changed"),
    "variable added": ("env", "OMP_NUM_THREADS", "", "added"),
    "secret variable added": ("env", "API_TOKEN", "", "added"),
    "command changed": ("process", "", "cmd", "changed"),
    "documentation removed": ("file", "/usr/share/doc/base-files", "", "removed"),
}
"""Kind of drift -> section, key, field and kind of the change that must tell it."""


def found(report):
    return {(c["section"], c["key"], c["field"], c["kind"]) for c in report["changes"]}


def digests(envlock, name):
    document = envlock("digest", name, "--json").json
    return document["environment_digest"], document["host_digest"]


@pytest.fixture
def twins(debian_image, run_container):
    options = ("-e", "LANG=C.UTF-8")
    return run_container(debian_image, *options), run_container(debian_image, *options)


def test_identical_containers_have_no_drift_and_one_digest(twins, envlock):
    left, right = twins
    for name, container in (("left", left), ("right", right)):
        envlock("capture", f"docker:{container.name}", "--name", name)
    report = envlock("diff", "left", "right", "--json").json
    assert report["result"] == "equal"
    assert report["changes"] == []
    assert digests(envlock, "left") == digests(envlock, "right")


def test_an_hour_of_running_is_no_drift_and_is_counted(twins, envlock):
    left, right = twins
    right.sh(NOISE)
    envlock("capture", f"docker:{left.name}", "--name", "left")
    envlock("capture", f"docker:{right.name}", "--name", "right")
    report = envlock("diff", "left", "right", "--json").json
    assert report["changes"] == []
    assert digests(envlock, "left") == digests(envlock, "right")
    hidden = envlock("diff", f"docker:{left.name}", f"docker:{right.name}", "--json").json
    assert hidden["changes"] == []
    shown = envlock("diff", "left", "right", "--all", "--json", status=None).json
    paths = {change["key"] for change in shown["changes"]}
    assert {"/root/.bash_history", "/run/app.pid", "/tmp/scratch"} <= paths


def test_every_planted_drift_is_told(debian_image, run_container, envlock):
    left = run_container(debian_image, "-e", "LANG=C.UTF-8")
    right = run_container(
        debian_image, "-e", "LANG=de_DE.UTF-8", "-e", "OMP_NUM_THREADS=4",
        "-e", "API_TOKEN=canary-4711", command=("sleep", "599"),
    )  # fmt: skip
    right.sh(DRIFT)
    envlock("capture", f"docker:{left.name}", "--name", "left")
    envlock("capture", f"docker:{right.name}", "--name", "right")
    ran = envlock("diff", "left", "right", "--json", status=1)
    missing = {kind: want for kind, want in EXPECTED.items() if want not in found(ran.json)}
    assert not missing, f"not told: {missing}\nof {sorted(found(ran.json))}"
    assert "canary-4711" not in ran.out
    mirrored = envlock("diff", "right", "left", "--json", status=1).json
    assert len(mirrored["changes"]) == len(ran.json["changes"])
    text = envlock("diff", "left", "right", status=1)
    assert "DRIFT" in text.out.splitlines()[0]
