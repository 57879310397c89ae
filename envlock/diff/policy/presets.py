"""Presets: ignore rules for differences that are normal between certain kinds of environments.

A preset only hides differences, and they are counted under its name.  It never hides packages that
a program could need, kernels, drivers or limits: those are requirements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Noise(NamedTuple):
    """Ignore rules (``SECTION:KEY[:FIELD]``) with a common reason and its source."""

    rules: tuple[str, ...]
    reason: str
    source: str


class Preset(NamedTuple):
    """One preset: when to use it, and what it hides."""

    title: str
    noise: tuple[Noise, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule of the preset."""
        return tuple(rule for noise in self.noise for rule in noise.rules)


def _of(section: str, *keys: str) -> tuple[str, ...]:
    return tuple(f"{section}:{key}" for key in keys)


PRESETS: Mapping[str, Preset] = {
    "ci-runner": Preset(
        "one side is a job of a CI service",
        (
            Noise(
                _of(
                    "env",
                    "CI",
                    "CI_*",
                    "GITHUB_*",
                    "RUNNER_*",
                    "ACTIONS_*",
                    "ImageOS",
                    "ImageVersion",
                    "GITLAB_*",
                    "JENKINS_*",
                    "HUDSON_*",
                    "BUILD_*",
                    "BUILDKITE*",
                    "CIRCLE*",
                    "TRAVIS*",
                    "TF_BUILD",
                    "AGENT_*",
                    "SYSTEM_*",
                    "BITBUCKET_*",
                    "DRONE*",
                    "TEAMCITY_*",
                ),
                "the service describes the job to programs",
                "the variable references of the services",
            ),
            Noise(
                _of(
                    "env", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "DEBIAN_FRONTEND"
                ),
                "set by what starts the job",
                "systemd.exec(5); debconf(7)",
            ),
            Noise(
                _of(
                    "file",
                    "/home/runner/runners/**",
                    "/home/runner/actions-runner/**",
                    "/home/runner/work/_**",
                    "/opt/hostedtoolcache/**",
                    "/opt/actionarchivecache/**",
                    "/imagegeneration/**",
                    "/builds/**.tmp/**",
                ),
                "the runner itself, and tools that a job must select before use",
                "the layout of hosted runner images",
            ),
            Noise(
                ("user:runner", "user:runneradmin", "group:runner", "group:runneradmin"),
                "the account of the runner",
                "the layout of hosted runner images",
            ),
        ),
    ),
    "container-vs-host": Preset(
        "one side is a container or image, the other a machine",
        (
            Noise(
                _of(
                    "deb",
                    "linux-image-*",
                    "linux-headers-*",
                    "linux-base*",
                    "linux-modules-*",
                    "initramfs-tools*",
                    "dracut*",
                    "grub*",
                    "shim-*",
                    "systemd-boot*",
                    "os-prober*",
                    "efibootmgr*",
                    "mokutil*",
                    "firmware-*",
                    "*-microcode:*",
                ),
                "a container does not boot",
                "Debian sections kernel and admin",
            ),
            Noise(
                _of(
                    "file",
                    "/boot/**",
                    "/boot",
                    "/vmlinuz*",
                    "/initrd.img*",
                    "/usr/lib/modules/**",
                    "/usr/lib/modules",
                    "/lib/modules/**",
                    "/etc/kernel/**",
                    "/etc/initramfs-tools/**",
                    "/etc/default/grub",
                    "/etc/default/grub.d/**",
                    "/etc/grub.d/**",
                    "/etc/fstab",
                    "/etc/crypttab",
                ),
                "a container does not boot or mount file systems",
                "Filesystem Hierarchy Standard; fstab(5)",
            ),
            Noise(
                _of(
                    "file",
                    "/etc/hostname",
                    "/etc/hosts",
                    "/etc/resolv.conf",
                    "/etc/mtab",
                    "/.dockerenv",
                    "/run/.containerenv",
                    "/.dockerinit",
                ),
                "the engine writes it when the container starts",
                "docker run reference; podman-run(1)",
            ),
            Noise(
                _of(
                    "file",
                    "/etc/dpkg/dpkg.cfg.d/docker*",
                    "/etc/apt/apt.conf.d/docker-*",
                    "/usr/sbin/policy-rc.d",
                ),
                "how base images of Debian keep packages small and services stopped",
                "debuerreotype, the tool that makes the images",
            ),
            Noise(
                ("service", "process"),
                "a container runs one command, a machine starts services",
                "OCI runtime specification, process",
            ),
            Noise(
                ("host.firmware", "host.module"),
                "a container has neither firmware nor modules of its own",
                "namespaces(7)",
            ),
            Noise(
                _of("env", "HOSTNAME", "HOME", "container", "TERM", "SHLVL", "PWD", "OLDPWD", "_"),
                "set by the engine or the login shell",
                "docker run reference; environ(7)",
            ),
        ),
    ),
    "volatile-debian": Preset(
        "both sides are Debian or based on it",
        (
            Noise(
                _of(
                    "file",
                    "/etc/machine-id",
                    "/var/lib/dbus/machine-id",
                    "/etc/ssh/ssh_host_*",
                    "/etc/ssl/certs/ssl-cert-snakeoil.pem",
                    "/etc/ssl/private/ssl-cert-snakeoil.key",
                    "/etc/popularity-contest.conf",
                    "/etc/iscsi/initiatorname.iscsi",
                    "/etc/nvme/hostid",
                    "/etc/nvme/hostnqn",
                ),
                "created once on each machine to identify it",
                "machine-id(5); sshd(8); make-ssl-cert(8)",
            ),
            Noise(
                _of(
                    "file",
                    "/etc/passwd-",
                    "/etc/group-",
                    "/etc/shadow-",
                    "/etc/gshadow-",
                    "/etc/subuid-",
                    "/etc/subgid-",
                    "/etc/.pwd.lock",
                    "/var/lib/dpkg/*-old",
                    "/var/backups/**",
                    "/etc/**.dpkg-old",
                    "/etc/**.dpkg-dist",
                    "/etc/**.ucf-old",
                    "/etc/**.ucf-dist",
                ),
                "backup copies, and new versions that were not installed",
                "passwd(1); dpkg(1); ucf(1)",
            ),
            Noise(
                _of(
                    "file",
                    "/etc/adjtime",
                    "/etc/.updated",
                    "/var/.updated",
                    "/etc/ld.so.cache",
                    "/etc/udev/hwdb.bin",
                    "/etc/aliases.db",
                    "/etc/blkid.tab*",
                    "/etc/lvm/archive/**",
                    "/etc/lvm/backup/**",
                    "/etc/lvm/cache/**",
                    "/etc/network/run/**",
                    "/etc/console-setup/cached*",
                    "/etc/apparmor.d/cache/**",
                    "/etc/cups/subscriptions.conf*",
                    "/etc/mtab",
                ),
                "written by running programs, or generated from files that are compared",
                "the rules that Debian ships for aide(1)",
            ),
        ),
    ),
}
"""Every preset by name; `envlock.config.policy_tables.PRESETS` has the same names."""
