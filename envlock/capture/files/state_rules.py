"""File rules for files of services that look like programs or settings and are neither.

They are part of `envlock.capture.files.rules.RULES` and come before the rules that keep programs
and settings below /var/lib and ~/.cache: what a service rewrites while it runs, what it copies from
elsewhere, and what a tool downloads or compiles again when it is missing.
"""

from __future__ import annotations

from envlock.capture.files.rule_table import FileRule
from envlock.model.deciding import Kind
from envlock.model.tree import FileClass

_CACHE, _STATE = FileClass.CACHE, FileClass.STATE
_GENERATED, _IDENTITY = FileClass.GENERATED, FileClass.IDENTITY


def _below(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}/**" for name in names)


_TOOLS = (
    "Homebrew", "JetBrains", "act", "bazel", "bazelisk", "black", "ccache", "composer",
    "coursier", "deno", "esbuild", "flashinfer", "fontconfig", "go-build", "golangci-lint",
    "google-chrome",
    "gopls", "gradle", "helm", "inductor", "jax", "matplotlib", "mesa_shader_cache", "mozilla",
    "nix", "node-gyp", "numba", "nvim", "pip", "pip-tools", "pnpm", "sccache", "thumbnails",
    "torch/inductor", "torch/kernels", "torch_extensions", "triton", "tvm-ffi", "typescript",
    "uv", "vllm", "vscode-cpptools", "yarn", "zig",
)  # fmt: skip

_BUNDLERS = (
    "babel-loader", "css-minimizer-webpack-plugin", "default-development", "default-production",
    "eslint-loader", "gatsby", "hard-source", "nx", "prettier", "storybook", "swc",
    "terser-webpack-plugin", "ts-loader", "turbo", "vite", "vitest", "webpack",
)  # fmt: skip
"""Folders below node_modules/.cache that hold compiled forms; others there may hold programs."""

TOOL_CACHES: tuple[FileRule, ...] = (
    FileRule(
        "build-caches",
        (
            *(f"/**/.cache/{name}/**" for name in _TOOLS),
            *(f"/**/node_modules/.cache/{name}/**" for name in _BUNDLERS),
            "/**/.cache/pypoetry/artifacts/**",
            "/**/.cache/pypoetry/cache/**",
            "/var/cache/jenkins/**",
            "/var/cache/tomcat*/**",
        ),
        _CACHE,
        "downloads and compiled forms that a tool makes again when they are missing",
    ),
)
"""Rules before that for caches."""

STATE_RULES: tuple[FileRule, ...] = (
    FileRule(
        "issued-keys",
        (
            "/var/lib/acme/**",
            "/var/lib/caddy/**",
            "/var/lib/kubelet/pki/**",
            "/var/lib/mysql/*.pem",
            "/var/lib/mysql/auto.cnf",
            "/var/lib/unbound/root.key",
            "/var/lib/waagent/*.crt",
            "/var/lib/waagent/*.prv",
        ),
        _IDENTITY,
        "issued to this machine alone, and renewed by the service",
    ),
    FileRule(
        "package-scripts-output",
        _below(
            "/var/lib",
            *("aspell", "command-not-found", "dictionaries-common", "dkms", "doc-base"),
            *("emacsen-common", "ghostscript", "initramfs-tools", "ispell", "man-db", "mecab"),
            *("pam", "python", "sgml-base", "systemd/deb-systemd-helper-enabled"),
            *("systemd/deb-systemd-helper-masked", "systemd/deb-systemd-user-helper-enabled"),
            *("tex-common", "texmf", "ucf", "usbutils", "xml-core", "authselect"),
        ),
        _GENERATED,
        "indices and copies that scripts of packages write at installation",
    ),
    FileRule(
        "vim-addons",
        ("/var/lib/vim/**",),
        _GENERATED,
        "indices of Vim; the addons that were enabled are no such",
        keeps=Kind.PLUGIN,
    ),
    FileRule(
        "lease-folders",
        _below(
            "/var/lib",
            *("NetworkManager", "calico", "cni", "dhcp", "dhcpcd", "libvirt/dnsmasq"),
        ),
        _STATE,
        "leases and addresses; programs that lie beside them decide",
        keeps=Kind.PROGRAM,
    ),
    FileRule(
        "service-state",
        (
            *_below(
                "/var/lib",
                *("AccountsService", "PackageKit", "amazon", "app-info"),
                *("bluetooth", "colord", "dbus", "flatpak"),
                *("fwupd", "gdm", "gdm3", "google", "insights", "kubelet/cpu_manager_state"),
                *("kubelet/device-plugins", "kubelet/plugins", "kubelet/plugins_registry"),
                *("kubelet/pods", "landscape", "libvirt/qemu", "lightdm"),
                *("logrotate", "plymouth", "rhsm", "rpm-state", "sddm", "snapd"),
                *("sss", "swcatalog", "systemd", "ubuntu-advantage", "ubuntu-drivers-common"),
                *("update-manager", "update-notifier", "upower", "waagent"),
            ),
            "/var/lib/rancher/*/agent/**",
            "/var/lib/rancher/*/data/**",
            "/var/lib/jenkins/war/**",
            "/var/lib/jenkins/updates/**",
            "/var/lib/jenkins/fingerprints/**",
            "/var/lib/jenkins/nodes/*/workspace/**",
            "/var/lib/jenkins/jobs/**/builds/**",
            "/var/lib/jenkins/*.xml.bak",
            "/var/lib/jenkins/queue.xml",
            "/var/lib/jenkins/nodeMonitors.xml",
            "/var/lib/jenkins/hudson.model.UpdateCenter.xml",
            "/var/lib/jenkins/plugins/*/META-INF/**",
            "/var/lib/jenkins/plugins/*/.timestamp2",
            "/var/lib/*/builds/**",
            "/var/lib/*/workspace/**",
            "/var/lib/tomcat*/work/**",
            "/var/db/pkg/**",
            "/var/db/repos/**",
        ),
        _STATE,
        "files that a service rewrites while it runs, or copies from elsewhere",
    ),
)
"""Rules before that for /var/lib, after those for identities and secrets."""
