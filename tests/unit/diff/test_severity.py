"""One example for every rule: a rule that no difference reaches fails here."""

import pytest

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import package_name
from envlock.diff.rules import RULES, SPECIAL_RULES
from envlock.diff.severity import classify, explain
from envlock.errors import UsageError
from envlock.model.facts import SECTIONS
from envlock.model.severity import Severity
from envlock.versions import deb
from envlock.versions.relation import Relation

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
    ("COMPONENT-MISSING", removed("component", "libx.so.1")),
    ("COMPONENT-EXTRA", added("component", "libx.so.1")),
    ("COMPONENT-OLDER", older("component", "libx.so.1", "1.2", "1.1")),
    ("COMPONENT", newer("component", "libx.so.1", "1.1", "1.2")),
    ("SCOPE-ROOT", removed("scope", "tool", "exe:/usr/bin/jq")),
    ("SCOPE-MEMBERS", changed("scope", "app", "members", "deb:a:amd64", "deb:b:amd64")),
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
    ("CHECKOUT", changed("software", "/srv/app/.git", "commit", "1" * 40, "2" * 40)),
    ("CHECKOUT-OTHER", removed("software", "/srv/app/.git", kind="checkout")),
    ("CHECKOUT-OTHER", changed("software", "/srv/app/.git", "branch", "main", "next")),
    ("LOGIN-ENDS", added("login", "app", expires="2023-05-23")),
    ("LOGIN-ENDS", changed("login", "app", "must-change", None, "true")),
    ("LOGIN-AGEING", changed("login", "app", "max-days", None, "90")),
    ("LOGIN-AGEING", removed("login", "app", expires="2023-05-23")),
    ("LOGIN", removed("login", "app", password="set", expires="2023-05-23")),
    ("PACKAGE-UPDATE", changed("flatpak", "app/x/x86_64/stable", "commit")),
    (
        "USER-NO-SHELL-MISSING",
        Delta("user", "bin", "shell-missing", ADDED, None, "true", {"shell": "/usr/sbin/nologin"}),
    ),
    (
        "ACCOUNT",
        Delta("user", "app", "shell-missing", ADDED, None, "true", {"shell": "/bin/bash"}),
    ),
    ("FILE-REFUSED", changed("file", "/root/.ssh/authorized_keys", "mode", "0600", "0620")),
    ("FILE-REFUSED", changed("file", "/etc/cron.d/a", "owner", "0:0", "33:0")),
    ("FILE-OWNER", changed("file", "/etc/cron.d/a", "owner", "33:0", "0:0")),
    ("FILE-MODE", changed("file", "/root/.ssh/id_rsa.pub", "mode", "0600", "0644")),
    ("FILE-REFUSED", changed("file", "/root/.ssh/id_rsa", "mode", "0600", "0644")),
    ("DEB-INTERPRETER", newer("deb", "python3:amd64", "3.11.2-1+b1", "3.13.5-1")),
    ("DEB-INTERPRETER", newer("deb", "php:all", "2:8.2+93", "2:8.4+96")),
    ("DEB-UPDATE", newer("deb", "python3:amd64", "3.11.2-1", "3.11.9-1")),
    ("SYSTEM-INTERPRETER", older("rpm", "nodejs.x86_64", "1:20.1.0-1", "1:18.2.0-1")),
    ("SYSTEM-UPDATE", newer("rpm", "nodejs.x86_64", "1:20.1.0-1", "1:20.2.0-1")),
    ("FILE-DOCUMENTATION", removed("file", "/usr/share/doc/curl", **{"class": "package"})),
    ("FILE-DOCUMENTATION", removed("file", "/usr/share/man/man1/a.1", **{"class": "package"})),
    ("USER-SHELL", changed("user", "www-data", "shell", "/usr/sbin/nologin", "/bin/bash")),
    ("ACCOUNT", changed("user", "www-data", "shell", "/bin/bash", "/usr/sbin/nologin")),
    ("GROUP-PRIVILEGED", changed("group", "docker", "members", "", "app")),
    ("ACCOUNT", changed("group", "docker", "members", "app,ci", "app")),
    ("SUDO-EXTRA", added("sudo", "/etc/sudoers.d/app", who="app")),
    ("SUDO", changed("sudo", "/etc/sudoers", "sha256")),
    ("SUBORDINATE-NUMBERS", changed("subid", "app", "uid-ranges")),
    ("CRON-VARIABLE", removed("cron", "/etc/cron.d/backup CRON_TZ=", value="Europe/Berlin")),
    ("AT-JOB", removed("cron", "/var/spool/at/a0000301c2b3d4")),
    ("CRON-MISSING", removed("cron", "/etc/cron.d/backup /usr/local/bin/backup")),
    ("CRON", changed("cron", "/etc/cron.d/backup x", "schedule", "0 3 * * *", "0 4 * * *")),
    ("SERVICE-LINGER", removed("service", "linger ada", state="enabled")),
    ("SERVICE-MASKED", changed("service", "nginx.service", "state", None, "masked")),
    ("SERVICE", changed("service", "nginx.service", "state", "masked", None)),
    ("TIMER", changed("service", "apt-daily.timer", "schedule")),
    ("TRUSTSTORE", removed("truststore", "/opt/jdk/lib/security/cacerts corp", subject="Corp")),
    ("TRUSTSTORES", changed("truststore", "/opt/jdk/lib/security/cacerts", "sha256")),
    ("CERTIFICATE-EXTRA", added("certificate", "ab12", state="local")),
    ("CERTIFICATE-MISSING", removed("certificate", "ab12", state="local")),
    ("CERTIFICATES", changed("certificate", "(all)", "sha256")),
    ("PRELOAD", added("setting", "loader.preload")),
    ("AUTHENTICATION", changed("setting", "pam.common-auth", "sha256")),
    ("NAME-SERVICE", changed("setting", "nsswitch.hosts", "value")),
    ("SETTING", changed("setting", "login.UMASK", "value", "022", "077")),
    ("LIBRARY-MISSING", added("missing-library", "libz.so.1")),
    ("SYMBOL-MISSING", added("missing-symbol", "GLIBC_2.38")),
    ("SYMBOL-STILL-MISSING", changed("missing-symbol", "GLIBC_2.38", "count")),
    ("DANGLING", added("dangling", "/etc/sysctl.d/99-x.conf")),
    ("LIBRARY-STILL-MISSING", changed("missing-library", "libz.so.1", "count")),
    ("ABI", older("abi", "GLIBC", "2.34", "2.28")),
    ("SOFTWARE-MISSING", removed("software", "/usr/local/bin/tool")),
    ("SOFTWARE-EXTRA", added("software", "/usr/local/bin/tool")),
    ("SOFTWARE-ARCH", changed("software", "/usr/local/bin/tool", "machine", "x86_64", "aarch64")),
    ("SOFTWARE", changed("software", "/opt/jdk", "version", "17", "21")),
    ("MOUNT-OPTIONS", changed("host.mount", "/tmp", "options", "nosuid", "noexec,nosuid")),
    ("MOUNT-OPTIONS-OTHER", changed("host.mount", "/tmp", "options", "noexec,nosuid", "nosuid")),
    ("MOUNT", changed("host.mount", "/data", "type", "ext4", "nfs4")),
    ("SECURITY-MODULE", changed("host.setting", "selinux", "value", "permissive", "enforcing")),
    ("RESOLVER", changed("host.setting", "resolver.search", "value")),
    ("DEB-CORE-LIBRARY", removed("deb", "libc6:amd64")),
    ("DEB-CORE-OLDER", older("deb", "libstdc++6:amd64", "13", "12")),
    ("DEB-DOCUMENTATION", removed("deb", "curl-doc:all", mark="manual")),
    ("DEB-DEVELOPMENT", added("deb", "libssl-dev:amd64", mark="manual")),
    ("DEB-TZDATA-MISSING", removed("deb", "tzdata:all", mark="auto")),
    ("DEB-CERTIFICATES-MISSING", removed("deb", "ca-certificates:all", mark="auto")),
    ("DEB-DOWNGRADE-REVISION", older("deb", "libx1:amd64", "1.2-2", "1.2-1", mark="auto")),
    ("DEB-LIBRARY-MISSING", removed("deb", "libssl3:amd64", mark="auto")),
    ("DEB-MISSING", removed("deb", "nginx:amd64", mark="manual")),
    ("DEB-DEPENDENCY-MISSING", removed("deb", "nginx-common:all", mark="auto")),
    ("DEB-DOWNGRADE", older("deb", "nginx:amd64", "2", "1")),
    ("DEB-LIBRARY-UPDATE", newer("deb", "libssl3:amd64", "3.0.11-1", "3.0.15-1")),
    ("DEB-UPDATE", newer("deb", "curl:amd64", "7-1", "8-1", mark="auto")),
    ("DEB-REVISION-EXPLICIT", newer("deb", "curl:amd64", "8-1", "8-2", mark="manual")),
    ("DEB-REVISION", newer("deb", "libssl3:amd64", "3.0-1", "3.0-2", mark="auto")),
    ("SYSTEM-CORE-LIBRARY", removed("apk", "musl")),
    ("SYSTEM-CORE-OLDER", older("rpm", "glibc.x86_64", "2.34-60.el9", "2.34-28.el9")),
    ("SYSTEM-ONE-OF-MANY", removed("rpm", "kernel-5.14-1.x86_64", "5.14-1", version="5.14-1")),
    ("SYSTEM-LIBRARY-MISSING", removed("rpm", "openssl-libs.x86_64", mark="auto")),
    ("SYSTEM-MISSING", removed("pacman", "nginx", mark="manual")),
    ("SYSTEM-DEPENDENCY-MISSING", removed("rpm", "nginx-core.x86_64")),
    ("SYSTEM-DOWNGRADE", older("apk", "nginx", "1.26.2-r1", "1.26.2-r0")),
    ("SYSTEM-LIBRARY-UPDATE", newer("apk", "libssl3", "3.3.1-r0", "3.3.2-r0")),
    ("SYSTEM-UPDATE", newer("rpm", "curl.x86_64", "7.76-1.el9", "1:7.77-1.el9")),
    ("SYSTEM-RELEASE-EXPLICIT", newer("pacman", "curl", "8-1", "8-2", mark="manual")),
    ("SYSTEM-RELEASE", newer("rpm", "openssl-libs.x86_64", "3.0-1", "3.0-2", mark="auto")),
    ("SYSTEM-REBUILT", changed("rpm", "curl.x86_64", "sha256")),
    ("SYSTEM-SIGNED", changed("rpm", "curl.x86_64", "signed-by")),
    ("SYSTEM-STATE", Delta("apk", "x", "status", ADDED, None, "broken files", {})),
    ("SYSTEM-STATE-REPAIRED", Delta("apk", "x", "status", REMOVED, "broken files", None, {})),
    ("SYSTEM-HOLD", Delta("apk", "x", "constraint", ADDED, None, "x<2", {})),
    ("SYSTEM-HOLD", changed("pacman", "x", "mark", "auto", "hold")),
    ("SYSTEM-MARK", changed("rpm", "x.noarch", "mark", "auto", "manual")),
    ("SYSTEM-ARCH", changed("apk", "x", "arch", "x86_64", "noarch")),
    ("SYSTEM-SOURCE", changed("rpm", "x.noarch", "vendor")),
    ("SYSTEM-EXTRA", added("apk", "vim", mark="manual")),
    ("SYSTEM-EXTRA-DEPENDENCY", added("rpm", "vim-common.x86_64", mark="auto")),
    ("PACKAGE-REBUILT", changed("deb", "curl:amd64", "sha256")),
    ("PACKAGE-ORIGIN", changed("python", "app/x", "origin")),
    ("DEB-SOURCE", changed("deb", "curl:amd64", "source")),
    ("DEB-STATE", Delta("deb", "x", "status", ADDED, None, "install ok unpacked", {})),
    ("UNREAD-PACKAGES", changed("unread", "Gentoo Portage", "content", "1", "2")),
    ("DEB-LEFT-OVER", Delta("deb", "x", "status", ADDED, None, "deinstall ok config-files", {})),
    ("DEB-STATE-REPAIRED", Delta("deb", "x", "status", REMOVED, "install ok unpacked", None, {})),
    ("DEB-HOLD", changed("deb", "curl:amd64", "mark", "auto", "hold")),
    ("DEB-MARK", changed("deb", "curl:amd64", "mark", "auto", "manual")),
    ("DEB-EXTRA", added("deb", "vim:amd64", mark="manual")),
    ("DEB-EXTRA-DEPENDENCY", added("deb", "libx:amd64", mark="auto")),
    ("PYTHON-INTERPRETER", newer("python", "app", "3.11.7", "3.12.0")),
    ("PYTHON-INTERPRETER", changed("python", "app", "implementation", "cpython", "pypy")),
    ("PYTHON-ENVIRONMENT-MISSING", removed("python", "app")),
    ("PYTHON-AUTHORITIES", changed("python", "app/certifi", "authorities")),
    ("PYTHON-EDITED", changed("python", "app/six", "edited")),
    ("PYTHON-SHADOWED", added("python", "app")._replace(field="shadowed")),
    ("PYTHON-UNSHADOWED", Delta("python", "app", "shadowed", REMOVED, "x", None, {})),
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
    ("PACKAGE-MISSING", removed("snap")),
    ("PACKAGE-UPDATE", changed("snap", "x", "version")),
    ("PACKAGE-EXTRA", added("flatpak")),
    ("LANGUAGE-MISSING", removed("npm", "shop/x")),
    ("LANGUAGE-DOWNGRADE", older("gem", "system/rake", "13.0.6", "12.3.3")),
    ("LANGUAGE-MAJOR", newer("conda", "base/numpy", "1.26.4", "2.0.0")),
    ("LANGUAGE-MAJOR", newer("go", "tool", "v0.9.0", "v0.10.0")),
    ("LANGUAGE-COMPILED", changed("npm", "shop/x", "compiled")),
    ("LANGUAGE-PATCH", newer("npm", "shop/x", "1.0.0", "1.0.1")),
    ("LANGUAGE-UPDATE", newer("npm", "shop/x", "1.0.0", "1.1.0")),
    ("LANGUAGE-UPDATE", changed("conda", "base/openssl", "version", "1.0.2u", "1.0.2_")),
    ("LANGUAGE-BUILD", changed("spack", "spack/hdf5", "variants", "~mpi", "+mpi")),
    ("LANGUAGE-DECLARED", changed("composer", "shop", "declared-missing", "1", "2")),
    ("LANGUAGE-MANAGER", changed("r", "system/x", "packaged-by")),
    ("LANGUAGE-EXTRA", added("gem")),
    ("MODULE-LOADED", removed("module", "GCC", "12.3.0")),
    ("ENV-CHARSET", changed("env", "LANG", "value", "C.UTF-8", "C")),
    ("ENV-CHARSET", removed("env", "LC_ALL", "en_US.utf8")),
    ("ENV-LOCALE", changed("env", "LANG", "value", "de_DE.UTF-8", "C.UTF-8")),
    ("ENV-UTF8", added("env", "LANG", "C.UTF-8")),
    ("ENV-UTF8", changed("env", "LC_ALL", "value", "C", "C.UTF-8")),
    ("ENV-LOADER", changed("env", "PATH", "value")),
    ("ENV-LOADER", added("env", "PYTHONPATH")),
    ("ENV-LOADER-GONE", removed("env", "PYTHONPATH")),
    ("ENV-LOADER", removed("env", "PATH")),
    ("ENV-TRUST", added("env", "NODE_TLS_REJECT_UNAUTHORIZED", "0")),
    ("ENV-TRUST", removed("env", "SSL_CERT_FILE")),
    ("ENV-VERIFIED", removed("env", "NODE_TLS_REJECT_UNAUTHORIZED", "0")),
    ("ENV-BEHAVIOUR", added("env", "JAVA_TOOL_OPTIONS")),
    ("ENV-MISSING", removed("env", "API_HOST")),
    ("ENV-EXTRA", added("env", "DEBUG")),
    ("ENV-VALUE", changed("env", "API_HOST", "value")),
    ("FILE-PRIVILEGE", changed("file", "/x", "mode", "0755", "4755")),
    ("FILE-PRIVILEGE", changed("file", "/x", "mode", "0644", "0666")),
    ("FILE-PRIVILEGE-DROPPED", changed("file", "/x", "mode", "4755", "0755")),
    ("FILE-PRIVILEGE-DROPPED", changed("file", "/x", "mode", "0666", "0644")),
    ("FILE-PRIVILEGED", added("file", "/x", mode="4755", type="file")),
    ("FILE-CAPABILITY", changed("file", "/x", "capability")),
    ("FILE-ACCESS", changed("file", "/srv/up", "acl", None, "user:33:rwx")),
    ("FILE-ATTRIBUTE", changed("file", "/srv/up", "user.note", None, "x")),
    ("FILE-TYPE", changed("file", "/x", "type", "file", "symlink")),
    ("FILE-LOADER", added("file", "/etc/ld.so.preload")),
    ("FILE-TRUST", changed("file", "/etc/ssl/certs/ca.pem", "sha256")),
    ("FILE-PACKAGE-MISSING", added("file", "/bin/x", **{"class": "package-missing"})),
    ("FILE-REPAIRED", removed("file", "/bin/x", **{"class": "package-missing"})),
    ("FILE-RIGHTS", added("file", "/x", **{"class": "package", "packaged-mode": "0755"})),
    ("FILE-STATED", changed("file", "/bin/x", "packaged-mode", "0755", "0700")),
    ("FILE-PACKAGE-EDITED", changed("file", "/bin/x", "sha256", **{"class": "package-modified"})),
    ("FILE-CONFFILE-GONE", removed("file", "/etc/x", **{"class": "conffile"})),
    ("FILE-CONFFILE", changed("file", "/etc/x", "sha256", **{"class": "conffile-modified"})),
    ("FILE-PACKAGE-GONE", removed("file", "/bin/x", **{"class": "package"})),
    ("FILE-CREDENTIALS-MISSING", removed("file", "/srv/.env", **{"class": "unowned"})),
    ("FILE-CREDENTIALS-MISSING", removed("file", "/x", **{"class": "secret"})),
    ("FILE-CREDENTIALS-EXTRA", added("file", "/etc/x", redacted="true")),
    ("FILE-MISSING", removed("file", "/srv/x", **{"class": "unowned"})),
    ("FILE-EXTRA-CONFIG", added("file", "/etc/x", **{"class": "unowned"})),
    ("FILE-EXTRA-CONFIG", added("file", "/usr/etc/npmrc", **{"class": "unowned"})),
    ("FILE-EXTRA-BELOW-VAR", added("file", "/var/lib/x/x.conf", **{"class": "unowned"})),
    ("FILE-EXTRA", added("file", "/var/lib/x", type="directory", **{"class": "unowned"})),
    ("FILE-EXTRA", added("file", "/srv/x", **{"class": "unowned"})),
    ("FILE-MODE", changed("file", "/x", "mode", "0755", "0700")),
    ("FILE-MODE", changed("file", "/x", "mode", "0755", "2755", type="directory")),
    ("FILE-MODE", changed("file", "/x", "mode", "0755", "1777", type="directory")),
    ("FILE-OWNER", changed("file", "/x", "owner", "0:0", "1:0")),
    ("FILE-CONTENT", changed("file", "/srv/x", "sha256")),
    ("APT-SOURCE", added("apt-source")),
    ("REPOSITORY", changed("repository", "dnf baseos", "url")),
    ("APT-PIN", added("apt-pin")),
    ("ALTERNATIVE", changed("alternative", "editor", "value")),
    ("DPKG-OVERRIDE", added("diversion", "/bin/sh")),
    ("USER-ROOT", added("user", "toor", uid="0")),
    ("USER-ROOT", changed("user", "www", "uid", "33", "0")),
    ("USER-NUMBER", changed("user", "www", "uid", "33", "34")),
    ("ACCOUNT", added("user", "www", uid="33")),
    ("ACCOUNT", added("user", "root", uid="0")),
    ("SERVICE", changed("service", "nginx.service", "wanted-by")),
    ("LOCALE-ZONES", changed("locale", "", "timezone-file", None, "Etc/UTC")),
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
    ("DRIVER", older("host.driver", "nvidia", "550.90", "550.54")),
    ("DRIVER-MISMATCH", Delta("host.driver", "nvidia", "mismatch", ADDED, None, "true", {})),
    ("DRIVER", Delta("host.driver", "nvidia", "mismatch", REMOVED, "true", None, {})),
    ("CDI-STALE", Delta("host.driver", "cdi nvidia.com/gpu", "stale", ADDED, None, "true", {})),
    ("GPU", changed("host.gpu", "0", "count")),
    ("GPU-MODE", changed("host.gpu", "H100", "mig", "off", "on")),
    ("GPU-FIRMWARE", changed("host.gpu", "H100", "vbios")),
    ("INFINIBAND", older("host.infiniband", "adapter MT4129", "28.39", "28.36")),
    ("CUDA-MIXED", changed("cuda", "cudnn:app", "mixed")),
    ("CUDA-MISSING", removed("cuda", "cudart:app", "12.4.127")),
    ("CUDA-MAJOR", newer("cuda", "cudart:app", "12.4.127", "13.0.48")),
    ("CUDA-MAJOR", changed("cuda", "cudnn:app", "soname", "8", "9")),
    ("CUDA", newer("cuda", "cudnn:app", "9.1.0", "9.5.1")),
    ("CUDA", added("rocm", "toolkit:/opt/rocm-6.3.0", "6.3.0-39")),
    ("BLAS", changed("blas", "libblas.so.3", "vendor", "openblas", "reference")),
    ("LOADED", changed("loaded", "cudnn", "from", "app", "/usr/lib")),
    ("CPU-LEVEL", changed("host.cpu", "", "level", "x86-64-v4", "x86-64-v3")),
    ("CPU-FEATURES", changed("host.cpu", "", "level", "x86-64-v2", "x86-64-v3")),
    ("CPU", changed("host.cpu", "", "model", "a", "b")),
    ("HOST-LIBC-OLDER", older("host.libc", "", "2.36", "2.31")),
    ("HOST-LIBC", newer("host.libc", "", "2.31", "2.36")),
    ("LIMIT-LOWER", changed("host.limits", "nofile", "value", "unlimited", "1024")),
    ("LIMIT-LOWER", changed("host.sysctl", "vm.max_map_count", "value", "262144", "65530")),
    ("LIMIT", changed("host.sysctl", "vm.max_map_count", "value", "65530", "262144")),
    ("MODULE", changed("host.module", "nf_tables", "version")),
    ("MODULE", added("host.dkms", "nvidia", "550.54.14")),
    ("MODULE-PENDING", changed("host.module", "nvidia", "disk-version")),
    ("KERNEL", changed("host.kernel", "", "build")),
    ("KERNEL-SETTING", changed("host.kernel", "", "cmdline")),
    ("FIRMWARE", changed("host.firmware", "bios", "version")),
    ("OTHER", changed("quantum", "bit", "value")),
]


@pytest.mark.parametrize(("rule", "delta"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_each_rule_decides_its_example(rule, delta):
    change = classify(delta, "dev", "prod")
    assert change.rule == rule
    assert change.severity is explain(rule).severity
    assert change.why
    assert "{" not in change.why + change.next
    assert bool(change.fix) != bool(change.next)


def test_every_rule_has_an_example():
    assert {rule.id for rule in RULES} == {rule for rule, _ in EXAMPLES}


def test_ids_are_unique_and_reasons_have_sources():
    rules = [*RULES, *SPECIAL_RULES.values()]
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.source and rule.why and rule.next for rule in rules)


@pytest.mark.parametrize(
    ("name", "version", "mark", "severity"),
    [
        # Right is older: an upstream version is more severe than a revision, except stable updates.
        ("libx1", ("1.2-3", "1.2-1"), "auto", "medium"),
        ("libx1", ("1.2-3", "1.2-1"), "manual", "high"),
        ("libx1", ("1.2-1+deb12u3", "1.2-1+deb12u1"), "auto", "high"),
        ("libx1", ("1.3-1", "1.2-1"), "auto", "high"),
        # Right is newer: one level less severe.
        ("libx1", ("1.2-1", "1.2-3"), "auto", "low"),
        ("libx1", ("1.2-1", "1.2-3"), "manual", "medium"),
        ("libx1", ("1.2-1", "1.3-1"), "auto", "high"),
        ("curl", ("1.2-1", "1.3-1"), "auto", "medium"),
        # Packages that are not needed to run programs.
        ("libx-dev", ("1.3-1", "1.2-1"), "manual", "low"),
        ("libx-doc", ("1.3-1", "1.2-1"), "manual", "info"),
        ("libx1-dbgsym", ("1.3-1", "1.2-1"), "manual", "info"),
        ("libdevel-1", ("1.3-1", "1.2-1"), "auto", "high"),
    ],
)
def test_severity_depends_on_direction_scope_and_mark(name, version, mark, severity):
    make = older if deb.compare(*version) > 0 else newer
    delta = make("deb", f"{name}:amd64", *version, mark=mark)
    assert classify(delta, "dev", "prod").severity == severity


def test_incompatible_platforms_are_critical():
    severe = {rule for rule, _ in EXAMPLES if explain(rule).severity is Severity.CRITICAL}
    assert {"OS-ARCH", "OS-LIBC-OLDER", "PYTHON-INTERPRETER", "DRIVER-MISSING"} <= severe


def test_special_rules_come_first():
    delta = older("deb", "libc6:amd64", "2.36", "2.31")
    assert classify(delta._replace(kind=UNKNOWN), "a", "b").rule == "NOT-COVERED"
    assert classify(delta._replace(explained_by="deb x"), "a", "b").rule == "EXPLAINED"
    assert classify(delta._replace(special_rule="noisy"), "a", "b").rule == "FILE-NOISE"


def test_an_unknown_rule_is_a_usage_error():
    with pytest.raises(UsageError, match="NO-SUCH"):
        explain("NO-SUCH")


@pytest.mark.parametrize(
    ("section", "key", "facts", "name"),
    [
        ("rpm", "kernel-5.14.0-1.el9.x86_64", {"version": "5.14.0-1.el9"}, "kernel"),
        ("rpm", "gpg-pubkey-fd431d51-4ae0493b", {"version": "fd431d51-4ae0493b"}, "gpg-pubkey"),
        ("rpm", "python3.11.x86_64", {"version": "3.11.9-1"}, "python3.11"),
        ("rpm", "odd", {}, "odd"),
        ("deb", "libc6:amd64", {}, "libc6"),
        ("python", "app/numpy", {}, "numpy"),
        ("apk", "so.name", {}, "so.name"),
    ],
)
def test_package_name(section, key, facts, name):
    assert package_name(added(section, key, **facts)) == name


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_no_rule_names_a_missing_value(section):
    """A fact that one side lacks is described as missing."""
    for field in ("version", "arch", "libc", "level", "value", "mode", "shell", "sha256"):
        for left, right in ((None, "2.31"), ("2.31", None)):
            kind = ChangeKind.ADDED if left is None else ChangeKind.REMOVED
            change = classify(Delta(section, "x", field, kind, left, right, {}), "l", "r")
            assert "nothing" not in f"{change.why} {change.next}", change
