"""File rules: agreement of the table with a plain search, and classes of well-known paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.capture.files.rule_table import FileRule, RuleTable
from envlock.capture.files.rules import RULES, file_rule, noisy_rule
from envlock.model.glob import compile_globs
from envlock.model.tree import Entry, EntryType, FileClass

CORPUS = {
    # Exclusions of integrity checkers, and files of databases and daemons.
    "/etc/mtab": FileClass.STATE,
    "/etc/adjtime": FileClass.GENERATED,
    "/etc/ld.so.cache": FileClass.GENERATED,
    "/etc/machine-id": FileClass.IDENTITY,
    "/etc/iscsi/initiatorname.iscsi": FileClass.IDENTITY,
    "/etc/lvm/archive/vg_00001.vg": FileClass.STATE,
    "/etc/cups/subscriptions.conf.O": FileClass.STATE,
    "/etc/aliases.db": FileClass.GENERATED,
    "/etc/passwd.lock": FileClass.STATE,
    "/etc/nginx/nginx.conf.dpkg-dist": FileClass.STATE,
    "/etc/yum.repos.d/fedora.repo.rpmnew": FileClass.STATE,
    "/etc/pacman.conf.pacnew": FileClass.STATE,
    "/etc/.git/objects/ab/cdef": FileClass.SECRET,
    "/etc/init.d/.depend.boot": FileClass.STATE,
    "/etc/systemd/system/multi-user.target.requires/a.service": FileClass.GENERATED,
    "/etc/ssh/ssh_host_ed25519_key": FileClass.IDENTITY,
    "/var/lib/rpm/rpmdb.sqlite": FileClass.GENERATED,
    "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal": FileClass.GENERATED,
    "/lib/apk/db/installed": FileClass.GENERATED,
    "/var/lib/pacman/local/zlib-1/desc": FileClass.GENERATED,
    "/var/lib/pacman/sync/core.db": FileClass.CACHE,
    "/var/cache/dnf/fedora.solv": FileClass.CACHE,
    "/var/cache/apk/APKINDEX.tar.gz": FileClass.CACHE,
    "/var/lib/apt/lists/x_InRelease": FileClass.CACHE,
    "/var/lib/systemd/random-seed": FileClass.IDENTITY,
    "/var/lib/systemd/timers/stamp-apt-daily.timer": FileClass.STATE,
    "/var/log/journal/0/system.journal": FileClass.LOG,
    "/var/log/wtmp": FileClass.LOG,
    "/var/log/lastlog": FileClass.LOG,
    "/run/utmp": FileClass.STATE,
    "/snap/core22/1/usr/bin/x": FileClass.STATE,
    "/var/snap/lxd/common/x": FileClass.STATE,
    "/var/spool/cron/crontabs/ada": FileClass.STATE,
    "/usr/share/mime/mime.cache": FileClass.GENERATED,
    "/usr/share/icons/hicolor/icon-theme.cache": FileClass.GENERATED,
    "/usr/lib/modules/6.1.0/modules.dep": FileClass.GENERATED,
    "/boot/initrd.img-6.1.0": FileClass.GENERATED,
    "/boot/grub/grubenv": FileClass.GENERATED,
    "/usr/lib/locale/locale-archive": FileClass.GENERATED,
    "/srv/shop/__pycache__/shop.cpython-311.pyc": FileClass.CACHE,
    "/srv/shop/.pytest_cache/v/cache": FileClass.CACHE,
    "/home/ada/.Xauthority": FileClass.SECRET,
    "/home/ada/.ssh/known_hosts": FileClass.STATE,
    "/root/.python_history": FileClass.LOG,
    "/root/.viminfo": FileClass.LOG,
    "/root/.nv/ComputeCache/index": FileClass.CACHE,
    "/swap.img": FileClass.LOG,
    "/core.4711": FileClass.LOG,
}
SIGNIFICANT = (
    "/etc/app.toml",
    "/etc/sudoers.d/web",
    "/etc/cron.d/job",
    "/etc/fonts/conf.d/99-corp.conf",
    "/etc/nologin",
    "/etc/profile",
    "/usr/local/bin/tool",
    "/usr/bin/planted",
    "/opt/app/core/module.py",
    "/srv/shop/cache/settings.py",
    "/home/ada/.bashrc",
    "/root/.ssh/authorized_keys",
    "/var/www/html/index.html",
    "/boot/vmlinuz-6.1.0",
    "/usr/lib/x86_64-linux-gnu/libhook.so",
)


@pytest.mark.parametrize("path", CORPUS)
def test_files_of_a_running_system_have_a_class(path):
    rule = file_rule(path, owned=False)
    assert rule is not None
    assert rule.file_class is CORPUS[path]
    assert rule.reason


@pytest.mark.parametrize("path", SIGNIFICANT)
def test_files_that_people_write_stay_significant(path):
    assert file_rule(path, owned=False) is None


DECIDING = (
    # Tools that people or managers put among caches.
    "/home/ada/.cache/ms-playwright/chromium-1/chrome-linux/chrome +x",
    "/root/.cache/pre-commit/repo1/py_env/bin/flake8 +x",
    "/root/.cache/huggingface/modules/transformers_modules/model.py",
    "/srv/shop/node_modules/.cache/prisma/engines/libquery.so.node",
    "/var/cache/app/hook.so.1.2",
    # Settings, code and key stores that services keep among their state.
    "/var/lib/postgresql/15/main/postgresql.auto.conf",
    "/var/lib/pgsql/data/standby.signal",
    "/var/lib/grafana/plugins/clock/plugin.json",
    "/var/lib/jenkins/plugins/git.jpi",
    "/var/lib/tomcat10/webapps/shop/index.html",
    "/var/lib/wordpress/wp-content/plugins/x/x.php",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/polkit-1/localauthority/50-local.d/usb.pkla",
    "/var/lib/selinux/targeted/active/booleans.local",
    "/var/lib/app/trust.p12",
    "/var/opt/app/app.conf",
    "/var/kerberos/krb5kdc/kadm5.acl",
    "/var/opt/vendor/bin/agent +x",
    "/var/lib/cloud/scripts/per-boot/mount",
    # What people place among the state of services, snaps and spools.
    "/var/lib/private/AdGuardHome/AdGuardHome.yaml",
    "/var/lib/flatpak/overrides/org.example.App",
    "/var/lib/confexts/corp/etc/app.conf",
    "/var/snap/microk8s/4000/args/kube-apiserver",
    "/var/snap/docker/2915/config/daemon.json",
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl",
    "/var/spool/incron/root",
    "/var/spool/pbs/mom_priv/config",
    "/var/spool/slurmd/conf-cache/slurm.conf",
    # A file where a manager makes links; one that is read whatever its name; hooks.
    "/etc/alternatives/java",
    "/etc/rc2.d/S99own",
    "/etc/systemd/system/multi-user.target.wants/own.service",
    "/etc/nginx/sites-enabled/shop.dpkg-old",
    "/usr/share/mime/packages/own.xml",
    "/boot/grub/custom.cfg",
    # Settings of a working copy, and what decides from where Maven takes an artifact.
    "/srv/app/.git/config",
    "/srv/app/.git/hooks/post-merge +x",
    "/srv/app/.git/info/attributes",
    "/root/.m2/repository/org/x/1/_remote.repositories",
    # Compiled forms without their source.
    "/srv/shop/gone.pyc",
    "/etc/aliases.db",
    "/usr/share/emacs/site-lisp/gone.elc",
    "/srv/shop/__pycache__/hook.so",
)
QUIET = (
    "/srv/app/.git/index",
    "/srv/app/.git/hooks/pre-commit.sample +x",
    "/srv/app/.git/objects/pack/pack-1.pack",
    "/srv/app/.git/refs/heads/main",
    "/srv/app/node_modules/.cache/terser-webpack-plugin/a.js",
    "/srv/app/node_modules/.vite/deps/react.js",
    "/srv/app/.next/cache/webpack/client/0.pack",
    "/opt/conda/pkgs/cache/497deca9.json",
    "/root/.m2/repository/org/x/1/x-1.pom.lastUpdated",
    "/usr/local/lib/x86_64-linux-gnu/perl/5.36.0/perllocal.pod",
    "/usr/local/lib/R/site-library/jsonlite/DESCRIPTION",
    "/home/ada/R/x86_64-pc-linux-gnu-library/4.2/jsonlite/Meta/package.rds",
    "/root/.ansible/tmp/ansible-local-1/x.py",
    "/var/lib/private/systemd/timesync/clock",
    "/var/snap/docker/common/var-lib-docker/overlay2/x/diff/etc/app.conf",
    "/var/snap/lxd/common/lxd/database/global/db.bin",
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "/var/spool/postfix/etc/resolv.conf",
    "/var/spool/cron/atjobs/a0000101c2b3d4 +x",
    "/var/spool/anacron/cron.daily",
    "/var/mail/ada",
    "/home/ada/.cache/pip/http/a/b",
    "/home/ada/.cache/uv/archive-v0/x/bin/tool +x",
    "/home/ada/.cache/fontconfig/a.cache-7 +x",
    "/home/ada/.cache/report.json +x",
    "/var/lib/snapd/state.json",
    "/var/lib/jenkins/jobs/x/builds/7/build.xml",
    "/var/lib/jenkins/war/WEB-INF/lib/core.jar",
    "/var/lib/grafana/plugins/clock/data/cache.json",
    "/var/lib/mysql/ibdata1",
    "/var/lib/app/state.json",
    "/var/lib/NetworkManager/NetworkManager-intern.conf",
    "/var/lib/systemd/deb-systemd-helper-enabled/a.wants/b.service",
    "/srv/shop/kept.pyc",
    "/srv/shop/__pycache__/gone.cpython-311.pyc +x",
    "/usr/share/mime/text/plain.xml",
)


def is_noisy(text):
    path, _, executable = text.partition(" ")
    entry = Entry(path, EntryType.FILE, 0o755 if executable else 0o644)
    rule = noisy_rule(entry, owned=False, exists="/srv/shop/kept.py".__eq__)
    return rule is not None


@pytest.mark.parametrize("path", DECIDING)
def test_what_decides_stays_significant_wherever_it_lies(path):
    assert not is_noisy(path)


@pytest.mark.parametrize("path", QUIET)
def test_what_services_and_tools_write_stays_noise(path):
    assert is_noisy(path)


def test_links_of_managers_are_noise_where_files_are_not():
    link = Entry("/etc/alternatives/java", EntryType.SYMLINK, 0o777, target="/usr/bin/x")
    assert noisy_rule(link, owned=False, exists=lambda _: False)


def test_ids_are_unique():
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("glob", sorted({g for rule in RULES for g in rule.globs}))
def test_no_rule_is_hidden_by_those_before_it(glob):
    """A path derived from a pattern matches a rule with the class of the pattern's own rule."""
    path = "/" + glob.replace("/**/", "/a/").replace("**", "a/b").replace("*", "x").lstrip("/")
    rule = file_rule(path.replace("?", "2"), owned=False)
    assert rule is not None
    assert rule.file_class in {own.file_class for own in RULES if glob in own.globs}


names = st.sampled_from(["etc", "var", "a", "x.pyc", ".cache", "lib", "b.so", "__pycache__", "\n"])
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
pieces = st.sampled_from(["etc", "var", "a", "*.pyc", ".cache", "**", "*", "?", "lib", "l*"])
globs = st.lists(pieces, min_size=1, max_size=4).map("/".join)
rooted = st.tuples(st.sampled_from(["/", "**/", "/**/"]), globs).map("".join)


@given(st.lists(st.lists(rooted, min_size=1, max_size=3), max_size=5), paths)
def test_the_table_finds_what_a_plain_search_finds(patterns, path):
    rules = [
        FileRule(f"rule-{number}", tuple(group), FileClass.LOG, "because")
        for number, group in enumerate(patterns)
    ]
    plain = next((r for r in rules if compile_globs(r.globs).match(path)), None)
    assert RuleTable(rules).find(path) is plain
