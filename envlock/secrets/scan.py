"""Scan text and files for secrets, by their format, their name, and the names of settings.

This is the second line of defence (see `envlock.secrets.redact`): it misses too much for the first.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import NamedTuple

from envlock.model.glob import compile_globs


class SecretRule(NamedTuple):
    """A format of secrets: its id and the pattern that finds it.

    Every text that the pattern matches contains one of `hints`; searching for these first is ten
    times as fast as trying the pattern.
    """

    id: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ("",)

    def finds(self, text: str) -> bool:
        """True when `text` contains such a secret."""
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
"""The formats, the most certain first."""

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
"""A setting with a name like a password and a literal value; searched for in configuration only."""

_PASSWORD_INSIDE = re.compile(
    rf"(?i)(?<![\w.-])[\"']?[\w.-]{{0,64}}{_PASSWORD_NAME}[\"']?\s{{0,9}}[:=]\s{{0,9}}{_NO_PASSWORD}"
    r"([\"'])[^\"'\s<>]{6,}\1"
    rf"|(?<=[{{,])\s{{0,9}}[\w.-]{{0,64}}{_PASSWORD_NAME}\s{{0,9}}[:=]\s{{0,9}}{_NO_PASSWORD}"
    r"[^\s\"',;(){}\[\]<>]{6,}\s{0,9}[,}]"
    rf"|<[\w.:-]{{0,64}}{_PASSWORD_NAME}(?:\s[^<>]{{0,200}})?>\s{{0,9}}{_NO_PASSWORD}"
    r"[^<>\s]{6,}\s{0,9}</",
)
"""The same within a line: JSON, flow style of YAML or TOML, attributes and elements of XML."""
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
    """Return a number that almost certainly changes when a rule about secret files changes."""
    patterns = [rule.pattern for rule in (*RULES, PASSWORD_SETTING)]
    patterns += [_SECRET_NAMES, _CONFIGURATION, _PROSE, _PASSWORD_INSIDE]
    return zlib.crc32("\0".join(pattern.pattern for pattern in patterns).encode()) or 1


def find_secret(value: str) -> str | None:
    """Return the id of the first rule that finds a secret in `value`, or None."""
    return next((rule.id for rule in RULES if rule.finds(value)), None)


def is_secret_file(path: str, content: bytes) -> str | None:
    """Return the id of the rule by which a file is secret, or None.

    `content` may be empty for a file that is too large for a key or a configuration; then only its
    name decides.  Public keys and certificates are not secret.
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
