"""What may be recorded of a file: all, a part, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.file_names import is_named_secret
from envlock.secrets.files import FileKind, judge_file
from tests.unit.secrets.samples import MARKER, PLANTED

RANDOM = bytes((7 * n * n + 31 * n + 5) % 256 for n in range(128))


def judge(path: str, content: bytes, mode: int = 0o644) -> tuple[FileKind, str]:
    judged = judge_file(path, mode=mode, content=content, size=len(content))
    return judged.kind, judged.rule


NAMED = """
    /root/.netrc /home/bob/.pgpass /root/.git-credentials /root/.mylogin.cnf
    /etc/nginx/.htpasswd /srv/www/htpasswd /root/.ssh/id_rsa /root/.ssh/id_ed25519
    /home/b/.ssh/deploy_key /etc/ssh/ssh_host_rsa_key /root/.gnupg/private-keys-v1.d/AB.key
    /root/.gnupg/secring.gpg /home/b/.password-store/x.gpg
    /home/b/.local/share/keyrings/login.keyring /home/b/.Xauthority /home/b/.vnc/passwd
    /home/b/.mozilla/firefox/x/key4.db /home/b/.mozilla/firefox/x/logins.json
    /root/.config/gcloud/credentials.db /root/.azure/msal_token_cache.json /root/.vault-token
    /root/.config/composer/auth.json /etc/davfs2/secrets /etc/passwd-s3fs /etc/ssl/private/x.key
    /etc/pki/tls/private/x.key /etc/letsencrypt/archive/x/privkey1.pem /srv/traefik/acme.json
    /srv/x.jks /srv/x.p12 /srv/x.pfx /srv/x.kdbx /srv/x.ppk /etc/krb5.keytab /srv/x.keytab
    /tmp/krb5cc_0 /etc/munge/munge.key /etc/corosync/authkey /etc/pacemaker/authkey
    /etc/slurm/jwt_hs256.key /etc/ceph/ceph.client.admin.keyring /var/lib/ceph/mon/x/keyring
    /etc/ipsec.secrets /etc/swanctl/private/x.pem /etc/racoon/psk.txt /etc/openvpn/server/ta.key
    /etc/openvpn/auth.txt /etc/wireguard/privatekey /etc/tinc/x/rsa_key.priv
    /var/lib/NetworkManager/secret_key /var/lib/bluetooth/A/B/info /etc/ppp/chap-secrets
    /etc/xl2tpd/l2tp-secrets /etc/libnss-ldap.secret /etc/ldap.secret /var/lib/sss/secrets/x
    /etc/postfix/sasl_passwd /etc/postfix/sasl_passwd.db /etc/postfix/sasl/sasl_passwd
    /etc/exim4/passwd.client /etc/sasldb2 /etc/dovecot/users /etc/dkimkeys/x.private
    /var/lib/rabbitmq/.erlang.cookie /etc/restic/password /root/.restic-password
    /root/.config/borg/keys/x /root/.vault_pass /srv/ansible/vault_pass.txt
    /srv/x/.vault-password /etc/chef/encrypted_data_bag_secret /etc/credstore/db.password
    /etc/credstore.encrypted/x /run/credentials/a/b /etc/cryptsetup/root.key
    /etc/cryptsetup-keys.d/x.key /etc/luks/key.bin /crypto_keyfile.bin /etc/security/opasswd
    /etc/samba/smbpasswd /var/lib/samba/private/secrets.tdb /run/secrets/db
    /var/run/secrets/kubernetes.io/serviceaccount/token /var/lib/rancher/k3s/server/node-token
    /etc/ntp.keys /etc/chrony/chrony.keys /var/named/Kx.+008+1.private /var/lib/snmp/snmpd.conf
    /etc/rsyncd.secrets /etc/pgbouncer/userlist.txt /etc/mosquitto/passwd /etc/zabbix/agent.psk
    /var/lib/jenkins/secrets/master.key /etc/gitlab/gitlab-secrets.json
    /srv/rails/config/master.key /etc/keystone/fernet-keys/0 /etc/ipa/nssdb/pwdfile.txt
    /home/b/.google_authenticator /var/lib/tor/x/hs_ed25519_secret_key
    /srv/node-red/flows_cred.json /opt/artifactory/etc/security/join.key /var/lib/one/one_auth
    /etc/pve/priv/token.cfg /home/b/.bitcoin/wallet.dat /home/b/.config/sops/age/keys.txt
    """

NOT_NAMED = """
    /root/.ssh/id_rsa.pub /root/.ssh/authorized_keys /root/.ssh/known_hosts /root/.ssh/config
    /etc/ssh/ssh_host_rsa_key.pub /etc/ssh/sshd_config /usr/bin/htpasswd /usr/sbin/munged
    /usr/share/bash-completion/completions/htpasswd /etc/ssl/certs/x.pem /etc/passwd /etc/shadow
    /etc/sssd/sssd.conf /etc/nslcd.conf /root/.docker/config.json /root/.kube/config
    /root/.npmrc /etc/ssl/certs/java/cacerts /srv/truststore.jks /srv/x.crt
    /root/.gnupg/pubring.kbx /root/.gnupg/gpg.conf /etc/munge /etc/wireguard/wg0.conf
    /etc/wpa_supplicant/wpa_supplicant.conf /run/secrets/kubernetes.io/serviceaccount/namespace
    /srv/app/secrets.py /usr/lib/python3/dist-packages/x/vault_pass.py /usr/share/doc/x/htpasswd
    """


@pytest.mark.parametrize("path", NAMED.split())
def test_a_file_that_is_secret_by_its_path(path: str) -> None:
    assert is_named_secret(path)
    assert judge(path, b"whatever 1\n") == (FileKind.SECRET, "secret-name")


@pytest.mark.parametrize("path", NOT_NAMED.split())
def test_a_file_that_is_not(path: str) -> None:
    assert not is_named_secret(path)


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("/etc/app/cookie.secret", RANDOM, 0o400),
        ("/etc/sssd/ldap.tok", RANDOM, 0o600),
        ("/srv/app/x.bin", RANDOM[:32], 0o600),
        ("/srv/app/x", b"hunter2\n", 0o600),
        ("/srv/app/x", b"letmein", 0o400),
        ("/srv/app/pin", b"123456\n", 0o600),
        ("/srv/app/db_password", b"hunter2\n", 0o644),
        ("/srv/app/api.token", b"hunter2\n", 0o644),
        ("/srv/app/password.txt", b"letmein\n", 0o644),
        ("/srv/app/x.txt", b"ghp_" + b"aB3dE6gH9jK2" * 3, 0o644),
        (
            "/srv/app/x.pem",
            b"-----BEGIN PRIVATE KEY-----\nZq7vK2Zq7vK2\n-----END PRIVATE KEY-----\n",
            0o644,
        ),
        (
            "/usr/share/app/k.pem",
            b"-----BEGIN PRIVATE KEY-----\nHunter2key\n-----END PRIVATE KEY-----\n",
            0o644,
        ),
        ("/srv/app/store", b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1" + RANDOM, 0o644),
        (
            "/srv/app/blob",
            RANDOM * 40
            + b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----",
            0o644,
        ),
    ],
)
def test_a_file_that_is_a_secret_as_a_whole(path: str, content: bytes, mode: int) -> None:
    assert judge(path, content, mode)[0] is FileKind.SECRET


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("/srv/app/x", b"", 0o600),
        ("/srv/app/x", b"true\n", 0o600),
        ("/srv/app/x.bin", RANDOM, 0o644),
        ("/srv/app/x.gz", b"\x1f\x8b\x08" + RANDOM, 0o600),
        ("/srv/app/x.db", b"SQLite format 3\0" + RANDOM, 0o600),
        ("/srv/app/x", RANDOM * 40, 0o600),
        ("/srv/app/x", b"two words\n", 0o600),
        ("/srv/app/x", b"hunter2\n", 0o644),
        ("/root/.bash_history", b"ls\ncd /srv\n", 0o600),
        ("/srv/app/password_file", b"/etc/app/pw\n", 0o644),
        ("/srv/app/token_count", b"17\n", 0o644),
        (
            "/etc/ssl/certs/java/cacerts",
            b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\2" + RANDOM,
            0o644,
        ),
        (
            "/usr/lib/python3/x.cpython-311.pyc",
            b"\xa7\r\r\n\0\0\0\0" + b"password=hunter2" + RANDOM,
            0o644,
        ),
    ],
)
def test_an_ordinary_file(path: str, content: bytes, mode: int) -> None:
    assert judge(path, content, mode) == (FileKind.PUBLIC, "")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_settings_are_replaced_in_every_encoding(encoding: str) -> None:
    content = f"a = 1\r\npassword = {MARKER}hunter\r\nb = ü\r\n".encode(encoding)
    judged = judge_file("/etc/app.ini", mode=0o644, content=content, size=len(content))
    assert judged.kind is FileKind.REDACTED
    text = judged.content.decode(encoding)
    assert text == "a = 1\r\npassword = ***\r\nb = ü\r\n"
    assert judged.findings == (("password-setting", "password"),)


def test_bytes_that_are_no_text_are_kept() -> None:
    content = b"a = \xff\xfe\xe9\npassword = hunter2\n\0\nTOKEN=hunter2\n"
    judged = judge_file("/srv/x.env", mode=0o644, content=content, size=len(content))
    assert judged.content == b"a = \xff\xfe\xe9\npassword = ***\n\0\nTOKEN=***\n"


@pytest.mark.parametrize(("path", "template"), PLANTED)
@pytest.mark.parametrize("change", ["plain", "crlf", "bom", "utf-16", "latin-1"])
def test_no_planted_secret_is_public(path: str, template: str, change: str) -> None:
    text = template.replace("{S}", f"{MARKER}-hunter2")
    if change == "latin-1" and any(ord(character) > 255 for character in text):
        return
    content = {
        "plain": text.encode(),
        "crlf": text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
        "bom": b"\xef\xbb\xbf" + text.encode(),
        "utf-16": text.encode("utf-16-le"),
        "latin-1": text.encode("latin-1", "replace"),
    }[change]
    judged = judge_file(path, mode=0o640, content=content, size=len(content))
    assert judged.kind is not FileKind.PUBLIC
    for encoding in ("utf-8", "utf-16-le"):
        assert MARKER.encode(encoding) not in judged.content


@given(st.binary(max_size=400), st.integers(0, 0o7777))
def test_any_content_is_judged(content: bytes, mode: int) -> None:
    judged = judge_file("/srv/app/x", mode=mode, content=content, size=len(content))
    assert judged.kind in FileKind
    assert (judged.kind is FileKind.REDACTED) == bool(judged.content)
