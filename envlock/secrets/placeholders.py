"""Values that stand where a secret could: placeholders, switches, references, texts for people."""

from __future__ import annotations

import re

from envlock.secrets.names import PASSWORDS, SECRETS, name_words, word_set

_SWITCHES = word_set(
    """
    absent all always any ask auto automatic blank both changeit default disable disabled
    dynamic either empty enable enabled external f fail failed false global include inherit
    interactive internal lazy local manual missing n nan never nil no none null off ok on
    optional passed pending present private prompt public remote required requisite skip
    static substack sufficient t true undef undefined unknown unlimited unset user void y yes
    incorrect invalid set wrong
    """
)
_METHODS = word_set(
    """
    ad anonymous any apop argon2 argon2i argon2id basic bcrypt caching_sha2_password cert
    certificate clear cleartext cms compat cookie cram-md5 cram_md5 crypt crypt-des db deny
    digest digest-md5 dns eap env environment fido file files fingerprint form gnupg gpg
    gssapi hashed header hesiod hmac htpasswd ident identity jwt kerberos kerberos5
    kerberos_v5 keychain keyring krb5 krb5i krb5p ldap ldapi ldaps libsecret login md5
    mschapv2 mutual mysql_native_password native negotiate nis nisplus ntlm oauth oauth1
    oauth2 oidc openid openidconnect pam pbkdf2 peer permit plain plaintext privatekey pubkey
    publickey radius reject saml sasl scram script session shadow simple ssl sspi sss stdin
    store system systemd text tls totp trust trusted vault winbind x509 xoauth2 yescrypt
    yubikey
    """
)
"""What settings about secrets are set to: methods, stores, back ends."""

_TYPES = word_set(
    """
    array binary blob bool boolean bytes char dict double email field float func function
    hidden input int integer list long map mixed number numeric object record scalar secretstr
    sensitive str string struct text tuple unicode uuid value varchar
    """
)
_WORDS = _SWITCHES | _METHODS | _TYPES | PASSWORDS | SECRETS

_INSTRUCTIONS = word_set(
    """
    change changeit changeme dummy enter example examples fake fill fixme insert placeholder
    please put redacted removed replace replaced replaceme sample tbd todo your yours
    """
)
"""Words that alone make a value a placeholder."""

_NOUNS = (
    PASSWORDS
    | SECRETS
    | word_set("apikey clave geheimnis jeton key keys login name passe user username")
)
_FILLERS = word_set(
    """
    a access account admin an and api app application auth bearer bot client current database
    db demo encryption foo from github gitlab goes grafana here hidden host i id in initial is
    it jwt master my mysql new of old one or own postgres private public random real redis
    registry root sa secure server service session set shared signing smtp some something
    super test the this to token top use value with
    """
)
"""Words that, with one for a secret, make a value the name of a secret: `db-root-password`."""

_PUBLIC_VALUES = word_set(
    """
    33f!!lloppa changeit hal+9ooo_da!sy insecure insta notasecret pass:insta
    """
)
"""Literals of configurations that everybody has: Java's cacerts, OpenSSL's, NuGet's, GCP's p12."""
_GLUED = re.compile(
    r"(?:proxy|repo|db|database|user|your|the|server|client|keystore|truststore|store|key|login|new|"
    r"account|smtp|mail|ldap|bind|target|source|some)(?:pass|passwd|password|pwd|secret|token)"
)
"""Names of passwords written as one word, as in commented samples."""

_STARTS = (
    "changeme", "changeit", "change_me", "change-me", "change me", "replace", "your", "insert-",
    "insert_", "enter_", "enter-", "example", "dummy", "placeholder", "redacted", "todo", "fixme",
    "xxxx", "****", "....", "put_your", "put-your", "...",
)  # fmt: skip

_REFERENCES = (
    "env:", "env(", "file:", "vault:", "ssm:", "arn:", "op://", "ref+", "secret://", "keyring:",
    "keychain:", "gcpkms:", "awskms:", "!ref", "!sub", "!getatt", "!secret", "!env", "!include",
    "!importvalue", "process.env", "os.environ", "os.getenv", "system.getenv", "getenv(", "self.",
    "this.", "args.", "config.", "settings.", "var.", "local.", "module.", "data.", "secrets.",
    "vars.", "env.", "options.", "params.", "request.", "req.", "props.", "lookup(", "sops:",
    "--", "((", "resolve:", "projects/", "enc[aes256_gcm", "$ansible_vault",
)  # fmt: skip
"""How references to a secret kept elsewhere begin, lower case."""

_TEMPLATE = re.compile(
    r"\$\{\{[^{}]{0,256}+\}\}|\{\{[^{}]{0,256}+\}\}|\{%[^%]{0,256}+%\}|<%[^%]{0,256}+%>"
    r"|\$\{[\w.-]{1,128}+(?P<default>(?::[-=?+]?|[-=?+])[^{}]{0,256}+)?\}|\$\{[^{}]{0,256}+\}|#\{[^{}]{0,256}+\}|%\{[^{}]{0,256}+\}"
    r"|\$\{[^{}]{0,256}+\Z|\$\([^()]{0,256}+\Z|\$\([^()]{0,256}+\)|\(\([^()]{0,256}+\)\)|`[^`]{0,256}+`|%\([^()]{0,64}+\)[a-z]"
    r"|\$[A-Za-z_]\w{0,64}+(?:::\w{1,64}+|\([\w, ]{1,64}+\)?)?|\$[\d@*#!?$]"
    r"|%[A-Za-z_]\w{0,64}+%|%[-+#0]?\d{0,4}[a-zA-Z]\b"
    r"|@[A-Za-z_][\w.-]{0,64}+@|<[^<>]{0,256}+>|\[[A-Za-z][\w \t.-]{0,64}+\]|\{[^{}\s]{0,64}+\}"
    r"|__[A-Z0-9_]{1,64}+"
)
"""What a program replaces before the value is used; `default` is what it falls back to."""

_FALLBACK = re.compile(
    r"(?:\|\||\?\?|\bor\b|\bdefault\b[ \t(]{0,3}|\bfetch\([^,)]{1,128}(?:,|\)[ \t]{0,4}\{))"
    r"[ \t]{0,16}"
    r"[\"'](?P<literal>[^\"']{1,256})"
)
"""What a template falls back to: ``<%= ENV['X'] || 'hunter2' %>``."""

_QUANTITY = re.compile(
    r"[-+]?\d{1,3}|0x[0-9a-f]{1,16}"
    r"|[-+]?\d{1,9}(?:\.\d{1,9})?[ \t]?(?:%|[kmgt]i?b?|b|ms|us|ns|s|m|h|d|w|y"
    r"|(?:sec|min|hour|day|week|month|year|byte|bit)(?:ond|ute)?s?)"
    r"|\d{1,6}(?:\.\d{1,6}){1,12}(?:/\d{1,3})?|v\d{1,4}(?:\.\d{1,6})*|\d{1,5}/(?:tcp|udp|sctp|dccp)"
    r"|[~^<>=]{1,2}[ \t]?v?\d{1,6}(?:\.[\dx*]{1,6}){0,3}[\w.+-]{0,32}|\*\.[\w.]{1,32}"
    r"|\d{4}-\d\d-\d\d(?:[T ][\d:.]{1,16}Z?)?|(?:[a-z]{2,12}[ \t]){0,3}#[0-9a-f]{3,8}",
    re.IGNORECASE,
)
"""A number of few digits, duration, size, version, port, pattern of files, date or color."""

_ALGORITHM = re.compile(
    r"(?:3?des|aes|aria|base|blake|camellia|chacha|curve|ecdsa|es|ffdhe|hmac|hs|md|modp|oauth|pbkdf|"
    r"prime|ps|rs|rsa|scram|secp|sha|ssh|sslv|tls|tlsv|utf)[-_]?(?:\d{1,5}(?:[a-z]\d?)?|sha)"
    r"(?:[-_/+.](?:[A-Za-z]{1,10}\d{0,5}|\d{1,5})){0,4}"
    r"|x(?:509|25519|448)|(?:id_)?ed(?:25519|448)|id_(?:rsa|ecdsa|dsa)",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:~|\.{1,2}|[A-Za-z]:|\$\w{1,64}|\$\{[\w.]{1,64}\}|%\w{1,64}%)?"
    r"(?:[/\\]{1,2}[\w.@+%$*~{} -]{1,255}){1,64}[/\\]?|[/\\~]"
    r"|(?:[\w.@+-]{1,255}/){1,64}[\w@+-]{1,255}\.[A-Za-z]{1,6}|[\w@+-]{1,255}\."
    r"(?:pem|key|crt|cer|csr|der|p12|pfx|jks|txt|ya?ml|json|conf|cnf|ini|env|toml|xml|properties"
    r"|secret|gpg|asc|so|db|keytab|keystore|pub|sock|service|sh|py|js|php|c|h|cc|cpp|hpp|o|a|in|md"
    r"|html?|csv|log|tar|gz|zip|bz2|xz|deb|rpm|jar|css|png|svg|el|pl|pm|rb|go|rs|java|class|tmpl"
    r"|j2|exe|dll)"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:/{1,3}[^\s]{0,2048}+")
_ENDPOINT = re.compile(r"(?:[\w.-]{1,255}|\[[\da-f:]{2,40}\]):\d{2,5}", re.IGNORECASE)
_EXPRESSION = re.compile(
    r"[A-Za-z_][\w.]{0,128}+(?:\(.*\)?|\[.*\]|->.*|::.*)"
    r"|[a-z]{2,16}_[a-z_]{2,48}(?:\.[a-z_]{1,48}){2,4}",  # of Terraform: type.name.attribute
    re.DOTALL,
)
_PUNCTUATION = re.compile(r"[\W_]{1,256}+|[xX]{2,256}+(?:[-_ ][xX]{1,64}+){0,16}|(.)\1{2,256}+")
_SEPARATED = re.compile(r"[\s_.:/-]")

_GRAMMAR = word_set(
    """
    a aan about al alla am an and ao are as at au auf aus aux avec be been bei bij but by can
    cannot ce ces che com con could da dans das dat de dei dein del della den der des di did
    die do does don't dos du durch e een ein eine einen el en enter es est esta et for from
    för für gli has have het how i if ihr il im in inte into is isn't ist it its la las le les
    leur los may met mit more must na nach ne need needs nicht nie niet no non not não o och
    oder of off ok on one only or os ou out par para pas per please por pour que qui sa se see
    set should si sie sind so son sono su sua sur sus te than that the their then there these
    this to too try um uma un una und une up use used using van von voor vor vos votre w want
    was we were what when where which who will wird with without wordt would y yet you your z
    zu zum zur är
    """
)
"""Words that only texts made for people have, in several languages."""


def is_placeholder(value: str) -> bool:
    """Return whether a value is none itself: a placeholder, switch, reference, path or text.

    >>> [is_placeholder(value) for value in ("CHANGEME", "${PASSWORD}", "scram-sha-256", "hunter2")]
    [True, True, True, False]
    """
    text = value.strip()
    lowered = text.lower()
    if not text or lowered in _WORDS or lowered.startswith(_STARTS) or lowered in _PUBLIC_VALUES:
        return True
    if len(text) > 512:
        return reads_as_text(text)
    return (
        _is_plain(text)
        or lowered.startswith(_REFERENCES)
        or _is_template(text)
        or _is_named(text, lowered)
        or reads_as_text(text)
    )


def stands_for_secret(text: str) -> bool:
    """Return whether a password of a URL is a placeholder; there, only a literal can be one.

    >>> [stands_for_secret(text) for text in ("pass", "${PASSWORD}", "system")]
    [True, True, False]
    """
    lowered = text.lower()
    return (
        lowered in PASSWORDS
        or lowered in SECRETS
        or lowered.startswith(_STARTS)
        or _PUNCTUATION.fullmatch(text) is not None
        or _is_template(text)
        or _is_named(text, lowered)
    )


def _is_plain(text: str) -> bool:
    if _PUNCTUATION.fullmatch(text) or _QUANTITY.fullmatch(text) or _ALGORITHM.fullmatch(text):
        return True
    if _PATH.fullmatch(text):
        return not looks_random(text.rsplit("/", 1)[-1]) and not text.endswith("=")
    return bool(_URL.fullmatch(text) or _ENDPOINT.fullmatch(text) or _EXPRESSION.fullmatch(text))


def _is_template(text: str) -> bool:
    """Return whether nothing is left of a text without its templates; their defaults count."""
    if not any(sign in text for sign in "$%{<@[(`#_"):
        return False
    for found in _TEMPLATE.finditer(text):
        fallback = _FALLBACK.search(found[0])
        default = fallback["literal"] if fallback else _default_of(found["default"] or "")
        if default and not is_placeholder(default):
            return False
    rest = _TEMPLATE.sub("", text)
    return rest != text and sum(map(str.isalnum, rest)) < 3


def _default_of(part: str) -> str:
    """Return what a variable of a shell falls back to; what follows `?` is a message."""
    return "" if part.startswith(("?", ":?")) else part.lstrip(":-=+")


def _is_named(text: str, lowered: str) -> bool:
    """Return whether a value tells what to put there or names a secret: `your-key`, `db-token`."""
    if "example" in lowered or _GLUED.fullmatch(lowered):
        return True
    if "|" in text and all(part.strip() in _WORDS for part in lowered.split("|")):
        return True
    words = name_words(text)
    if not _SEPARATED.search(text):
        return len(words) > 1 and words[0] in ("your", "my", "the") and words[-1] in _NOUNS
    if not _INSTRUCTIONS.isdisjoint(words):
        return True
    return not _NOUNS.isdisjoint(words) and set(words) <= _NOUNS | _FILLERS


_COMMAND_PATH = re.compile(r"/\w[\w.-]{0,63}(?:/[\w.-]{1,64}){1,16}")


def reads_as_text(text: str) -> bool:
    """Return whether a value of several words was written for people and not for a program.

    >>> reads_as_text("Enter the new password"), reads_as_text("correct horse battery staple")
    (True, False)
    """
    words = [word.strip("\"'()[]{}<>,;:.!?*`").lower() for word in text[:2048].split()]
    if len(words) < 2:
        return False
    if any(map(_COMMAND_PATH.fullmatch, words)):
        return True
    if text.rstrip().endswith((".", ":", "?", "!", "…", "...", ";")) and text[0].isupper():
        return True
    if all(word in _WORDS for word in words):
        return True
    grammar = sum(word in _GRAMMAR for word in words)
    return not _NOUNS.isdisjoint(words) or (grammar > 1 and grammar * 5 >= len(words))


_LONGEST_RANDOM = 8192
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{16,4096}+")
_GROUPS = re.compile(r"[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,16}")
_PART = re.compile(r"[A-Za-z0-9]+")


def looks_random(text: str) -> bool:
    """Return whether a text holds at least 16 characters that look drawn at random."""
    return any(map(_is_random, _RUN.findall(text[:_LONGEST_RANDOM])))


def _is_random(run: str) -> bool:
    digits = sum(map(str.isdigit, run))
    letters = sum(map(str.isalpha, run))
    if _GROUPS.fullmatch(run):
        return digits > 1
    longest = max(_PART.findall(run), key=len, default="")
    if len(longest) < 10:
        return False
    if digits >= 2 and letters >= 2:
        return len(longest) >= 12 or has_odd_case(longest)
    return len(longest) >= 16 and has_odd_case(longest)


_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def has_odd_case(word: str) -> bool:
    """Return whether the case within a word changes more often than in `camelCaseNames`."""
    humps = len(_HUMP.findall(word))
    return humps > 2 and len(word) < 3 * humps
