"""An hour of normal running is no drift: what daemons, jobs and tools write is told apart."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.docker

READY = r"""
mkdir -p /srv/repository /srv/shop
: > /srv/repository/Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
printf 'import json, email.message\nprint(json.dumps({}))\n' > /srv/shop/shop.py
printf 'VALUE = 1\n' > /srv/shop/prices.py
python3 -m venv --without-pip /srv/shop/venv
useradd --create-home ada
install -d -m 700 -o ada -g ada /home/ada/.ssh
echo '* * * * * root /usr/bin/touch /run/cron-was-here' > /etc/cron.d/beat
"""
"""What is set up before the first capture."""

HOUR = r"""
cron >/dev/null 2>&1
nginx >/dev/null 2>&1
for _ in 1 2 3; do python3 - <<'CODE'
import urllib.request
urllib.request.urlopen("http://127.0.0.1/").read()
CODE
done
apt-get update -qq
apt-get clean
apt-cache search nothing >/dev/null 2>&1 || true
cd /srv/shop && python3 -c 'import prices, shop' && venv/bin/python -c 'import http.client, xml.dom'
python3 -m compileall -q /usr/lib/python3/dist-packages
ldconfig
touch /var/log/btmp /var/log/wtmp /var/log/lastlog /run/utmp
printf 'Sep 1 host app: line\n' >> /var/log/syslog
logrotate --force /etc/logrotate.conf
nginx -s reopen
/etc/cron.daily/dpkg >/dev/null 2>&1 || true
echo 'ls -la' >> /root/.bash_history
su ada -c '
cd; mkdir -p .cache/pip
echo "print(1)" >> .python_history
echo x > .cache/pip/x
echo "example.org ssh-ed25519 AAAA" > .ssh/known_hosts
echo > .viminfo'
mkdir -p /var/lib/systemd /var/log/journal/0123 /var/lib/nginx/body
head -c 512 /dev/urandom > /var/lib/systemd/random-seed
head -c 64 /dev/urandom > /var/log/journal/0123/system.journal
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' > /etc/machine-id
cp /etc/nginx/nginx.conf /etc/nginx/nginx.conf.dpkg-dist
echo scratch > /tmp/scratch; echo more > /var/tmp/more
dpkg-query -W >/dev/null; dpkg --configure -a
update-ca-certificates >/dev/null 2>&1
touch /etc/.updated /var/.updated
"""
"""What happens in the hour."""


def test_an_hour_of_running_is_hidden_and_counted(debian_image, run_container, envlock):
    container = run_container(debian_image, "-e", "LANG=C.UTF-8")
    container.sh(READY)
    envlock("capture", f"docker:{container.name}", "--name", "before")
    container.sh(HOUR)
    envlock("capture", f"docker:{container.name}", "--name", "after")
    report = envlock("diff", "before", "after", "--json", status=None).json
    assert [(c["section"], c["key"], c["field"]) for c in report["changes"]] == []
    assert report["result"] == "equal"
    hidden = report["hidden"]
    assert {"cache", "log", "state"} <= set(hidden), hidden
    assert all(count > 0 for count in hidden.values())
    shown = envlock("diff", "before", "after", "--all", "--json", status=None).json
    paths = {change["key"] for change in shown["changes"]}
    assert {
        "/var/log/nginx/access.log.1",
        "/root/.bash_history",
        "/home/ada/.ssh/known_hosts",
        "/etc/nginx/nginx.conf.dpkg-dist",
        "/tmp/scratch",
        "/srv/shop/__pycache__",
    } <= paths
    digests = [
        envlock("digest", name, "--json").json["environment_digest"] for name in ("before", "after")
    ]
    assert digests[0] == digests[1]


def test_what_the_hour_hides_is_not_what_an_intruder_does(debian_image, run_container, envlock):
    """The classes of noise leave visible what looks alike and is none."""
    container = run_container(debian_image)
    container.sh(READY)
    envlock("capture", f"docker:{container.name}", "--name", "before")
    container.sh(
        r"""
        usermod --shell /bin/bash www-data
        gpasswd --add www-data adm
        passwd --delete root
        echo '* * * * * root /usr/local/bin/beacon' > /etc/cron.d/beacon
        printf '#!/bin/sh\n' > /usr/local/bin/beacon; chmod +x /usr/local/bin/beacon
        sed -i 's/^hosts:.*/hosts: dns/' /etc/nsswitch.conf
        printf 'auth sufficient pam_permit.so\n' >> /etc/pam.d/common-auth
        mkdir -p /etc/sudoers.d; echo 'www-data ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/web
        cp /etc/ssl/certs/ISRG_Root_X1.pem /usr/local/share/ca-certificates/mine.crt
        echo /usr/local/evil > /etc/ld.so.conf.d/evil.conf
        echo 'umask 000' >> /etc/profile
        ln -s ../init.d/nginx /etc/rc1.d/S01nginx; rm -f /etc/rc2.d/S01nginx
        """
    )
    envlock("capture", f"docker:{container.name}", "--name", "after")
    report = envlock("diff", "before", "after", "--json", status=1).json
    told = {(c["section"], c["key"]): c["rule"] for c in report["changes"]}
    assert told[("user", "www-data")] == "USER-SHELL"
    assert told[("group", "adm")] == "GROUP-PRIVILEGED"
    assert told[("login", "root")] == "LOGIN-OPEN"
    assert told[("cron", "/etc/cron.d/beacon /usr/local/bin/beacon")] == "CRON"
    assert told[("software", "/usr/local/bin/beacon")] == "SOFTWARE-EXTRA"
    assert told[("setting", "nsswitch.hosts")] == "NAME-SERVICE"
    assert told[("setting", "pam.common-auth")] == "AUTHENTICATION"
    assert told[("sudo", "/etc/sudoers.d/web")] == "SUDO-EXTRA"
    assert told[("setting", "loader.path")] == "PRELOAD"
    assert told[("file", "/etc/profile")] == "FILE-CONTENT"
    assert told[("service", "nginx.service")] == "SERVICE"
    assert "CERTIFICATE-EXTRA" in told.values()
