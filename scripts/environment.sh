# Sourced by the scripts here: finds a Python, makes the virtual environment, says what it does.
# shellcheck shell=sh

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 2; }

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null && { command -v "$candidate"; return 0; }
    done
    return 1
}

# make_venv FOLDER REQUIREMENT...: create the environment once, install into it every time.
make_venv() {
    venv=$1; shift
    if [ ! -x "$venv/bin/python" ]; then
        python=$(find_python) || {
            [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
                die "no Python >= 3.11 with venv found; set PYTHON=/path/to/python3"
            apt_install python3 python3-venv
            python=$(find_python) || die "no Python >= 3.11 with venv found; set PYTHON"
        }
        say "Creating $venv with $("$python" --version)"
        "$python" -m venv "$venv" || die "cannot create $venv"
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        die "pip could not install $*"
}

# apt_install PACKAGE...: install what is missing; only called as root on Debian.
apt_install() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "Installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update >/dev/null || say "apt-get update failed; trying with the indices at hand"
    # shellcheck disable=SC2086  # one word each
    apt-get -qq install -y --no-install-recommends $missing >/dev/null ||
        die "apt-get could not install$missing"
}
