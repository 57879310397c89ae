"""Secrets never leave: what may be recorded is listed, everything else is hidden.

Three nets, in this order.  A variable's value is recorded only when its name is on the list of
those that shape how software behaves.  Every value and every file that would be recorded is then
searched for the shapes of secrets.  And URLs lose their credentials wherever they appear.
Detection is the second net, never the first: names and shapes miss too much.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from envlock.model.glob import compile_globs
from envlock.model.record import Record
from envlock.model.text import to_bytes

ALLOWED = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "HOME_MODE", "UMASK", "DEBIAN_FRONTEND",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "LD_BIND_NOW", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES",
    "PYTHON*", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "CONDA_PREFIX", "PIP_NO_CACHE_DIR",
    "UV_*_DIR", "UV_COMPILE_BYTECODE", "UV_LINK_MODE", "POETRY_VERSION",
    "NODE_ENV", "NODE_VERSION", "NODE_OPTIONS", "NPM_CONFIG_LOGLEVEL", "YARN_VERSION",
    "JAVA_HOME", "JAVA_VERSION", "JAVA_OPTS", "JAVA_TOOL_OPTIONS", "MAVEN_OPTS", "GOPATH",
    "GOVERSION", "GOLANG_VERSION", "GOFLAGS", "RUST_VERSION", "RUSTFLAGS", "CARGO_HOME",
    "RUSTUP_HOME", "RUBY_VERSION", "GEM_HOME", "BUNDLE_PATH", "PERL5LIB", "R_HOME", "R_LIBS*",
    "PHP_VERSION", "PHP_INI_DIR", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS",
    "OMP_*", "GOMP_*", "OPENBLAS_*", "MKL_*", "BLIS_*", "FLEXIBLAS*", "NUMEXPR_*", "NUMBA_*",
    "KMP_*", "GOTO_NUM_THREADS", "TBB_*",
    "VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES", "ATEN_CPU_CAPABILITY",
    "CUDA_VERSION", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_DEVICE_MAX_CONNECTIONS", "CUDA_CACHE_*",
    "CUDA_FORCE_PTX_JIT", "CUDA_DISABLE_PTX_JIT", "CUDA_MPS_*", "CUBLAS_*", "CUBLASLT_*", "CUDNN_*",
    "NCCL_*", "NVSHMEM_*", "NV_*_VERSION", "NVIDIA_TF32_OVERRIDE", "NVIDIA_IMEX_CHANNELS",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_REQUIRE_*",
    "NVIDIA_DISABLE_REQUIRE", "NVARCH", "PYTORCH_*", "TORCH_CUDA_ARCH_LIST", "TF_*", "XLA_FLAGS",
    "JAX_PLATFORMS", "TORCH_NCCL_*", "GLOO_SOCKET_IFNAME", "ROCM_PATH", "ROCM_HOME",
    "ROCR_VISIBLE_DEVICES", "HIP_*", "HSA_*", "GPU_DEVICE_ORDINAL", "MIOPEN_*", "RCCL_*",
    "ZE_AFFINITY_MASK", "OMPI_MCA_*", "UCX_*", "FI_PROVIDER", "I_MPI_*", "SLURM_CPU_BIND",
    "MODULEPATH", "EBROOT*", "EBVERSION*", "SPACK_ROOT",
    "NGINX_VERSION", "NJS_VERSION", "PG_VERSION", "PG_MAJOR", "PGDATA", "REDIS_VERSION",
    "MYSQL_VERSION", "MONGO_VERSION", "SOURCE_DATE_EPOCH", "TERM_PROGRAM_VERSION",
)  # fmt: skip
"""Variables whose values shape behaviour and are not secret by their nature; `*` as in a shell."""

VOLATILE = (
    "_", "SHLVL", "PWD", "OLDPWD", "TERM", "COLORTERM", "COLUMNS", "LINES", "HOSTNAME", "HOST",
    "USER", "LOGNAME", "USERNAME", "HOME", "MAIL", "SHELL", "DISPLAY", "WAYLAND_DISPLAY",
    "XAUTHORITY", "WINDOWID", "SSH_*", "GPG_TTY", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_*", "DESKTOP_SESSION", "SESSION_MANAGER", "LS_COLORS", "LESS*", "PAGER", "EDITOR",
    "VISUAL", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "HIST*", "BASH*", "ZSH*", "TMUX*", "STY",
    "TMPDIR", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_*", "MANAGERPID", "NOTIFY_SOCKET",
    "LISTEN_*", "SUDO_*", "CI", "CI_*", "GITHUB_*", "GITLAB_*", "RUNNER_*", "BUILDKITE*",
    "JENKINS_*", "PYTEST_*", "COVERAGE_*", "VSCODE_*", "TERM_PROGRAM*", "ENVLOCK_*", "NO_COLOR",
    "FORCE_COLOR", "CLICOLOR*", "debian_chroot", "PYTHONUNBUFFERED_SESSION",
)  # fmt: skip
"""Variables of a session, not of an environment: on a host they are not recorded at all."""


class SecretRule(NamedTuple):
    """A shape of secrets: its id and the pattern that finds it.

    One of `hints` stands in every text that the pattern matches; looking for them first is ten
    times as fast as trying the pattern.
    """

    id: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ("",)

    def finds(self, text: str) -> bool:
        """True when `text` holds such a secret."""
        return any(hint in text for hint in self.hints) and bool(self.pattern.search(text))


def _rule(name: str, pattern: str, *hints: str) -> SecretRule:
    return SecretRule(name, re.compile(pattern), hints or ("",))


RULES = (
    _rule("private-key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", "PRIVATE KEY"),
    _rule(
        "url-credentials",
        r"\b[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s/?#\"'<>:@]*:[^\s/?#\"'<>@${}]+@",
        "://",
    ),
    _rule(
        "json-web-token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}", "eyJ"
    ),
    _rule(
        "aws-access-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", "AKIA", "ASIA", "ABIA", "ACCA"
    ),
    _rule(
        "github-token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
    ),
    _rule(
        "gitlab-token",
        r"\bgl(?:pat|dt|rt|cbt|ptt|soat|agent)-[A-Za-z0-9_-]{20,}",
        "glpat-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glsoat-",
        "glagent-",
    ),
    _rule("slack-token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", "xox"),
    _rule(
        "slack-webhook",
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}",
        "hooks.slack",
    ),
    _rule("stripe-key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", "k_live_", "k_test_"),
    _rule("google-api-key", r"\bAIza[A-Za-z0-9_-]{35}\b", "AIza"),
    _rule("google-oauth", r"\bya29\.[A-Za-z0-9_-]{20,}", "ya29."),
    _rule("openai-key", r"\bsk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,}", "sk-"),
    _rule("huggingface-token", r"\bhf_[A-Za-z0-9]{30,}", "hf_"),
    _rule(
        "npm-token", r"\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=\s*[^\s$]{8,}", "npm_", "_authToken"
    ),
    _rule("pypi-token", r"\bpypi-[A-Za-z0-9_-]{32,}", "pypi-"),
    _rule("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}", "dckr_"),
    _rule("docker-auth", r"\"auth\"\s*:\s*\"[A-Za-z0-9+/=]{8,}\"", '"auth"'),
    _rule("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", "_v1_"),
    _rule("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}", "SG."),
    _rule("twilio-key", r"\bSK[0-9a-f]{32}\b", "SK"),
    _rule("telegram-token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}", ":AA"),
    _rule("vault-token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}", "hvs.", "hvb.", "hvr."),
    _rule("age-key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}", "AGE-SECRET"),
    _rule(
        "azure-key",
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{40,}",
        "AccountKey",
        "SharedAccessKey",
    ),
    _rule("linear-key", r"\blin_api_[A-Za-z0-9]{32,}", "lin_api_"),
    _rule("databricks-token", r"\bdapi[a-f0-9]{32}\b", "dapi"),
    _rule("shopify-token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b", "shp"),
    _rule("crypt-hash", r"(?:^|[:\s\"'=])\$(?:1|2[aby]|5|6|7|y|gy|argon2id?)\$[^\s:\"']{16,}", "$"),
)
"""The shapes, most certain first."""

_PASSWORD_NAME = (
    r"(?:password|passwd|passphrase|secret(?:[_-]?key)?|api[_-]?key"
    r"|(?:api|auth|access|refresh|bearer|bot|deploy|session)[_-]?token|client[_-]?secret"
    r"|requirepass|masterauth)"
)
_NO_PASSWORD = (
    r"(?![\"']?(?:(?:true|false|yes|no|none|null|compat|systemd|files?|db|prompt|required|sufficient"
    r"|optional|requisite|include|substack)\b|[$%*!/]))"
)
PASSWORD_SETTING = _rule(
    "password-setting",
    rf"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+)?[\"']?[\w.-]*{_PASSWORD_NAME}"
    rf"[\"']?[ \t]*(?:[:=][ \t]*|[ \t]+){_NO_PASSWORD}"
    r"[\"']?[^\s\"'#;,()\[\]{}<>]{6,}[\"']?[ \t]*(?:[#;,].*)?$",
)
"""A setting named like a password with a literal value; only looked for in configuration."""

_PASSWORD_INSIDE = re.compile(
    rf"(?i)(?<![\w.-])[\"']?[\w.-]{{0,64}}{_PASSWORD_NAME}[\"']?\s{{0,9}}[:=]\s{{0,9}}{_NO_PASSWORD}"
    r"([\"'])[^\"'\s<>]{6,}\1"
    rf"|(?<=[{{,])\s{{0,9}}[\w.-]{{0,64}}{_PASSWORD_NAME}\s{{0,9}}[:=]\s{{0,9}}{_NO_PASSWORD}"
    r"[^\s\"',;(){}\[\]<>]{6,}\s{0,9}[,}]"
    rf"|<[\w.:-]{{0,64}}{_PASSWORD_NAME}(?:\s[^<>]{{0,200}})?>\s{{0,9}}{_NO_PASSWORD}"
    r"[^<>\s]{6,}\s{0,9}</",
)
"""The same within a line: of JSON, of a flow of YAML or TOML, an attribute or element of XML."""
_HINT = re.compile(r"(?i)pass|secret|token|api[_-]?key|masterauth")
_COMMENTS = ("#", ";", "//", "<!--", "*")

_SETTING_FILES = (
    "conf", "cfg", "cnf", "ini", "env", "properties", "yaml", "yml", "toml", "json", "secret",
    "secrets",
)  # fmt: skip
_CONFIGURATION = compile_globs(
    (
        "/etc/**",
        "**/.env",
        "**/.env.*",
        *(f"**/*.{suffix}" for suffix in _SETTING_FILES),
    )
)
_USERINFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^\s/?#\"']*@")
_SECRET_NAMES = compile_globs(
    (
        "**/.netrc",
        "**/_netrc",
        "**/.pgpass",
        "**/.my.cnf",
        "**/.git-credentials",
        "**/.docker/config.json",
        "**/.dockercfg",
        "**/.aws/credentials",
        "**/.npmrc",
        "**/.pypirc",
        "**/.kube/config",
        "**/.ssh/id_*",
        "**/.ssh/*_key",
        "**/.gnupg/**",
        "**/.password-store/**",
        "**/.config/gcloud/**",
        "**/.azure/**",
        "**/.vault-token",
        "**/.htpasswd",
        "**/htpasswd",
        "/etc/ssl/private/**",
        "/etc/krb5.keytab",
        "**/*.keytab",
        "**/*.jks",
        "**/*.p12",
        "**/*.pfx",
        "**/*.kdbx",
        "/etc/wireguard/*.conf",
        "/etc/openvpn/**/*.key",
        "/etc/ppp/*-secrets",
        "/etc/security/opasswd",
        "/etc/NetworkManager/system-connections/**",
        "/etc/apt/auth.conf",
        "/etc/apt/auth.conf.d/**",
        "/etc/sudo_*secret*",
        "/run/secrets/**",
        "/var/lib/secrets/**",
    )
)
SECRET_NAME = "secret-name"
_PROSE = compile_globs(("/var/lib/dpkg/**", "/usr/share/**", "/usr/include/**"))
_BINARY_PROBE = 8192


@cache
def rules_id() -> int:
    """Return a number that changes, with near certainty, when a rule about secret files does."""
    patterns = [rule.pattern for rule in (*RULES, PASSWORD_SETTING)]
    patterns += [_SECRET_NAMES, _CONFIGURATION, _PROSE, _PASSWORD_INSIDE]
    return zlib.crc32("\0".join(pattern.pattern for pattern in patterns).encode()) or 1


def find_secret(value: str) -> str | None:
    """Return the id of the first rule that sees a secret in `value`, or None."""
    return next((rule.id for rule in RULES if rule.finds(value)), None)


def mask_secrets(text: str) -> str:
    """Return `text` with whatever has the shape of a secret replaced by ``***``.

    Of a private key only its first line is one: look for it with `find_secret` afterwards.
    """
    for rule in RULES:
        if rule.id != "private-key" and rule.finds(text):
            text = rule.pattern.sub("***", text)
    return text


def is_secret_file(path: str, content: bytes) -> str | None:
    """Return the rule by which a file that would travel by value is secret, or None.

    `content` may be empty for a file too large to be a key or a configuration; then only its
    name counts.  Public halves of keys are not secret.
    """
    if _SECRET_NAMES.match(path) and not path.endswith((".pub", ".crt", ".cer")):
        return SECRET_NAME
    if b"\0" in content[:_BINARY_PROBE] or _PROSE.match(path):
        return None
    text = content.decode("utf-8", "replace")
    if _CONFIGURATION.match(path) and _HINT.search(text) and _has_password(text):
        return PASSWORD_SETTING.id
    return find_secret(text)


def _has_password(text: str) -> bool:
    if PASSWORD_SETTING.pattern.search(text):
        return True
    for found in _PASSWORD_INSIDE.finditer(text):
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start() + 2]
        if not line.lstrip().startswith(_COMMENTS):
            return True
    return False


def strip_credentials(text: str) -> str:
    """Return `text` with user and password removed from every URL in it."""
    return _USERINFO.sub(r"\1", text)


def strip_record(record: Record) -> Record:
    """Return `record` with the credentials of every URL in its facts removed.

    A collector that knows of URLs does it itself; a URL in a place for something else must not
    keep a whole machine from being captured.
    """
    if not any("://" in value for value in record.facts.values()):
        return record
    facts = {name: strip_credentials(value) for name, value in record.facts.items()}
    return record._replace(facts=facts)


def redact_text(text: str) -> str:
    """Return text (a kernel command line, an argument) with secrets replaced by ``***``."""
    for rule in (*RULES, PASSWORD_SETTING):
        if any(hint in text for hint in rule.hints):
            text = rule.pattern.sub("***", text)
    return _ASSIGNED.sub(r"\1***", text)


_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|credential)[\w.-]{0,64}[= ])\S+"
)


_DEVICE = re.compile(r"\b(GPU|MIG)-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A GPU by its UUID, as in NVIDIA_VISIBLE_DEVICES: it names one device in the world."""


def redact_environ(
    environ: Mapping[str, str],
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    *,
    is_session: bool = False,
) -> Iterator[Record]:
    """Yield a record of section ``env`` for each variable.

    A variable on the list, and not in `deny`, has its ``value``; a value that looks like a secret
    all the same, and any other variable, has only ``secret = "present"``.  `allow` adds to the
    list.  With `is_session` (a host) the variables of the session are left out.
    """
    allowed, denied = (*ALLOWED, *allow), tuple(deny)
    for name, value in sorted(environ.items()):
        if not name or (is_session and _matches(name, VOLATILE) and not _matches(name, allow)):
            continue
        shown = _matches(name, allowed) and not _matches(name, denied)
        if shown and value and find_secret(value) is None:
            yield Record("env", name, {"value": _DEVICE.sub(r"\1-***", value)})
        elif shown and not value:
            yield Record("env", name, {"empty": "true"})
        else:
            yield Record("env", name, {"secret": "present"})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def digest_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of lines in which every secret is replaced.

    The plain digest of a secret can be guessed, so it is taken without them.
    """
    shown = redact_text("".join(f"{line}\n" for line in lines))
    return hashlib.sha256(to_bytes(shown)).hexdigest()
