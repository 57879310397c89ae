"""What each rule about secrets means, for ``envlock explain`` and the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.secrets.binary import FORMATS
from envlock.secrets.commands import COMMAND_RULE
from envlock.secrets.files import NAME_RULE, PRIVATE_RULE
from envlock.secrets.phrases import PHRASE_RULE
from envlock.secrets.positional import FIELD_RULE, KUBERNETES_RULE
from envlock.secrets.shapes import CONTEXTS, LINKS, TOKENS
from envlock.secrets.values import SETTING_RULE

_OTHERS = {
    NAME_RULE: "a file that is secret by its name or place, such as .netrc or a TLS private key",
    PRIVATE_RULE: "a small file that only its owner can read, and that is binary or one word",
    SETTING_RULE: "the value of a setting, variable or option whose name means a secret",
    FIELD_RULE: "the secret field of a file with fields in a fixed order, such as .pgpass",
    KUBERNETES_RULE: "a value of a Secret of Kubernetes",
    PHRASE_RULE: "what words before it tell, such as an account of basic authentication",
    COMMAND_RULE: "an argument that its program takes for a secret, such as mysql -pPASSWORD",
    "private-key": "a block of a private key: PEM, OpenSSH, PuTTY or PGP",
    "url-credentials": "a user with a password, or a token, in a URL",
    "took-too-long": "a file that could not be judged in the time that a collector has",
}


def secret_rules() -> Iterator[tuple[str, str]]:
    """Yield the id of every rule and what it means, shapes of tokens last."""
    found = dict(_OTHERS)
    for form in FORMATS:
        found.setdefault(form.rule, f"a binary file in this format ({form.source})")
    for shape in (*TOKENS, *LINKS, *CONTEXTS):
        found.setdefault(shape.id, f"text in a published format ({shape.source})")
    yield from found.items()
