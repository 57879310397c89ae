"""What a machine writes while it runs, and what its packages make of what is installed, as data.

These rules stand among those of `envlock.capture.files.rules`.  What a rebuilt system needs in
order to work is `generated`, whose content is kept; what a program makes again when it is missing
is a `cache`.
"""

from __future__ import annotations

from envlock.capture.files.rule_table import FileRule
from envlock.model.tree import FileClass

_CACHE, _LOG, _STATE = FileClass.CACHE, FileClass.LOG, FileClass.STATE
_GENERATED, _IDENTITY, _SECRET = FileClass.GENERATED, FileClass.IDENTITY, FileClass.SECRET


def _homes(*names: str) -> tuple[str, ...]:
    return tuple(f"{home}/{name}" for home in ("/root", "/home/*") for name in names)


RUNTIME_RULES: tuple[FileRule, ...] = (
    FileRule(
        "apt-partial",
        ("/var/cache/apt/archives/partial", "/var/lib/apt/lists/partial"),
        _CACHE,
        "given to the account that downloads, at the first download",
        even_if_owned=True,
    ),
    FileRule(
        "host-identity",
        (
            "/etc/iscsi/initiatorname.iscsi",
            "/etc/nvme/hostid",
            "/etc/nvme/hostnqn",
            "/etc/docker/key.json",
            "/etc/machine-info",
            "/etc/mailname",
            "/etc/salt/minion_id",
            "/etc/salt/pki/**",
            "/etc/puppetlabs/puppet/ssl/**",
            "/etc/udev/rules.d/70-persistent-*",
            "/var/lib/cloud/**",
            "/var/lib/tailscale/**",
            "/var/lib/puppet/ssl/**",
        ),
        _IDENTITY,
        "names this one machine, or was given to it alone",
    ),
    FileRule(
        "random-seeds",
        (
            "/var/lib/systemd/random-seed",
            "/var/lib/systemd/credential.secret",
            "/var/lib/urandom/random-seed",
            "/var/lib/random-seed",
            "/var/lib/misc/random-seed",
            "/boot/loader/random-seed",
            "/boot/efi/loader/random-seed",
            *_homes(".rnd", ".gnupg/random_seed"),
        ),
        _IDENTITY,
        "randomness carried from one boot to the next; two machines must not share it",
    ),
    FileRule(
        "session-secrets",
        (
            "/etc/brlapi.key",
            "/etc/rancher/node/password",
            "/var/lib/NetworkManager/secret_key",
            *_homes(".Xauthority", ".ICEauthority", ".config/pulse/cookie"),
        ),
        _SECRET,
        "keys and cookies by which programs of one machine know each other",
    ),
    FileRule(
        "snaps",
        ("/snap", "/snap/**", "/var/snap/**", *_homes("snap/**")),
        _STATE,
        "mounted images of snaps and their data; snapd keeps its own records",
    ),
    FileRule(
        "package-leftovers",
        (
            *(f"**/*.dpkg-{kind}" for kind in ("old", "dist", "new", "tmp", "bak", "remove")),
            *(f"**/*.ucf-{kind}" for kind in ("old", "dist", "new")),
            *(f"**/*.{kind}" for kind in ("rpmsave", "rpmorig", "rpmnew", "rpmmoved")),
            *(f"**/*.{kind}" for kind in ("pacnew", "pacsave", "pacorig", "apk-new")),
            "/etc/apt/*.save",
            "/etc/apt/*/*.save",
            "/etc/apt/*/*.distUpgrade",
        ),
        _STATE,
        "the other version of a file, left by an upgrade for the administrator to look at",
    ),
    FileRule(
        "editor-leftovers",
        ("**/*.swp", "**/*.swo", "/etc/*~", "/etc/*/*~"),
        _STATE,
        "copies that editors keep beside a file",
    ),
    FileRule(
        "etc-history",
        ("/etc/.etckeeper", "/etc/.git", "/etc/.git/**", "/etc/.hg/**", "/etc/.bzr/**"),
        _SECRET,
        "the history of /etc, with every secret that ever stood in it",
    ),
    FileRule(
        "locks-and-stamps",
        (
            *(f"/etc/{name}.lock" for name in ("passwd", "group", "shadow", "gshadow")),
            "/etc/ptmp",
            "/etc/gtmp",
            "/etc/nologin",
            "/etc/.updated",
            "/etc/.clean",
            "/var/.updated",
            "/.autorelabel",
            "/.autofsck",
            "/.readahead",
            "/forcefsck",
            "/fastboot",
            "/etc/init.d/.depend.*",
            "/etc/.java/.systemPrefs/**",
        ),
        _STATE,
        "locks, and stamps of what was done when",
    ),
    FileRule(
        "swap-and-dumps",
        ("/swapfile", "/swap", "/swap.img", "/var/swap", "/core", "/core.*", "/var/crash/**"),
        _LOG,
        "memory written to disk",
    ),
    FileRule(
        "desktop-indices",
        (
            "/usr/share/mime/**",
            "**/icon-theme.cache",
            "**/mimeinfo.cache",
            "**/giomodule.cache",
            "**/loaders.cache",
            "**/immodules.cache",
            "**/gschemas.compiled",
            "/usr/share/fonts/**/.uuid",
            "/usr/local/share/fonts/**/.uuid",
            "/usr/local/share/fonts/.uuid",
            "/usr/share/info/dir",
            "/usr/share/info/dir.gz",
            "/usr/share/info/dir.old",
            "**/ls-R",
            "/usr/share/vim/**/tags",
            "/usr/share/emacs/**/*.elc",
        ),
        _GENERATED,
        "indices that packages make of the files beside them",
    ),
    FileRule(
        "kernel-indices",
        (
            "/lib/modules/*/modules.*",
            "/usr/lib/modules/*/modules.*",
            "/boot/initrd*",
            "/boot/initramfs*",
            "/boot/grub/**",
            "/boot/grub2/**",
            "/boot/loader/entries.srel",
            "/usr/lib/udev/hwdb.bin",
            "/lib/udev/hwdb.bin",
            "/etc/udev/hwdb.bin",
        ),
        _GENERATED,
        "made for this hardware from installed kernels and rules; host.kernel tells what runs",
    ),
    FileRule(
        "locale-archive",
        ("/usr/lib/locale/**",),
        _GENERATED,
        "made by locale-gen; the locale section compares which are there",
    ),
    FileRule(
        "class-data-archives",
        ("**/classes.jsa", "**/classes_nocoops.jsa", "**/classes_coh.jsa"),
        _GENERATED,
        "made by a Java runtime of its own classes",
    ),
    FileRule(
        "map-databases",
        ("/etc/aliases.db", "/etc/postfix/*.db", "/etc/mail/*.db"),
        _GENERATED,
        "made by newaliases and postmap from the text beside them",
    ),
    FileRule(
        "policy-caches",
        (
            "/etc/apparmor.d/cache/**",
            "/etc/apparmor.d/cache.d/**",
            "/etc/selinux/*/contexts/files/*.bin",
        ),
        _GENERATED,
        "security policy compiled from the text beside it",
    ),
    FileRule(
        "trust-stores",
        (
            "/etc/pki/ca-trust/extracted/**",
            "/etc/ca-certificates/extracted/**",
            "/etc/pki/java/cacerts",
            "/etc/ssl/cert.pem",
            "/etc/ssl/ca-bundle.pem",
        ),
        _GENERATED,
        "made from the installed certificates; the certificate section compares them",
    ),
    FileRule(
        "device-state",
        (
            "/etc/cups/subscriptions.conf*",
            "/etc/cups/*.O",
            "/etc/lvm/archive/**",
            "/etc/lvm/backup/**",
            "/etc/lvm/cache/**",
            "/etc/multipath/bindings",
            "/etc/multipath/wwids",
            "/etc/zfs/zpool.cache",
            "/etc/console-setup/cached_*",
            "/aquota.*",
        ),
        _STATE,
        "which devices were last seen, as the services that watch them noted it",
    ),
    FileRule(
        "network-state",
        (
            "/etc/resolvconf/run/**",
            "/etc/network/run/**",
            "/etc/resolv.conf.*",
            "/etc/ppp/resolv.conf",
            *_homes(".ssh/known_hosts", ".ssh/known_hosts.old", ".ssh/control-*"),
        ),
        _STATE,
        "what the network told, and which hosts were met",
    ),
    FileRule(
        "session-traces",
        _homes(
            ".viminfo",
            ".xsession-errors*",
            ".sudo_as_admin_successful",
            ".motd_shown",
            ".selected_editor",
            ".local/state/**",
            ".local/share/recently-used.xbel",
            ".local/share/Trash/**",
            ".dbus/**",
            ".npm/_logs/**",
        ),
        _LOG,
        "traces of interactive use",
    ),
    FileRule(
        "tool-caches",
        (
            "**/.pytest_cache/**",
            "**/.mypy_cache/**",
            "**/.ruff_cache/**",
            "**/.hypothesis/**",
            "**/.ipynb_checkpoints/**",
            "**/.DS_Store",
            *_homes(
                ".npm/_cacache/**",
                ".nv/ComputeCache/**",
                ".triton/cache/**",
                ".cupy/kernel_cache/**",
            ),
        ),
        _CACHE,
        "what tools keep so as not to compute or fetch it again",
    ),
    FileRule(
        "variable-data",
        (
            "/var/db/**",
            "/var/games/**",
            "/var/kerberos/**",
            "/var/lock/**",
            "/var/nis/**",
            "/var/opt/**",
            "/var/preserve/**",
            "/var/run/**",
            "/var/yp/**",
        ),
        _STATE,
        "what services keep below /var (Filesystem Hierarchy Standard 5)",
    ),
    FileRule("accounting", ("/var/account/**", "/var/adm/**"), _LOG, "logs under older names"),
)
