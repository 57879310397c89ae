"""A fix is a list of argument lists; names that are not plain give a sentence instead."""

import shlex

import pytest

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.engine import compare
from envlock.diff.fixes.commands import Surroundings
from envlock.diff.fixes.packages import reinstall
from envlock.diff.inconsistencies.inconsistency import Inconsistency
from envlock.diff.rules import INCONSISTENCY_RULES, RULES, SPECIAL_RULES
from envlock.diff.severity import classify
from envlock.model.lock import Lock
from envlock.model.severity import Severity

ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind
HOSTILE = ("1;reboot", "$(id)", "`id`", "--purge", "a b", "x\ny", "a\u202eb", "it's", "")


def lock(**sections):
    return Lock(sections={name.replace("_", "."): rows for name, rows in sections.items()})


def fix(left, right, key, field=""):
    (change,) = [c for c in compare(left, right).changes if (c.key, c.field) == (key, field)]
    assert bool(change.fix) != bool(change.next), change
    return [shlex.join(command) for command in change.fix]


def package(section, key, left, right, system="", **facts):
    """Return the fix of a package whose version is `left` on one side and `right` on the other."""
    sides = []
    for version in (left, right):
        row = {section: {key: {"version": version, **facts}}} if version else {}
        sides.append(lock(os={"": {"id": system, "version": "9"}}, **row))
    return fix(*sides, key, "version" if left and right else "")


APT = "apt-get install --no-install-recommends"


@pytest.mark.parametrize(
    ("given", "commands"),
    [
        (("deb", "curl:amd64", "2", "1"), [f"{APT} curl=2"]),
        (("deb", "curl:amd64", "1", "2"), [f"{APT} --allow-downgrades curl=1"]),
        (("deb", "curl:amd64", "1", None), [f"{APT} curl=1"]),
        (("deb", "curl:amd64", None, "1"), []),
        (("rpm", "bash.x86_64", "1:5.1-2", "1:5.1-1", "fedora"), ["dnf install bash-1:5.1-2"]),
        (("rpm", "bash.x86_64", "5.1-1", "5.1-2", "rocky"), ["dnf downgrade bash-5.1-1"]),
        (("rpm", "bash.x86_64", "5.1-2", "5.1-1", "sles"), ["zypper install bash=5.1-2"]),
        (
            ("rpm", "bash.x86_64", "5.1-1", "5.1-2", "opensuse-leap"),
            ["zypper install --oldpackage bash=5.1-1"],
        ),
        (("rpm", "bash.x86_64", "5.1-2", None, "azurelinux"), ["tdnf install bash-5.1-2"]),
        (("apk", "nginx", "1.26-r1", "1.26-r0"), ["apk add nginx=1.26-r1", "apk add nginx"]),
        (("pacman", "nginx", "1.2-2", "1.2-1"), []),
    ],
)
def test_packages_of_systems(given, commands):
    assert package(*given) == commands


def test_an_extra_package_is_removed_if_it_was_asked_for():
    assert package("deb", "vim:amd64", None, "1", mark="manual") == ["apt-get remove vim"]
    assert package("rpm", "vim.x86_64", None, "1", mark="manual") == ["dnf remove vim"]


def test_one_line_for_what_goes_together_and_marks_stay():
    def side(version, *extra):
        rows = {
            f"{name}:amd64": {"version": version, "source": "openssl", "mark": mark}
            for name, mark in (("openssl", "manual"), ("libssl3", "auto"))
        }
        needed = {"version": "7", "source": "app-lib", "mark": "auto", "needed-by": "app:amd64"}
        app = {"app:amd64": {"version": "7", "source": "app", "mark": "manual"}}
        return lock(deb=rows | (app | {"libapp1:amd64": needed} if extra else {}))

    left, right = side("3.0-2", "app"), side("3.0-1")
    both = [f"{APT} libssl3=3.0-2 openssl=3.0-2", "apt-mark auto libssl3"]
    assert fix(left, right, "openssl:amd64", "version") == both
    assert fix(left, right, "libssl3:amd64", "version") == both
    assert fix(left, right, "app:amd64") == [f"{APT} app=7 libapp1=7", "apt-mark auto libapp1"]
    assert "--allow-downgrades" in fix(right, left, "openssl:amd64", "version")[0]


def test_a_foreign_architecture_is_named():
    rows = {f"lib{n}:amd64": {"version": "1"} for n in range(3)}
    left = lock(deb={**rows, "libx:i386": {"version": "2"}, "doc:all": {"version": "2"}})
    right = lock(deb={**rows, "libx:i386": {"version": "1"}, "doc:all": {"version": "1"}})
    assert fix(left, right, "libx:i386", "version") == [f"{APT} libx:i386=2"]
    assert fix(left, right, "doc:all", "version") == [f"{APT} doc=2"]


def test_marks_and_states_of_debian_packages():
    def side(**facts):
        return lock(deb={"curl:amd64": {"version": "1", **facts}})

    auto, manual, held = (side(mark=mark) for mark in ("auto", "manual", "hold"))
    assert fix(auto, manual, "curl:amd64", "mark") == ["apt-mark auto curl"]
    assert fix(held, auto, "curl:amd64", "mark") == ["apt-mark hold curl"]
    freed = ["apt-mark unhold curl", "apt-mark manual curl"]
    assert fix(manual, held, "curl:amd64", "mark") == freed
    broken = side(status="install ok half-configured")
    assert fix(side(), broken, "curl:amd64", "status") == ["dpkg --configure -a"]
    assert fix(broken, side(), "curl:amd64", "status") == []
    gone = side(status="deinstall ok config-files")
    assert fix(side(), gone, "curl:amd64") == [f"{APT} curl=1"]


def python(version, extra=None, **facts):
    env = {"version": "3.11.2", "implementation": "cpython", "path": "/opt/app", **facts}
    rows = {"app": env, "app/pip": {"version": "23.0"}, **(extra or {})}
    if version:
        rows["app/flask"] = {"version": version}
    return lock(python=rows)


VENV = {"system-site-packages": "false"}


def test_a_python_package_is_installed_by_the_pip_of_its_environment():
    left, right = python("2.3.3", **VENV), python("3.0.0", **VENV)
    install = "install --no-deps flask==2.3.3"
    assert fix(left, right, "app/flask", "version") == [f"/opt/app/bin/pip {install}"]
    left, right = python("2.3.3"), python("3.0.0")
    assert fix(left, right, "app/flask", "version") == [f"/opt/app/bin/python3.11 -m pip {install}"]
    left, right = python(None, **VENV), python("2.3.3", **VENV)
    assert fix(left, right, "app/flask") == ["/opt/app/bin/pip uninstall flask"]


def test_a_directory_that_pip_filled_has_no_interpreter():
    def side(version):
        return lock(python={"fn": {"path": "/srv/fn"}, "fn/flask": {"version": version}})

    assert fix(side("2.3.3"), side("3.0.0"), "fn/flask", "version") == []


def test_an_environment_without_pip_or_of_the_system():
    def side(version, **facts):
        rows = python(version, **facts).sections["python"]
        return lock(python={key: row for key, row in rows.items() if key != "app/pip"})

    plain, uv = VENV, {**VENV, "managed-by": "uv"}
    fixes = [
        fix(side("1", **facts), side("2", **facts), "app/flask", "version")
        for facts in (plain, uv, {"externally-managed": "true"}, {"path": "/home/x/.local"})
    ]
    assert fixes == [
        ["pip --python /opt/app/bin/python install --no-deps flask==1"],
        ["uv pip install --python /opt/app/bin/python --no-deps flask==1"],
        [],
        [],
    ]


def test_a_missing_virtual_environment_is_created_where_it_was():
    empty = lock(python={})
    assert fix(python("1", **VENV), empty, "app") == ["python3.11 -m venv /opt/app"]
    shared = python("1", **{"system-site-packages": "true", "managed-by": "uv"})
    assert fix(shared, empty, "app") == ["uv venv --python 3.11 --system-site-packages /opt/app"]
    assert fix(python("1"), empty, "app") == []  # an interpreter, and no virtual environment


def test_edited_files_are_restored_on_the_right_side_only():
    edited = {"app/six": {"version": "1.16.0", "edited": "sha256:1", "edited-files": "1"}}
    whole = {"app/six": {"version": "1.16.0"}}
    left, right = python("1", whole, **VENV), python("1", edited, **VENV)
    again = ["/opt/app/bin/pip install --force-reinstall --no-deps six==1.16.0"]
    assert fix(left, right, "app/six", "edited") == again
    assert fix(right, left, "app/six", "edited") == []


@pytest.mark.parametrize(
    ("section", "key", "facts", "tree", "commands"),
    [
        ("conda", "ml/numpy", {"version": "1.26", "build": "py_0"}, {"path": "/opt/conda/envs/ml"},
         ["conda install -p /opt/conda/envs/ml numpy=1.26=py_0"]),
        ("conda", "ml/numpy", {"version": "1.26"}, {}, ["conda install -n ml numpy=1.26"]),
        ("npm", "node-20/pm2", {"version": "5.3.0"}, {"global": "true", "path": "/opt/node"},
         ["npm install --global --prefix /opt/node pm2@5.3.0"]),
        ("npm", "shop/@a/b", {"version": "1"}, {"global": "false", "path": "/srv/shop"},
         ["npm install --no-save --prefix /srv/shop @a/b@1"]),
        ("npm", "shop/b", {"version": "1"}, {"path": "/srv/shop", "lockfile": "package-lock.json"},
         []),
        ("npm", "shop/x/node_modules/b", {"version": "1"}, {"path": "/srv/shop"}, []),
        ("gem", "system-3.1.0/rack@2.2.8", {"version": "2.2.8"}, {}, ["gem install rack -v 2.2.8"]),
        ("go", "tool", {"version": "v1.2", "package": "example.org/tool"}, {},
         ["go install example.org/tool@v1.2"]),
        ("go", "tool/example.org/x", {"version": "v1", "packaged-by": "go other"}, {}, []),
        ("cargo", "cargo/rg", {"version": "13.0.0"}, {}, ["cargo install rg --version 13.0.0"]),
        ("r", "local/dplyr", {"version": "1.1.4"}, {},
         ["Rscript -e 'remotes::install_version(\"dplyr\", \"1.1.4\")'"]),
        ("java", "shop/guava", {"version": "32", "group": "g.x"}, {},
         ["mvn dependency:copy -Dartifact=g.x:guava:32"]),
        ("composer", "shop/a/b", {"version": "v1"}, {"path": "/srv/shop"},
         ["composer require --working-dir /srv/shop a/b:v1"]),
        ("spack", "spack/zlib@1.3/abc", {"version": "1.3"}, {}, ["spack install zlib@1.3"]),
        ("easybuild", "apps/R", {"version": "4.3", "toolchain": "gfbf-2023a", "suffix": "-bare"},
         {}, ["eb --robot R-4.3-gfbf-2023a-bare.eb"]),
        ("snap", "lxd", {"version": "5"}, {}, []),
    ],
)  # fmt: skip
def test_packages_of_languages(section, key, facts, tree, commands):
    environment = key.partition("/")[0]
    rows = {environment: tree} if tree else {}
    assert fix(lock(**{section: {**rows, key: facts}}), lock(**{section: rows}), key) == commands


REF = "app/org.example.App/x86_64/stable"
UPDATE = f"flatpak update --system --noninteractive --commit=ab12 {REF}"
SNAP = {"revision": "29", "channel": "latest/stable", "enabled": "true"}


@pytest.mark.parametrize(
    ("section", "key", "left", "right", "field", "commands"),
    [
        ("snap", "lxd", SNAP, None, "",
         ["snap install --channel=latest/stable --revision=29 lxd"]),
        ("snap", "lxd", SNAP, SNAP | {"revision": "30"}, "revision",
         ["snap refresh --channel=latest/stable --revision=29 lxd"]),
        ("snap", "lxd", SNAP, SNAP | {"enabled": "false"}, "enabled", ["snap enable lxd"]),
        ("snap", "own", SNAP | {"revision": "x1"}, None, "", []),
        ("snap", "lxd", SNAP | {"revision": "29;reboot"}, None, "", []),
        ("flatpak", REF, {"commit": "ab12", "origin": "flathub"}, None, "",
         [f"flatpak install --system --noninteractive flathub {REF}", UPDATE]),
        ("flatpak", REF, {"commit": "ab12"}, {"commit": "cd34"}, "commit", [UPDATE]),
        ("flatpak", REF, {"commit": "ab12", "origin": "$(id)"}, None, "", []),
    ],
)  # fmt: skip
def test_snaps_and_flatpaks(section, key, left, right, field, commands):
    sides = [lock(**{section: {key: facts}} if facts else {}) for facts in (left, right)]
    assert fix(*sides, key, field) == commands


@pytest.mark.parametrize(
    ("section", "key", "left", "right", "field", "commands"),
    [
        ("env", "PYTHONPATH", None, {"value": "/srv"}, "", ["unset PYTHONPATH"]),
        ("env", "PYTHONHOME", None, {"value": "/opt/py", "gone": "/opt/py"}, "",
         ["unset PYTHONHOME"]),
        ("env", "JAVA_HOME", {"value": "/opt/a"}, {"value": "/opt/b", "gone": "/opt/b"}, "value",
         ["export JAVA_HOME=/opt/a"]),
        ("env", "LANG", {"value": "C.UTF-8"}, None, "", ["export LANG=C.UTF-8"]),
        ("env", "TZ", {"value": "a b"}, {"value": "c"}, "value", ["export 'TZ=a b'"]),
        ("env", "TOKEN", {"secret": "present"}, None, "", []),
        ("env", "X", {"value": "a\nb"}, None, "", []),
        ("env", "A;reboot", None, {"value": "1"}, "", []),
        ("group", "sudo", {"members": "app,ci"}, {"members": "app,dev"}, "members",
         ["gpasswd -d dev sudo", "gpasswd -a ci sudo"]),
        ("user", "www", {"shell": "/usr/sbin/nologin"}, {"shell": "/bin/sh"}, "shell",
         ["usermod --shell /usr/sbin/nologin www"]),
        ("user", "www", {"uid": "33"}, {"uid": "34"}, "uid", []),
        ("service", "nginx.service", {"wanted-by": "multi-user.target"}, {"alias": "x"},
         "wanted-by", ["systemctl enable nginx.service"]),
        ("service", "nginx.service", None, {"wanted-by": "multi-user.target"}, "",
         ["systemctl disable nginx.service"]),
        ("service", "x.timer", {"alias": "y"}, {"alias": "y", "state": "masked"}, "state",
         ["systemctl unmask x.timer"]),
        ("service", "user/x.service", {"state": "masked"}, {"alias": "y"}, "state",
         ["systemctl --global mask x.service"]),
        ("alternative", "editor", {"mode": "auto", "value": "/bin/nano"},
         {"mode": "manual", "value": "/bin/vim"}, "value", ["update-alternatives --auto editor"]),
        ("alternative", "editor", {"mode": "manual", "value": "/bin/nano"},
         {"mode": "auto", "value": "/bin/vim"}, "mode",
         ["update-alternatives --set editor /bin/nano"]),
        ("statoverride", "/bin/x", {"owner": "root:app", "mode": "4750"}, None, "",
         ["dpkg-statoverride --update --add root app 4750 /bin/x"]),
        ("statoverride", "/bin/x", None, {"owner": "root:app", "mode": "4750"}, "",
         ["dpkg-statoverride --remove /bin/x"]),
        ("diversion", "/bin/x", None, {"to": "/bin/x.distrib", "package": "local"}, "",
         ["dpkg-divert --remove --rename /bin/x"]),
        ("host_sysctl", "vm.max_map_count", {"value": "262144"}, {"value": "65530"}, "value",
         ["sysctl -w vm.max_map_count=262144"]),
        ("host_sysctl", "vm.max_map_count", {"value": "65530"}, {"value": "262144"}, "value", []),
        ("file", "/srv/a b", {"mode": "0644", "owner": "0:0"}, {"mode": "0666", "owner": "0:0"},
         "mode", ["chmod 0644 '/srv/a b'"]),
        ("file", "/srv/x", {"mode": "0644", "owner": "0:0"}, {"mode": "0644", "owner": "1:1"},
         "owner", ["chown --no-dereference 0:0 /srv/x"]),
        ("file", "/srv/x\n", {"mode": "0644"}, {"mode": "0666"}, "mode", []),
    ],
)  # fmt: skip
def test_variables_accounts_services_and_files(section, key, left, right, field, commands):
    sides = [lock(**{section: {key: row} if row is not None else {}}) for row in (left, right)]
    assert fix(*sides, key, field) == commands


@pytest.mark.parametrize("section", ["deb", "rpm", "apk", "python", "npm", "gem", "r", "cargo"])
@pytest.mark.parametrize("version", HOSTILE)
def test_no_command_has_a_name_or_version_that_is_not_plain(section, version):
    for key, left in ((f"app/x{version}", "1"), ("app/x", version), (version, "1")):
        delta = Delta(section, key, "", REMOVED, left, None, {"version": left, "path": "/opt/app"})
        words = [word for command in classify(delta, "dev", "prod").fix for word in command]
        assert version not in words
        assert version == "--purge" or not any(version in word for word in words if version)


def test_every_rule_says_what_to_do_and_no_fix_is_prose():
    rules = (*RULES, *SPECIAL_RULES.values(), *INCONSISTENCY_RULES.values())
    assert all(rule.next for rule in rules)
    assert all(rule.fix is None or callable(rule.fix) for rule in rules)


@pytest.mark.parametrize(
    ("rule", "section", "key", "commands"),
    [
        ("LIBRARY-NOT-CACHED", "missing-library", "libx.so.1", ["ldconfig"]),
        ("DANGLING-ALTERNATIVE", "dangling", "/etc/alternatives/editor",
         ["update-alternatives --auto editor"]),
        ("DANGLING-ALTERNATIVE", "dangling", "/etc/alternatives/$(id)", []),
        ("DANGLING-SERVICE", "dangling", "/etc/systemd/system/multi-user.target.wants/x.service",
         ["systemctl disable x.service"]),
        ("DANGLING-PROGRAM", "dangling", "/usr/local/bin/x", []),
    ],
)  # fmt: skip
def test_what_one_environment_proves_broken_is_mended_on_the_right_side(
    rule, section, key, commands
):
    assert [shlex.join(c) for c in Inconsistency(rule, section, key, "m").fix] == commands
    found = Delta(section, key, f"check:{rule}", ADDED, None, "m", {}, special_rule=rule)
    change = classify(found, "dev", "prod")
    assert [shlex.join(command) for command in change.fix] == commands
    gone = found._replace(kind=REMOVED, severity=Severity.LOW)
    assert classify(gone, "dev", "prod").fix == ()


@pytest.mark.parametrize(
    ("system", "section", "key", "facts", "commands"),
    [
        ("debian", "deb", "curl:amd64", {"mark": "auto"},
         ["apt-get install --reinstall curl=1-1", "apt-mark auto curl"]),
        ("fedora", "rpm", "curl.x86_64", {}, ["dnf reinstall curl-1-1"]),
        ("sles", "rpm", "curl.x86_64", {}, ["zypper install --force curl=1-1"]),
        ("alpine", "apk", "curl", {}, ["apk fix curl"]),
        ("arch", "pacman", "curl", {}, []),
    ],
)  # fmt: skip
def test_a_package_is_installed_again_in_its_own_version(system, section, key, facts, commands):
    around = Surroundings(
        right=lock(os={"": {"id": system}}, **{section: {key: {"version": "1-1", **facts}}})
    )
    assert [shlex.join(command) for command in reinstall(f"{section} {key}", around)] == commands
    assert reinstall(f"{section} missing", around) == ()


def test_no_package_is_fixed_across_releases_of_a_system():
    sides = [
        lock(os={"": {"id": "debian", "version": v}}, deb={"curl:amd64": {"version": v}})
        for v in ("12", "13")
    ]
    assert fix(*sides, "curl:amd64", "version") == []
