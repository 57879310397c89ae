"""One example for every rule: a rule that no difference reaches is dead, and fails here."""

import pytest

from envlock.diff.drift import ChangeKind, Delta, Relation, Severity
from envlock.diff.rules import ASIDE, RULES
from envlock.diff.severity import classify, explain
from envlock.errors import UsageError

ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind
OLDER, NEWER = Relation.OLDER, Relation.NEWER


def older(section, key, left, right, **facts):
    return Delta(section, key, "version", CHANGED, left, right, facts, OLDER)


def newer(section, key, left, right, **facts):
    return Delta(section, key, "version", CHANGED, left, right, facts, NEWER)


def changed(section, key, field, left="1", right="2", **facts):
    return Delta(section, key, field, CHANGED, left, right, facts)


def added(section, key="x", right="1", **facts):
    return Delta(section, key, "", ADDED, None, right, facts)


def removed(section, key="x", left="1", **facts):
    return Delta(section, key, "", REMOVED, left, None, facts)


EXAMPLES = [
    ("OS-ARCH", changed("os", "", "arch", "amd64", "arm64")),
    ("OS-FAMILY", changed("os", "", "id", "debian", "alpine")),
    ("OS-LIBC-OLDER", changed("os", "", "libc", "glibc 2.36", "glibc 2.31")),
    ("OS-LIBC-OLDER", changed("os", "", "libc", "glibc 2.9", "musl")),
    ("OS-RELEASE", changed("os", "", "version", "12", "13")),
    ("OS-POINT-RELEASE", changed("os", "", "libc", "glibc 2.9", "glibc 2.36")),
    ("OS-POINT-RELEASE", changed("os", "", "point-release", "12.5", "12.6")),
    ("OS-FACT", changed("os", "", "codename", "a", "b")),
    ("LOGIN-OPEN", added("login", "app", password="none")),
    ("LOGIN-OPEN", changed("user", "root", "password", None, "none")),
    ("LOGIN", added("login", "app", password="set")),
    ("USER-SHELL", changed("user", "www-data", "shell", "/usr/sbin/nologin", "/bin/bash")),
    ("ACCOUNT", changed("user", "www-data", "shell", "/bin/bash", "/usr/sbin/nologin")),
    ("GROUP-PRIVILEGED", changed("group", "docker", "members", "", "app")),
    ("ACCOUNT", changed("group", "docker", "members", "app,ci", "app")),
    ("SUDO-EXTRA", added("sudo", "/etc/sudoers.d/app", who="app")),
    ("SUDO", changed("sudo", "/etc/sudoers", "sha256")),
    ("SUBORDINATE-NUMBERS", changed("subid", "app", "uid-ranges")),
    ("CRON-MISSING", removed("cron", "/etc/cron.d/backup /usr/local/bin/backup")),
    ("CRON", changed("cron", "/etc/cron.d/backup x", "schedule", "0 3 * * *", "0 4 * * *")),
    ("SERVICE-MASKED", changed("service", "nginx.service", "state", None, "masked")),
    ("TIMER", changed("service", "apt-daily.timer", "schedule")),
    ("CERTIFICATE-EXTRA", added("certificate", "ab12", state="local")),
    ("CERTIFICATE-MISSING", removed("certificate", "ab12", state="local")),
    ("CERTIFICATES", changed("certificate", "(all)", "sha256")),
    ("PRELOAD", added("setting", "loader.preload")),
    ("AUTHENTICATION", changed("setting", "pam.common-auth", "sha256")),
    ("NAME-SERVICE", changed("setting", "nsswitch.hosts", "value")),
    ("SETTING", changed("setting", "login.UMASK", "value", "022", "077")),
    ("LIBRARY-MISSING", added("missing-library", "libz.so.1")),
    ("LIBRARY-STILL-MISSING", changed("missing-library", "libz.so.1", "count")),
    ("ABI", older("abi", "GLIBC", "2.34", "2.28")),
    ("SOFTWARE-MISSING", removed("software", "/usr/local/bin/tool")),
    ("SOFTWARE-EXTRA", added("software", "/usr/local/bin/tool")),
    ("SOFTWARE-ARCH", changed("software", "/usr/local/bin/tool", "machine", "x86_64", "aarch64")),
    ("SOFTWARE", changed("software", "/opt/jdk", "version", "17", "21")),
    ("MOUNT-OPTIONS", changed("host.mount", "/tmp", "options", "nosuid", "noexec,nosuid")),
    ("MOUNT", changed("host.mount", "/data", "type", "ext4", "nfs4")),
    ("SECURITY-MODULE", changed("host.setting", "selinux", "value", "permissive", "enforcing")),
    ("RESOLVER", changed("host.setting", "resolver.search", "value")),
    ("DEB-CORE-LIBRARY", removed("deb", "libc6:amd64")),
    ("DEB-CORE-OLDER", older("deb", "libstdc++6:amd64", "13", "12")),
    ("DEB-LIBRARY-MISSING", removed("deb", "libssl3:amd64", mark="auto")),
    ("DEB-MISSING", removed("deb", "nginx:amd64", mark="manual")),
    ("DEB-DEPENDENCY-MISSING", removed("deb", "nginx-common:all", mark="auto")),
    ("DEB-DOWNGRADE", older("deb", "nginx:amd64", "2", "1")),
    ("DEB-LIBRARY-UPDATE", newer("deb", "libssl3:amd64", "3.0.11-1", "3.0.15-1")),
    ("DEB-UPDATE", newer("deb", "curl:amd64", "7-1", "8-1", mark="auto")),
    ("DEB-REVISION-EXPLICIT", newer("deb", "curl:amd64", "8-1", "8-2", mark="manual")),
    ("DEB-REVISION", newer("deb", "libssl3:amd64", "3.0-1", "3.0-2", mark="auto")),
    ("PACKAGE-REBUILT", changed("deb", "curl:amd64", "sha256")),
    ("PACKAGE-ORIGIN", changed("python", "app/x", "origin")),
    ("DEB-SOURCE", changed("deb", "curl:amd64", "source")),
    ("DEB-STATE", Delta("deb", "x", "status", ADDED, None, "install ok unpacked", {})),
    ("DEB-HOLD", changed("deb", "curl:amd64", "mark", "auto", "hold")),
    ("DEB-MARK", changed("deb", "curl:amd64", "mark", "auto", "manual")),
    ("DEB-EXTRA", added("deb", "vim:amd64", mark="manual")),
    ("DEB-EXTRA-DEPENDENCY", added("deb", "libx:amd64", mark="auto")),
    ("PYTHON-INTERPRETER", newer("python", "app", "3.11.7", "3.12.0")),
    ("PYTHON-INTERPRETER", changed("python", "app", "implementation", "cpython", "pypy")),
    ("PYTHON-ENVIRONMENT-MISSING", removed("python", "app")),
    ("PYTHON-EDITED", changed("python", "app/six", "edited")),
    ("PYTHON-SHADOWED", added("python", "app")._replace(field="shadowed")),
    ("PYTHON-INSTALLER", changed("python", "app/x", "installer", "pip", "uv")),
    ("PYTHON-MISSING", removed("python", "app/numpy", "2.0")),
    ("PYTHON-DOWNGRADE", older("python", "app/numpy", "2.1", "2.0")),
    ("PYTHON-MAJOR", newer("python", "app/numpy", "1.26.4", "2.0")),
    ("PYTHON-MAJOR", newer("python", "app/ruff", "0.5.0", "0.6.0")),
    ("PYTHON-MAJOR", changed("python", "app/x", "version", "nightly", "2.0")),
    ("PYTHON-MINOR", newer("python", "app/numpy", "2.0", "2.1")),
    ("PYTHON-PATCH", newer("python", "app/numpy", "2.0", "2.0.1")),
    ("PYTHON-PATCH", newer("python", "app", "3.11.7", "3.11.8")),
    ("PYTHON-EXTRA", added("python", "app/numpy")),
    ("PACKAGE-MISSING", removed("npm")),
    ("PACKAGE-UPDATE", changed("rpm", "x", "version")),
    ("PACKAGE-EXTRA", added("gem")),
    ("ENV-CHARSET", changed("env", "LANG", "value", "C.UTF-8", "C")),
    ("ENV-CHARSET", removed("env", "LC_ALL", "en_US.utf8")),
    ("ENV-LOCALE", changed("env", "LANG", "value", "de_DE.UTF-8", "C.UTF-8")),
    ("ENV-LOADER", changed("env", "PATH", "value")),
    ("ENV-MISSING", removed("env", "API_HOST")),
    ("ENV-EXTRA", added("env", "DEBUG")),
    ("ENV-VALUE", changed("env", "API_HOST", "value")),
    ("FILE-PRIVILEGE", changed("file", "/x", "mode", "0755", "4755")),
    ("FILE-PRIVILEGE", changed("file", "/x", "mode", "0644", "0666")),
    ("FILE-PRIVILEGED", added("file", "/x", mode="4755", type="file")),
    ("FILE-CAPABILITY", changed("file", "/x", "capability")),
    ("FILE-TYPE", changed("file", "/x", "type", "file", "symlink")),
    ("FILE-LOADER", added("file", "/etc/ld.so.preload")),
    ("FILE-TRUST", changed("file", "/etc/ssl/certs/ca.pem", "sha256")),
    ("FILE-PACKAGE-EDITED", changed("file", "/bin/x", "sha256", **{"class": "package-modified"})),
    ("FILE-CONFFILE", changed("file", "/etc/x", "sha256", **{"class": "conffile-modified"})),
    ("FILE-PACKAGE-GONE", removed("file", "/bin/x", **{"class": "package"})),
    ("FILE-MISSING", removed("file", "/srv/x", **{"class": "unowned"})),
    ("FILE-EXTRA-CONFIG", added("file", "/etc/x", **{"class": "unowned"})),
    ("FILE-EXTRA", added("file", "/srv/x", **{"class": "unowned"})),
    ("FILE-MODE", changed("file", "/x", "mode", "4755", "0755")),
    ("FILE-MODE", changed("file", "/x", "mode", "0755", "2755", type="directory")),
    ("FILE-MODE", changed("file", "/x", "mode", "0755", "1777", type="directory")),
    ("FILE-OWNER", changed("file", "/x", "owner", "0:0", "1:0")),
    ("FILE-CONTENT", changed("file", "/srv/x", "sha256")),
    ("APT-SOURCE", added("apt-source")),
    ("APT-PIN", added("apt-pin")),
    ("ALTERNATIVE", changed("alternative", "editor", "value")),
    ("DPKG-OVERRIDE", added("diversion", "/bin/sh")),
    ("USER-ROOT", added("user", "toor", uid="0")),
    ("USER-ROOT", changed("user", "www", "uid", "33", "0")),
    ("USER-NUMBER", changed("user", "www", "uid", "33", "34")),
    ("ACCOUNT", added("user", "www", uid="33")),
    ("ACCOUNT", added("user", "root", uid="0")),
    ("SERVICE", changed("service", "nginx.service", "wanted-by")),
    ("LOCALE", changed("locale", "", "timezone")),
    ("TREE", changed("tree", "", "content")),
    ("PROCESS-ROOT", Delta("process", "", "user", REMOVED, "www", None, {})),
    ("PROCESS", changed("process", "", "user", "www", "app")),
    ("HOST-ARCH", changed("host.kernel", "", "machine")),
    ("KERNEL-OLDER", Delta("host.kernel", "", "release", CHANGED, "6.1.0", "5.10.0", {}, OLDER)),
    ("KERNEL", Delta("host.kernel", "", "release", CHANGED, "6.1.9", "6.1.3", {}, OLDER)),
    ("DRIVER-MISSING", removed("host.driver", "nvidia")),
    ("DRIVER-OLDER", older("host.driver", "nvidia", "550.54", "470.199")),
    ("DRIVER-BRANCH", newer("host.driver", "nvidia", "470.199", "550.54")),
    ("DRIVER", newer("host.driver", "nvidia", "550.54", "550.90")),
    ("GPU", changed("host.gpu", "0", "model")),
    ("CPU-LEVEL", changed("host.cpu", "", "level", "x86-64-v4", "x86-64-v3")),
    ("CPU-FEATURES", changed("host.cpu", "", "level", "x86-64-v2", "x86-64-v3")),
    ("CPU", changed("host.cpu", "", "model", "a", "b")),
    ("HOST-LIBC-OLDER", older("host.libc", "", "2.36", "2.31")),
    ("HOST-LIBC", newer("host.libc", "", "2.31", "2.36")),
    ("LIMIT-LOWER", changed("host.limits", "nofile", "value", "unlimited", "1024")),
    ("LIMIT-LOWER", changed("host.sysctl", "vm.max_map_count", "value", "262144", "65530")),
    ("LIMIT", changed("host.sysctl", "vm.max_map_count", "value", "65530", "262144")),
    ("MODULE", changed("host.module", "nf_tables", "version")),
    ("FIRMWARE", changed("host.firmware", "bios", "version")),
    ("OTHER", changed("quantum", "bit", "value")),
]


@pytest.mark.parametrize(("rule", "delta"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_each_rule_decides_its_example(rule, delta):
    change = classify(delta, "dev", "prod")
    assert change.rule == rule
    assert change.severity is explain(rule).severity
    assert change.why
    assert "{" not in change.why + change.fix


def test_every_rule_has_an_example():
    assert {rule.id for rule in RULES} == {rule for rule, _ in EXAMPLES}


def test_ids_are_unique_and_reasons_have_sources():
    rules = [*RULES, *ASIDE.values()]
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.source and rule.why for rule in rules)


def test_what_is_brittle_is_critical():
    severe = {rule for rule, _ in EXAMPLES if explain(rule).severity is Severity.CRITICAL}
    assert {"OS-ARCH", "OS-LIBC-OLDER", "PYTHON-INTERPRETER", "DRIVER-MISSING"} <= severe


def test_how_a_difference_was_found_comes_before_what_it_is():
    delta = older("deb", "libc6:amd64", "2.36", "2.31")
    assert classify(delta._replace(kind=UNKNOWN), "a", "b").rule == "NOT-COVERED"
    assert classify(delta._replace(explained_by="deb x"), "a", "b").rule == "EXPLAINED"
    assert classify(delta._replace(aside="noisy"), "a", "b").rule == "FILE-NOISE"


def test_the_fix_names_what_to_do_and_takes_no_orders_from_values():
    change = classify(removed("deb", "nginx:amd64", "1.2", mark="manual"), "dev", "prod")
    assert change.fix == "on prod: apt-get install nginx=1.2"
    hostile = classify(removed("env", "{left_name.__class__}", "{0}"), "dev", "prod")
    assert hostile.fix == "set {left_name.__class__} on prod"


def test_an_unknown_rule_is_an_error_of_usage():
    with pytest.raises(UsageError, match="NO-SUCH"):
        explain("NO-SUCH")
