"""Which names say that their value is a secret."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets import names
from envlock.secrets.names import Grade, grade_name, is_secret_name, name_words

SECRET = """
    DB_PASSWORD dbPassword db.password db-password PGPASSWORD MYSQL_PWD MYSQL_ROOT_PASSWORD
    password1 password_2 PASSWORD_DB1 password_for_bob SMTP__PASSWORD requirepass masterauth
    MasterAuth sasl_passwd GITHUB_PAT DB_PASS smtp_pass smtpPass userpass rootpw bindpw psk
    wpa-psk WPA_PSK authtok ldap_default_authtok cookie_secret cookieSecret apikey api_key
    APIKey apiKey x-api-key X-Api-Key api.key accessKey aws_secret_access_key AWS_SESSION_TOKEN
    AWS_SECRET_ACCESS_KEY private_key privateKey PrivateKey PresharedKey pre-shared-key
    signing_key SIGNING_KEY ENCRYPTION_KEY encryption.key SECRET_KEY SECRET_KEY_BASE APP_KEY
    LICENSE_KEY STRIPE_KEY TF_VAR_db_password TF_TOKEN_app_terraform_io PYTHON_KEYRING_PASSWORD
    app.password javax.net.ssl.keyStorePassword javax.net.ssl.trustStorePassword
    spring.datasource.password client-secret clientSecret AZURE_CLIENT_SECRET credentials
    GOOGLE_CREDENTIALS cred db_creds admin_password_hash passphrase pass_phrase keyPassphrase
    BORG_PASSPHRASE storepass keypass oauth2-bearer Authorization Proxy-Authorization
    X-Auth-Token X-Vault-Token PRIVATE-TOKEN auth_pass DJANGO_SECRET_KEY JWT_SECRET HMAC_KEY
    SMTPPASS kennwort contraseña senha пароль 密码 VAULT_TOKEN npm_token _authToken _auth
    _password sshpass erlang_cookie rocommunity SLACK_SIGNING_SECRET TWILIO_AUTH_TOKEN
    SENTRY_AUTH_TOKEN NEXTAUTH_SECRET DATADOG_API_KEY secretAccessKey sharedSecret
    consumerSecret token_secret hmac_secret bot_token user_pin db/password db:password
    bean:password ansible_become_pass ansible_ssh_pass IMAP_PWD
    """

PUBLIC = """
    OLDPWD SSH_AUTH_SOCK GPG_KEY GPG_KEY_ID PUBLIC_KEY public_key publicKey SSH_PUBLIC_KEY
    pubkey AUTH_ENABLED auth_type AUTH_TYPE auth_method authMethod token_type token_url
    TOKEN_URL tokenEndpoint TOKEN_ENDPOINT token_expiry token_ttl TOKEN_TTL token_length
    password_file PASSWORD_FILE POSTGRES_PASSWORD_FILE password_path password_min_length
    passwordPolicy password_authentication PasswordAuthentication PASSWORD_RESET_TIMEOUT
    max_tokens maxTokens max_new_tokens tokenizer tokenize passthrough passthru compass bypass
    passive passage PASS_MAX_DAYS PASS_MIN_DAYS PASS_WARN_AGE KEY_ID AWS_ACCESS_KEY_ID KEYBOARD
    keyboard_layout KEYMAP XKBLAYOUT primary_key primaryKey PRIMARY_KEY foreignKey FOREIGN_KEY
    sort_key hotkey HOTKEY keycode monkey turkey proxy_pass fastcgi_pass pad_token eos_token
    bos_token_id secretName secretKeyRef imagePullSecrets author authors authority
    authorized_keys keyfile key_file SSH_KEY_PATH certificate_key ssl_certificate_key
    server_tokens keyring NOPASSWD passprompt passwd_tries pipeline pinning pattern path cookies
    nopass tokens_per_second password_encryption auth_basic auth_basic_user_file HostKey KeyType
    key_mgmt key-mgmt PASSWD_RETRIES allow_empty_password PermitEmptyPasswords spinner seeds
    patch new_authtok_reqd password_hashers vault_password_file ask_pass GIT_ASKPASS
    credential.helper credHelpers existingSecret password_command passwordeval LoadCredential
    name user host port url version digest checksum id path SigningKeyId keystore.type
    public.key.path
    """


@pytest.mark.parametrize("name", SECRET.split())
def test_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PUBLIC.split())
def test_public(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("db_password", Grade.PASSWORD),
        ("token", Grade.SECRET),
        ("STRIPE_KEY", Grade.SECRET),
        ("stripe_key", Grade.DOUBT),
        ("password_service", Grade.DOUBT),
        ("cookie", Grade.HINT),
        ("key", Grade.NONE),
    ],
)
def test_grades(name: str, grade: Grade) -> None:
    assert grade_name(name) is grade


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("APIKey", ("api", "key")),
        ("db.apiKey_fileName2", ("db", "api", "key", "file", "name", "2")),
        ("OAuthToken", ("o", "auth", "token")),
        ("", ()),
    ],
)
def test_words(name: str, words: tuple[str, ...]) -> None:
    assert name_words(name) == words


def test_every_word_of_the_tables_has_a_hint() -> None:
    """Text is searched for the hints first, so a word without one would never be found."""
    words = [*names.PASSWORDS, *names.SECRETS, *SECRET.split()]
    hinted = [word for word in words if any(hint in word.lower() for hint in names.HINTS)]
    assert hinted == words


def test_every_exact_name_has_a_hint() -> None:
    for name in names._EXACT:
        assert any(
            hint in spelled for hint in names.HINTS for spelled in (name, name.replace("_", "-"))
        )


def test_lowering_keeps_places() -> None:
    """Names are searched in the lowered text, whose places are those of the text."""
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    assert [c for c in characters if len(c.lower()) != 1] == ["\u0130"]


@given(st.text(max_size=200))
def test_any_name_has_a_grade(name: str) -> None:
    assert grade_name(name) in Grade
    if name.isascii():
        letters = [character.lower() for character in name if character.isalnum()]
        assert "".join(name_words(name)) == "".join(letters)
