"""Which names say that their value is a secret.

A name is that of a setting, variable, label, option, key, element, attribute or header.  It is
split into words at changes of case and at anything that is no letter or digit; a word that means a
secret makes the name one, unless a word before or after it says that only something *about* a
secret is meant (`password_file`, `token_url`, `PASS_MAX_DAYS`, `max_tokens`).
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """Return the words of a table that is written as one text."""
    return frozenset(text.split())


class Grade(IntEnum):
    """How surely the value of a name is a secret.

    `HINT` needs a value that looks random, `DOUBT` one that is no word; `SECRET` takes any literal
    but small numbers, `PASSWORD` any.
    """

    NONE = 0
    HINT = 1
    DOUBT = 2
    SECRET = 3
    PASSWORD = 4


PASSWORDS = word_set(
    """
    authtok bindpw contrasena contraseña haslo hasło heslo kennwort losenord lösenord
    masterauth motdepasse parola pass passcode passphrase passphrases passw passwd passwds
    password passwords passwort psk psw pw pwd pword rootpw salasana senha wachtwoord wpapsk
    пароль パスワード 密码 密碼 비밀번호
    """
)
"""Words for a password, with their usual shortenings and in other languages."""

SECRETS = word_set(
    """
    authorization bearer cred credential credentials creds passkey pepper privkey rocommunity
    rwcommunity secret secrete secrets setcookie token tokens trapcommunity
    """
)
"""Words for other secrets.  The communities are SNMP's; `-setcookie` is an option of Erlang."""

_ENDINGS = (
    ("password", Grade.PASSWORD),
    ("passwd", Grade.PASSWORD),
    ("passwort", Grade.PASSWORD),
    ("passphrase", Grade.PASSWORD),
    ("pass", Grade.PASSWORD),
    ("pwd", Grade.PASSWORD),
    ("pw", Grade.PASSWORD),
    ("psk", Grade.PASSWORD),
    ("secret", Grade.SECRET),
    ("token", Grade.SECRET),
    ("authtok", Grade.PASSWORD),
    ("credentials", Grade.SECRET),
)
"""Endings of words written as one: `PGPASSWORD`, `sslpassword`, `userpw`, `clientsecret`."""

_OTHER_ENDINGS = word_set(
    """
    allpass askpass bandpass bypass compass detoken encompass fastpass highpass lowpass
    minipass multipass multitoken nopass nopasswd notpw onepass overpass pkpass proxypass
    renderpass runaspw singlepass subpass surpass targetpw trespass twopass underpass
    """
)
"""Words that end so and mean something else (filters, Apache's ProxyPass, flags of sudo)."""

_KEYS = word_set(
    """
    access account aes api auth authentication authorization crypt decrypt decryption deploy
    enc encrypt encryption hmac jwt key master preshared priv private recovery rest secret
    shared sign signing unseal wep wpa xapi
    """
)
"""What stands before `key` where the key is surely a secret."""

_OTHER_KEYS = word_set(
    """
    apt armored authorized cache certificate column composite config dict dns enter entry
    escape event ext extra field file foreign forward function gpg group hash hint host hot
    i18n id index input item join known l10n label leader lookup map message meta modifier msg
    name natural node object option order parent partition pgp press primary pub public
    publickey query range record ref registry release repo require reverse rotate route
    routing row rpm search section shard short shortcut sort sub symbol tab table trace trans
    translation trigger trust trusted unique user value vendor verify view widget window
    """
)
"""What stands before `key` where it is surely none: keys of tables, of keyboards, public halves."""

_BEFORE = word_set(
    """
    allow allowed allows ask change changed confirmed count csrf disable disabled empty expire
    expired forgot forgotten has have hide invalid is lost max maximum min minimum missing n
    need needs no num number public require required requires reset show toggle update use
    used uses using valid validate verify weak with without wrong xsrf
    """
)
"""Words that, right before one for a secret, make the name tell something about it."""

_BEFORE_TOKENS = word_set(
    """
    added additional begin bos cls completion continuation create delete design end eof eos
    extra fetch first get input last lex lexer list load lookahead make mask next ocsp output
    pad padding page parse prev previous prompt random remove revoke sep special start
    stop sync syntax theme total unk
    """
)
"""The same before `token`: those of parsers, of tokenizers, of pages, and verbs."""

_BEFORE_SECRETS = word_set("ask assert condition create existing get image import list load pull")
"""The same before `secret` and `credential`: names of secrets of Kubernetes, and verbs."""

_BEFORE_ALL = word_set("allow allowed disable enable has is max min no require use")
"""The same at the beginning of a name, whatever stands between."""

_AFTER = word_set(
    """
    adapter age aging alg algo algorithm alias aliases allowed array attempts attr attribute
    attributes auth authenticated authentication authority bind binding bindings bits board
    boundary buffer burst cache cached callback change changed chars charset check checker
    checks classes cmd code codec codes column command complexity confirm confirmation
    constraint constraints cost count counter counts created criteria css days decoder delay
    delimiter derivation directory disabled dispatcher down driver duration element enabled
    encoder encoding encryption endpoint environment error errors eval event events exchange
    exists expand expiration expire expired expires expiry factory fail failed failure
    failures field fields file filename files filter fingerprint flag fn focus format
    formatter frame func function getter grant guard handler hashed hasher hashers hashes
    hashing header headers help helper helpers hint history icon id identifier ids inactive
    index info input invalid issuer iterations iterator keeper kind label len length level
    lexer lifetime limit limits link list listener loader lock lockout lookup management
    manager map mapper mapping match matcher max maximum md message metadata method mgmt mgr
    min minimum mode model module modules name names needed nodes nonce notice ok only ops
    option options ordinal param parameter parameters params parser path paths pattern per
    permission placeholder plugin policies policy position prefix present press pressed
    processor prompt properties property protection protocol pub public qualifier quality
    quote rate reader ref reference refs regex regexp repeat reqd required requirement
    requirements reset resolver response retries retry ring rotate rotation rounds rule rules
    salt scanner schedule schema scheme scope scopes search searches select selector separator
    set setter settings signer size sizes sort spec stats status strength style subject suffix
    table tag template through thru timeout title tree tries ttl type types unchanged undo up
    updated uri uris url urls usage usages used validation validator validators validity
    verification version versions view visible warn warning width window word words
    """
)
"""Words that, anywhere after one for a secret, make the name tell something about it."""

_AFTER_DOUBTFUL = word_set(
    """
    agent agents api area backend bucket buckets class client db digits dir engine env flow
    generator group host hosts last location login mount object page provider providers range
    registry role section server servers service services session source space start stat
    state storage store stores stream support system test time user users vault writer year
    years
    """
)
"""Words after one for a secret that leave it open: `token_service`, but also `PASSWORD_TEST`."""

_OWNERS = word_set("description email host id login name owner port user username")

_EXACT = {
    # Names that no word of theirs gives away.
    "passwordsalt": Grade.SECRET,  # of Nextcloud
    "clear_text": Grade.PASSWORD,  # of WildFly
    "signingkey": Grade.NONE,  # of Git: which key, not the key
    "skey": Grade.SECRET,  # of Duo
    "regcode": Grade.SECRET,  # of SUSEConnect
    "k_g": Grade.SECRET,  # of FreeIPMI
    "icesecretread": Grade.SECRET,  # of Mumble
    "icesecretwrite": Grade.SECRET,
    "rediscli_auth": Grade.PASSWORD,
    "master_auth": Grade.PASSWORD,
    "github_pat": Grade.SECRET,
    "gh_pat": Grade.SECRET,
    "azure_devops_ext_pat": Grade.SECRET,
    "ado_pat": Grade.SECRET,
    "erlang_cookie": Grade.SECRET,
    "rabbitmq_erlang_cookie": Grade.SECRET,
    "user_pin": Grade.PASSWORD,
    "so_pin": Grade.PASSWORD,
    "pin_value": Grade.PASSWORD,
    "seed_phrase": Grade.SECRET,
    "recovery_phrase": Grade.SECRET,
    "ssh_key": Grade.SECRET,
    "mot_de_passe": Grade.PASSWORD,
    "secret_id": Grade.HINT,  # of Vault's AppRole; elsewhere the name of a secret
    "secret_key_base": Grade.SECRET,  # Rails
    "client_key_data": Grade.SECRET,  # kubeconfig
    "key_material": Grade.SECRET,
    "x_auth_key": Grade.SECRET,
    "ldap_default_authtok": Grade.PASSWORD,  # sssd-ldap(5)
    "sasl_passwd": Grade.PASSWORD,
    "neo_4_j_auth": Grade.SECRET,
    "dev_root_token_id": Grade.SECRET,  # of Vault
    "api_hash": Grade.SECRET,  # of Telegram
    "encrypted_password": Grade.PASSWORD,
    "vnc_auth": Grade.HINT,
    # Names that one of their words accuses wrongly.
    "oldpwd": Grade.NONE,
    "ssh_auth_sock": Grade.NONE,
    "auth_basic": Grade.NONE,  # nginx: the realm
    "auth_request": Grade.NONE,
    "ldap_default_authtok_type": Grade.NONE,
    "proxy_pass": Grade.NONE,  # nginx: where a request goes
    "fastcgi_pass": Grade.NONE,
    "uwsgi_pass": Grade.NONE,
    "scgi_pass": Grade.NONE,
    "grpc_pass": Grade.NONE,
    "memcached_pass": Grade.NONE,
    "js_pass": Grade.NONE,
    "proxy_auth": Grade.HINT,
    "first_pass": Grade.NONE,
    "use_first_pass": Grade.NONE,
    "try_first_pass": Grade.NONE,
    "input_token": Grade.NONE,
    "whitespace_token": Grade.NONE,
    "comment_token": Grade.NONE,
    "key_token": Grade.NONE,
    "system_credentials": Grade.NONE,
    "image_pull_secrets": Grade.NONE,  # Kubernetes: names of secrets
    "server_tokens": Grade.NONE,
}
"""Whole names, lower case, their words joined by underscores."""

_HINTS = word_set("auth cookie key mnemonic otp pat pin salt seed totp")
"""Words whose value is a secret only if it looks like one."""

HINTS = (
    "pass", "pwd", "pw", "secret", "token", "key", "cred", "auth", "psk", "phrase", "kennwort",
    "contrase", "hasło", "haslo", "heslo", "senord", "parola", "salasana", "senha", "wachtwoord",
    "пароль", "密码", "密碼", "パスワード", "비밀번호", "bearer", "mnemonic", "pepper", "community",
    "cookie", "_pat", "otp", "pin", "salt", "seed", "licen", "psw", "pword",
    "regcode", "k_g", "clear-text", "clear_text", "cleartext", "api_hash", "api-hash", "apihash",
)  # fmt: skip
"""Texts of which every name that means a secret holds one, in lower case."""

_WORD = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]++|[A-Z]|\d++")


def is_secret_name(name: str) -> bool:
    """Return whether `name` says that its value is a secret.

    >>> is_secret_name("spring.datasource.dbPassword"), is_secret_name("password_min_length")
    (True, False)
    """
    return grade_name(name) > Grade.NONE


@lru_cache(maxsize=16384)
def grade_name(name: str) -> Grade:
    """Return how surely the value of `name` is a secret."""
    lowered = name.lower()
    if not any(hint in lowered for hint in HINTS):
        return Grade.NONE
    if name == "_auth":  # of npm
        return Grade.SECRET
    words = name_words(name)
    exact = _EXACT.get("_".join(words))
    if exact is not None:
        return exact
    for index in range(len(words) - 1, -1, -1):
        grade = _grade_word(words, index, is_upper=name.isupper())
        if grade:
            return _grade_around(words, index, grade)
    return Grade.NONE


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case.

    >>> name_words("db.APIKey_fileName2")
    ('db', 'api', 'key', 'file', 'name', '2')
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def _grade_word(words: tuple[str, ...], index: int, *, is_upper: bool) -> Grade:
    word = words[index]
    before = words[index - 1] if index else ""
    if word in PASSWORDS:
        return Grade.PASSWORD
    if word in SECRETS:
        return Grade.SECRET
    if word in ("key", "keys"):
        return _grade_key(word, before, is_last=index == len(words) - 1, is_upper=is_upper)
    if word in _HINTS:
        return Grade.HINT
    if word.endswith("key") and len(word) > 3:
        return Grade.SECRET if word[:-3] in _KEYS else Grade.NONE
    if word in _OTHER_ENDINGS:
        return Grade.NONE
    return next((grade for ending, grade in _ENDINGS if word.endswith(ending)), Grade.NONE)


def _grade_key(word: str, before: str, *, is_last: bool, is_upper: bool) -> Grade:
    if before in _KEYS:
        return Grade.SECRET
    if not before or before in _OTHER_KEYS or not is_last:
        return Grade.NONE
    return Grade.SECRET if is_upper and word == "key" else Grade.DOUBT


def _grade_around(words: tuple[str, ...], index: int, grade: Grade) -> Grade:
    """Return the grade of a name, given that of one of its words and what stands around it."""
    after = words[index + 1 :]
    if (index and _is_told_about(words, index)) or not _AFTER.isdisjoint(after):
        return Grade.NONE
    return grade if _AFTER_DOUBTFUL.isdisjoint(after) else min(grade, Grade.DOUBT)


def _is_told_about(words: tuple[str, ...], index: int) -> bool:
    """Return whether the words before one for a secret say that it is only told about."""
    before = words[index - 1]
    if before in _BEFORE or words[0] in _BEFORE_ALL:
        return True
    if words[index].startswith("token"):
        return before in _BEFORE_TOKENS
    return words[index].startswith(("secret", "cred")) and before in _BEFORE_SECRETS


def is_about_a_secret(name: str) -> bool:
    """Return whether a name tells something about a secret: its type, file, owner, or age."""
    words = name_words(name)
    return not words or words[-1] in _AFTER or words[-1] in _AFTER_DOUBTFUL or words[-1] in _OWNERS
