"""The shell scripts that run in a sandbox, after its packages are installed."""

from __future__ import annotations

import shlex

from envlock.config.declare_table import Declaration

TOOLS = "/.envlock"
"""The directory of a sandbox that holds what is needed to fill it; it is not captured."""
ROOT_ARCHIVE = f"{TOOLS}/root.tar"
EPOCH = 1_577_836_800
"""The time that tools are told: 2020-01-01, so that no result depends on the day."""

_TRUST = f"""\
set -eu
export HOME={TOOLS}/home LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH={EPOCH} DEBIAN_FRONTEND=noninteractive
if [ -s {TOOLS}/ca.crt ]; then
    export PIP_CERT={TOOLS}/ca.crt SSL_CERT_FILE={TOOLS}/ca.crt NODE_EXTRA_CA_CERTS={TOOLS}/ca.crt
fi
[ ! -e {TOOLS}/pip.conf ] || export PIP_CONFIG_FILE={TOOLS}/pip.conf
[ ! -e {TOOLS}/npmrc ] || export NPM_CONFIG_USERCONFIG={TOOLS}/npmrc
mkdir -p "$HOME"
umask 022
"""
SETTINGS = "mmdebstrap.apt.conf.*"
"""The settings of apt for the sandbox, which mmdebstrap(1) keeps in its /tmp until it ends."""

_FINISH = f"""\
set -eu
# While it installs, mmdebstrap has a daemon that starts nothing in place of the real one.
daemon=/sbin/start-stop-daemon
if [ -e $daemon.REAL ]; then
    mv $daemon {TOOLS}/daemon
    mv $daemon.REAL $daemon
fi
[ ! -e /usr/sbin/policy-rc.d ] || mv /usr/sbin/policy-rc.d {TOOLS}/policy
rm -f /etc/resolv.conf /etc/hostname /etc/.pwd.lock /var/lib/dbus/machine-id
rm -f /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap
rm -f /etc/apt/preferences.d/envlock /var/lib/systemd/random-seed
rm -rf /root/.cache /root/.npm /root/.local
[ ! -e /etc/machine-id ] || : > /etc/machine-id
mkdir -p /etc/apt/sources.list.d
cp {TOOLS}/sources.list /etc/apt/sources.list
find /etc/apt/sources.list.d -type f -delete
# Without its settings in /tmp, mmdebstrap would let apt clean the machine, not the sandbox.
for folder in /tmp /var/tmp /var/cache/apt/archives /var/log/apt /run; do
    [ ! -d $folder ] || find $folder -xdev -mindepth 1 ! -path '{TOOLS}*' \\
        ! -name '{SETTINGS}' -delete
done
find /var/log -xdev -type f -delete
rm -f /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid-
[ ! -e /etc/shadow ] || sed -i -E 's/^([^:]*:[^:]*):[0-9]+:/\\1:{EPOCH // 86400}:/' /etc/shadow
newest=$(find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run \\) -prune \\
    -o -type f ! -newer {TOOLS}/begun ! -path '{TOOLS}/*' -printf '%T@\\n' \\
    | cut -d. -f1 | sort -n | tail -1)
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path {TOOLS} \\) \\
    -prune -o -newer {TOOLS}/begun -exec touch -h -d "@$newest" {{}} +
cd /
tar --create --file {ROOT_ARCHIVE} --format=pax --pax-option=delete=atime,delete=ctime \\
    --xattrs --xattrs-include='*' --numeric-owner --sort=name --one-file-system \\
    --exclude=.{TOOLS} --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' \\
    --exclude='./run/*' --exclude='./tmp/{SETTINGS}' .
if [ -e {TOOLS}/daemon ]; then
    mv $daemon $daemon.REAL
    mv {TOOLS}/daemon $daemon
fi
[ ! -e {TOOLS}/policy ] || mv {TOOLS}/policy /usr/sbin/policy-rc.d
"""


def filling(declaration: Declaration, *, is_complete: bool) -> str:
    """Return the script that creates the user, the virtual environment and what npm installs.

    With `is_complete`, the requirements of pip have every package with its hash.
    """
    steps = [_TRUST]
    if declaration.user:
        steps.append(_user(declaration.user))
    if declaration.python:
        steps.append(_venv(dict(declaration.python)["path"], is_complete=is_complete))
    if declaration.npm and "npm" in names_of_packages(declaration):
        steps.append(_npm(dict(declaration.npm)["path"]))
    return "".join(steps)


def finishing() -> str:
    """Return the script that removes what differs from run to run, and packs the root directory.

    Files that are newer than the sandbox get the time of the newest file of a package.
    """
    return _FINISH


def names_of_packages(declaration: Declaration) -> tuple[str, ...]:
    """Return the packages to install; pip and the module venv are in packages of their own."""
    more = [
        *(["python3-venv"] if declaration.python else []),
        *(["nodejs"] if declaration.npm else []),
    ]
    return tuple(dict.fromkeys((*sorted(set(declaration.apt)), *more)))


def _user(name: str) -> str:
    return (
        f"id -u {name} >/dev/null 2>&1 || "
        f"useradd --create-home --user-group --shell /bin/sh {name}\n"
    )


def _venv(path: str, *, is_complete: bool) -> str:
    place = shlex.quote(path)
    strict = "--no-deps --require-hashes" if is_complete else f"--constraint {TOOLS}/constraints"
    return f"""\
mkdir -p "$(dirname {place})"
python3 -m venv --without-pip {place}
{place}/bin/python "$(ls /usr/share/python-wheels/pip-*.whl | head -1)/pip" install --quiet \\
    --no-compile --no-cache-dir --no-input --disable-pip-version-check \\
    --no-warn-script-location {strict} --requirement {TOOLS}/requirements
"""


def _npm(path: str) -> str:
    place = shlex.quote(path)
    return f"""\
mkdir -p {place}
cp {TOOLS}/npm/package.json {TOOLS}/npm/package-lock.json {place}/
(cd {place} && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
"""
