"""File rules for what a running system writes and what package scripts generate.

They are part of `envlock.capture.files.rules.RULES`.  Files that a rebuilt system needs in order to
work have the class `generated`, whose content is stored; files that a program creates again when
they are missing have the class `cache`.
"""

from __future__ import annotations

from envlock.capture.files.rule_table import FileRule
from envlock.model.deciding import Kind
from envlock.model.tree import FileClass

_CACHE, _LOG, _STATE = FileClass.CACHE, FileClass.LOG, FileClass.STATE
_GENERATED, _IDENTITY, _SECRET = FileClass.GENERATED, FileClass.IDENTITY, FileClass.SECRET


def _homes(*names: str) -> tuple[str, ...]:
    return tuple(f"{home}/{name}" for home in ("/root", "/home/*") for name in names)


_MEDIA_TYPES = (
    "application", "audio", "chemical", "font", "image", "inode", "message", "model", "multipart",
    "text", "video", "x-content", "x-epoc", "x-scheme-handler",
)  # fmt: skip

RUNTIME_RULES: tuple[FileRule, ...] = (
    FileRule(
        "apt-partial",
        ("/var/cache/apt/archives/partial", "/var/lib/apt/lists/partial"),
        _CACHE,
        "apt changes the owner to its download account at the first download",
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
        "identifies this machine, or was issued to it alone",
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
        "random data saved from one boot to the next; two machines must not share it",
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
        "keys and cookies by which programs on one machine authenticate each other",
    ),
    FileRule(
        "snaps",
        ("/snap", "/snap/**", "/var/snap/**", *_homes("snap/**")),
        _STATE,
        "mounted snaps and their data; the snap section lists the snaps",
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
        "another version of a file, left by an upgrade for the administrator",
    ),
    FileRule(
        "editor-leftovers",
        ("**/*.swp", "**/*.swo", "/etc/*~", "/etc/*/*~"),
        _STATE,
        "backup and swap files of editors",
    ),
    FileRule(
        "etc-history",
        ("/etc/.etckeeper", "/etc/.git", "/etc/.git/**", "/etc/.hg/**", "/etc/.bzr/**"),
        _SECRET,
        "the history of /etc, with every secret it ever contained",
    ),
    FileRule(
        "locks-and-stamps",
        (
            *(f"/etc/{name}.lock" for name in ("passwd", "group", "shadow", "gshadow")),
            "/etc/ptmp",
            "/etc/gtmp",
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
        "lock files and timestamps",
        keeps=Kind.SETTING,
    ),
    FileRule(
        "swap-and-dumps",
        ("/swapfile", "/swap", "/swap.img", "/var/swap", "/core", "/core.*", "/var/crash/**"),
        _LOG,
        "swap files and crash dumps: memory written to disk",
    ),
    FileRule(
        "desktop-indices",
        (
            "/usr/share/mime/*",
            *(f"/usr/share/mime/{kind}/**" for kind in _MEDIA_TYPES),
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
        "indexes that package triggers generate from the files beside them",
        keeps=Kind.WITHOUT_SOURCE,
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
        "generated for this hardware from the installed kernels and rules",
    ),
    FileRule(
        "locale-archive",
        ("/usr/lib/locale/**",),
        _GENERATED,
        "generated by locale-gen; the locale section compares the locales",
    ),
    FileRule(
        "class-data-archives",
        ("**/classes.jsa", "**/classes_nocoops.jsa", "**/classes_coh.jsa"),
        _GENERATED,
        "generated by a Java runtime from its own classes",
    ),
    FileRule(
        "map-databases",
        ("/etc/aliases.db", "/etc/postfix/*.db", "/etc/mail/*.db"),
        _GENERATED,
        "generated by newaliases and postmap from the text files beside them",
        keeps=Kind.WITHOUT_SOURCE,
    ),
    FileRule(
        "policy-caches",
        (
            "/etc/apparmor.d/cache/**",
            "/etc/apparmor.d/cache.d/**",
            "/etc/selinux/*/contexts/files/*.bin",
        ),
        _GENERATED,
        "security policy compiled from the text files beside it",
    ),
    FileRule(
        "trust-stores",
        (
            "/etc/pki/ca-trust/extracted/**",
            "/etc/ca-certificates/extracted/**",
            "/etc/pki/java/cacerts",
            "/etc/ssl/cert.pem",
            "/etc/ssl/ca-bundle.pem",
            "/var/lib/ca-certificates/**",
        ),
        _GENERATED,
        "generated from the installed certificates; the certificate section compares them",
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
        "devices last seen, recorded by the services that watch them",
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
        "settings received from the network, and hosts connected to",
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
        "caches of tools",
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
        "data that services keep below /var (Filesystem Hierarchy Standard 5)",
        keeps=Kind.PROGRAM | Kind.SETTING | Kind.KEY_STORE | Kind.PLUGIN,
    ),
    FileRule("accounting", ("/var/account/**", "/var/adm/**"), _LOG, "logs in older locations"),
)
