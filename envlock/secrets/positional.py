"""Secrets that are told by their place: fields of known files, and data of Kubernetes Secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from envlock.secrets import nested
from envlock.secrets.spans import Span
from envlock.secrets.strength import Strength, measure

FIELD_RULE = "secret-field"
KUBERNETES_RULE = "kubernetes-secret"


class FieldForm(NamedTuple):
    """A kind of file by the end of its path, and the lines in which `secret` is a secret."""

    paths: tuple[str, ...]
    line: re.Pattern[str]
    source: str


_TABLE = r"""
.pgpass pgpass.conf /pgpass | PostgreSQL: .pgpass
    ^(?!#)(?:(?:[^:\\\n]|\\.){0,256}:){4}(?P<secret>[^\n\r]{1,1024})
htpasswd .htpasswds /passwdfile /squid/passwd | htpasswd(1)
    ^[^#:\s][^:\n]{0,255}:(?P<secret>[^:\s]{1,512})
/mosquitto/passwd /mosquitto/pwfile /rsyncd.secrets /plain.user lighttpd.user | mosquitto_passwd(1)
    ^[^#:\s][^:\n]{0,255}:(?P<secret>[^:\s]{1,512})
/dovecot/users /dovecot/passwd .passwd | Dovecot: passwd-file
    ^[^#:\s][^:\n]{0,255}:(?P<secret>[^:\s]{1,512})
.htdigest htdigest | htdigest(1)
    ^[^#:\n]{1,255}:[^:\n]{0,256}+:(?P<secret>[^:\s]{1,512})
/passwd.client /passwd.smtp | exim4-config_files(5)
    ^[^#:\s]{1,255}:[^:\n]{0,256}+:(?P<secret>[^\s]{1,512})
/shadow /shadow- /gshadow /gshadow- /master.passwd | shadow(5); what is left is still no lock
    ^[^:\n]{1,64}:(?:!{0,2}\$|[^:\s!*])(?P<secret>[^:\s]{3,512})
/opasswd | pam_pwhistory(8)
    ^[^:\n]{1,64}:[^:\n]{0,16}:[^:\n]{0,16}:(?P<secret>[^:\s]{4,512})
/etc/passwd /etc/passwd- /etc/group /etc/group- | passwd(5), group(5)
    ^[^:\n#+-][^:\n]{0,63}:(?![x*!]{1,2}:)(?P<secret>[^:\s]{2,512}):
/etc/passwd /etc/passwd- | passwd(5): the comment
    ^(?:[^:\n]{0,64}:){4}[^:\n]{0,128}?\w{0,32}(?:pass|passwd|password|pw|pwd|secret|token|pin|key)
    [ \t]{0,4}=[ \t]{0,4}(?P<secret>[^:\s,]{2,128})
/smbpasswd | smbpasswd(5)
    ^[^:\n]{0,256}+:[^:\n]{0,256}+:(?P<secret>[0-9A-FX]{32}:[0-9A-F]{32})
/chap-secrets /pap-secrets /l2tp-secrets /chap-secrets~ | pppd(8): authentication
    ^[ \t]{0,16}(?!#)(?:\"[^\"\n]{0,256}\"|[^\s\"]{1,256})
    [ \t]{1,64}(?:\"[^\"\n]{0,256}\"|[^\s\"]{1,256})[ \t]{1,64}\"?(?P<secret>[^\"\s]{1,256})
sasl_passwd sasl_password sasl_passwords relay_passwd /sasl/passwd | Postfix: SASL_README
    ^(?!#)\S{1,256}[ \t]{1,64}[^\s:]{1,256}:(?P<secret>[^\n\r]{1,512})
ipsec.secrets .secrets | ipsec.secrets(5)
    ^[^#\n]{0,256}?:[ \t]{0,16}(?:PSK|EAP|XAUTH|NTLM|PIN|RSA|ECDSA|PKCS8|PKCS12)
    [ \t]{1,16}(?:\S{1,255}[ \t]{1,16})?[\"']?(?P<secret>[^\"'\n]{1,512})
/psk.txt | racoon.conf(5)
    ^(?!#)\S{1,256}[ \t]{1,64}(?P<secret>[^\s#]{1,256})
/ntp.keys /chrony.keys /ntpkeys | ntp.keys(5), chrony.conf(5)
    ^[ \t]{0,16}\d{1,10}[ \t]{1,16}[A-Za-z0-9-]{1,16}[ \t]{1,16}(?P<secret>\S{1,512})
.keyring /keyring | ceph: user management
    ^[ \t]{0,16}key[ \t]{0,16}=[ \t]{0,16}(?P<secret>[A-Za-z0-9+/=]{20,128})
/userlist.txt | pgbouncer: auth_file
    ^[ \t]{0,16}\"[^\"\n]{1,256}\"[ \t]{1,16}\"(?P<secret>[^\"\n]{1,512})\"
exim.conf exim4.conf.template exim4.conf | Exim: SMTP authentication
    ^[ \t]{0,16}client_send[ \t]{0,8}=[^\n]{0,256}?:[ \t]{0,8}
    (?P<secret>[^\s:]{1,256})[ \t]{0,8}\r?$
/authinfo | Sendmail: AuthInfo
    \"P[:=](?P<secret>[^\"\n]{1,256})\"
/turnserver.conf | coturn: lt-cred-mech
    ^[ \t]{0,16}user=[^:\n]{1,128}:(?P<secret>\S{1,256})
.curlrc | curl(1)
    ^[ \t]{0,16}-{0,2}(?:proxy-)?user[ \t]{0,8}[=:]?[ \t]{0,8}\"?[^:\"\n]{1,128}:
    (?P<secret>[^\"\n]{1,256})
/monitrc | monit(1)
    ^[ \t]{0,16}allow[ \t]{1,16}[^\s:]{1,128}:(?P<secret>\S{1,256})
realm.properties users.properties | Jetty, ActiveMQ, WildFly: property realms
    ^[ \t]{0,8}(?!#)[\w.@-]{1,128}[ \t]{0,16}[:=][ \t]{0,16}(?P<secret>[^\s,]{1,256})
jaas.conf | Kafka: PLAIN
    \buser_\w{1,64}=\"(?P<secret>[^\"\n]{1,256})\"
ks.cfg .ks | Kickstart: rootpw
    ^[ \t]{0,16}rootpw[ \t]{1,16}(?:--\S{1,32}[ \t]{1,16}){0,4}(?P<secret>[^\s-]\S{0,255})
/resource.cfg | Nagios: resource file
    ^[ \t]{0,16}\$USER\d{1,3}\$=(?P<secret>\S{1,256})
/sentinel.conf | Redis: Sentinel
    ^[ \t]{0,16}sentinel[ \t]{1,16}auth-pass[ \t]{1,16}\S{1,128}[ \t]{1,16}(?P<secret>[^\s]{1,256})
/tac_plus.conf /tac_plus.cfg | tac_plus.conf(5)
    ^[ \t]{0,16}key[ \t]{0,16}=[ \t]{0,16}\"?(?P<secret>[^\"\n]{1,256})
/upsmon.conf | upsmon.conf(5)
    ^[ \t]{0,16}MONITOR[ \t]{1,16}\S{1,256}[ \t]{1,16}\d{1,3}[ \t]{1,16}\S{1,128}
    [ \t]{1,16}(?P<secret>\S{1,256})
proftpd.conf sql.conf | ProFTPD: mod_sql
    ^[ \t]{0,16}SQLConnectInfo[ \t]{1,16}\S{1,256}[ \t]{1,16}\S{1,128}
    [ \t]{1,16}(?P<secret>\S{1,256})
snmpd.conf snmptrapd.conf | snmpd.conf(5)
    ^[ \t]{0,16}createUser[ \t]{1,16}(?:-e[ \t]{1,16}\S{1,64}[ \t]{1,16})?\S{1,64}
    [ \t]{1,16}\S{1,8}[ \t]{1,16}(?P<secret>[^\n\r]{1,256})
snmpd.conf | snmpd.conf(5)
    ^[ \t]{0,16}r[ow]community6?[ \t]{1,16}(?P<secret>\S{1,64})
snmpd.conf | snmpd.conf(5)
    ^[ \t]{0,16}com2sec6?[ \t]{1,16}(?:-Cn[ \t]{1,16}\S{1,64}[ \t]{1,16})?\S{1,64}
    [ \t]{1,16}\S{1,64}[ \t]{1,16}(?P<secret>\S{1,64})
proxychains.conf proxychains4.conf | proxychains.conf
    ^[ \t]{0,16}(?:http|socks4|socks5)[ \t]{1,16}\S{1,255}[ \t]{1,16}\d{1,5}
    [ \t]{1,16}\S{1,128}[ \t]{1,16}(?P<secret>\S{1,256})
/users.acl /redis/users.acl redis.conf valkey.conf | Redis: ACL
    ^[ \t]{0,16}user[ \t]{1,16}[^\n]{1,512}?[ \t][>#](?P<secret>\S{1,256})
/authkeys | Heartbeat: authkeys
    ^[ \t]{0,8}\d{1,3}[ \t]{1,8}(?:sha\d{0,3}|md5|hmac)[ \t]{1,8}(?P<secret>\S{4,256})
/.bundle/config | Bundler: credentials for gem sources
    ^[ \t]{0,8}BUNDLE_\w{1,128}:[ \t]{1,8}[\"']?[\w.@-]{1,64}:(?P<secret>[^\s\"'/]{4,256})[\"']?\r?$
/deluge/auth | Deluge: auth file
    ^[^\s:#]{1,64}:(?P<secret>[^\s:]{2,256})(?::\d{1,3})?\r?$
/40_custom /41_custom /custom.cfg /grub.cfg /01_users | GRUB: password
    ^[ \t]{0,16}password[ \t]{1,8}[\w-]{1,64}[ \t]{1,8}(?P<secret>\S{2,256})
/cups/snmp.conf | CUPS: snmp.conf
    ^[ \t]{0,8}Community[ \t]{1,8}(?P<secret>\S{2,64})
/couchdb/local.ini /local.d/admins.ini | CouchDB: admins
    ^\[admins\]\s{1,16}(?:;[^\n]{0,256}\s{1,16}){0,16}
    [\w.@-]{1,64}[ \t]{0,8}=[ \t]{0,8}(?P<secret>\S{2,256})
/secrets.yaml | Home Assistant, ESPHome: secrets
    ^[\w.-]{1,64}:[ \t]{1,8}[\"']?(?P<secret>[^\s\"'#|>&*!{\[][^\"'\n#]{1,256})
.yarnrc | Yarn 1: registry tokens
    ^\"[^\"\n]{1,256}:_(?:authToken|password|auth)\"[ \t]{1,8}\"?(?P<secret>[^\"\s]{2,512})
settings-security.xml | Maven: password encryption
    <master>\{?(?P<secret>[^<{}\n]{4,512})
.tfstate .tfstate.backup | Terraform: random_password
    \"type\":[ ]{0,2}\"random_password\"(?:(?!\"type\"|\"result\")[^\0]){0,4096}+
    \"result\":[ ]{0,2}\"(?P<secret>(?:[^\"\\]|\\.){2,512})\"
/svn/conf/passwd /svnserve.passwd /conf/passwd | Subversion: svnserve's password-db
    ^[ \t]{0,8}(?![#\[])[\w.@-]{1,64}[ \t]{0,8}=[ \t]{0,8}(?P<secret>\S{2,256})
/etc/config/wireless /etc/config/rpcd /etc/config/ddns | OpenWrt: UCI
    ^[ \t]{0,16}option[ \t]{1,16}'?(?:key\d?|sae_password|auth_secret|acct_secret|password|pin)'?
    [ \t]{1,16}[\"']?(?P<secret>[^\s\"']{4,256})
/wireless-settings.conf | wicd
    ^(?:key\d?|apsk|password)[ \t]{0,8}=[ \t]{0,8}(?P<secret>\S{4,256})
/rapi/users | Ganeti: remote API
    ^(?!#)\S{1,64}[ \t]{1,16}(?:\{HA1\})?(?P<secret>\S{2,256})
.eap_user /eap_user | hostapd: EAP users
    ^(?!#)(?:\"[^\"\n]{0,256}\"|\S{1,256})[ \t]{1,16}[\w,-]{1,64}[ \t]{1,16}
    (?:\"(?P<secret>[^\"\n]{1,256})\"|hash:[0-9a-f]{32})
/znc.conf | ZNC: password of a network's server
    ^[ \t]{0,16}Server[ \t]{0,8}=[ \t]{0,8}\S{1,255}[ \t]{1,8}\+?\d{1,5}
    [ \t]{1,8}(?P<secret>\S{2,256})
/servlist.conf | HexChat: network list
    ^P=(?P<secret>\S{2,256})
/kaggle.json | Kaggle: API credentials
    \"key\":[ ]{0,4}\"(?P<secret>[^\"\n]{8,256})\"
/.ncftp/bookmarks | NcFTP: bookmarks
    ^[^,\n]{1,128},[^,\n]{1,255},[^,\n]{1,128},(?:\*encoded\*)?(?P<secret>[^,\n]{2,256}),
/voicemail.conf | Asterisk: mailboxes
    ^[ \t]{0,8}\d{1,16}[ \t]{0,8}=>[ \t]{0,8}-?(?P<secret>\d{4,16}),
/apcupsd.conf | apcupsd: SNMP
    ^[ \t]{0,8}DEVICE[ \t]{1,8}[^\s:]{1,255}:\d{0,5}:[\w-]{0,32}:(?P<secret>\S{2,64})
/xray/config.json /v2ray/config.json /sing-box/config.json | Project X: VLESS and VMess users
    \"(?:id|uuid)\":[ ]{0,4}\"(?P<secret>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})\"
.signing.key | Synapse: signing keys
    ^ed25519[ \t]{1,8}\w{1,64}[ \t]{1,8}(?P<secret>[A-Za-z0-9+/=]{24,64})
.ldif | OpenLDAP: slapd-config(5), LDIF in base64
    ^(?:olcRootPW|userPassword|olcDbACLPasswd|krbPrincipalKey|sambaNTPassword|unicodePwd)::
    [ \t]{1,8}(?P<secret>[A-Za-z0-9+/=]{8,4096})
/nix.conf | Nix: access-tokens
    ^(?:extra-)?access-tokens[ \t]{0,8}=[^\n]{0,1024}?(?P<secret>(?<==)[^\s=]{8,512}(?=\s|\Z))
/passwords.yml /passwords.yaml | Kolla Ansible: passwords
    ^[\w.-]{1,64}:[ \t]{1,8}[\"']?(?P<secret>[^\s\"'#|>&*!{\[][^\"'\n#]{1,256})
/erlang.cookie .erlang.cookie | Erlang: distributed systems
    \A\s{0,16}(?P<secret>\S{1,512})
"""


def _forms() -> Iterator[FieldForm]:
    """Yield the rows of the table: a line ``paths | source``, and the pattern of a line."""
    head, pattern = "", ""
    for line in [*_TABLE.strip("\n").split("\n"), ""]:
        if line.startswith(" "):
            pattern += line[4:]
            continue
        if head:
            paths, source = head.split(" | ")
            yield FieldForm(tuple(paths.split()), re.compile(pattern, re.MULTILINE), source)
        head, pattern = line, ""


FORMS = tuple(_forms())


def field_spans(path: str, text: str) -> Iterator[Span]:
    """Yield the secret fields of files whose form is known by their path."""
    for form in FORMS:
        if path.endswith(form.paths):
            for found in form.line.finditer(text):
                if measure(found["secret"]) > Strength.NONE:
                    yield Span(*found.span("secret"), FIELD_RULE)


_KIND = re.compile(r"[\"']?\bkind[\"']?[ \t]{0,16}:[ \t]{0,16}[\"']?Secret\b[\"']?")
_DATA = re.compile(
    r"(?:^|(?<=[{,\s]))[\"']?(?:data|stringData)[\"']?[ \t]{0,16}:[ \t]{0,16}(?P<open>\{?)",
    re.MULTILINE,
)
_MEMBER = re.compile(
    r"[\"'][\w.-]{1,253}[\"']\s{0,64}:\s{0,64}[\"'](?P<secret>[^\"'\n]{1,65536}+)[\"']"
)
_DOCUMENT = re.compile(r"^---", re.MULTILINE)
_FIELD = re.compile(
    r"(?P<indent>[ \t]{0,64}+)[\"']?[\w.-]{1,253}+[\"']?[ \t]{0,16}:(?=[ \t\r\n])[ \t]{0,64}+"
)
_OBJECT_SIZE = 65_536


def kubernetes_spans(text: str) -> Iterator[Span]:
    """Yield every value below `data` and `stringData` of a Kubernetes Secret."""
    if "Secret" not in text or "ata" not in text:
        return
    documents = [0, *(found.start() for found in _DOCUMENT.finditer(text)), len(text)]
    for start, end in pairwise(documents):
        if _KIND.search(text, start, end):
            for found in _DATA.finditer(text, start, end):
                yield from _data_spans(text, found, end)


def _data_spans(text: str, data: re.Match[str], end: int) -> Iterator[Span]:
    if data["open"]:
        closed = text.find("}", data.end(), min(end, data.end() + _OBJECT_SIZE))
        for found in _MEMBER.finditer(text, data.end(), closed if closed >= 0 else end):
            yield Span(*found.span("secret"), KUBERNETES_RULE)
        return
    line = text.rfind("\n", 0, data.start()) + 1
    indent = data.start() - line
    for start, stop in nested.lines_from(text, text.find("\n", data.end()) + 1 or end):
        field = _FIELD.match(text, start, stop)
        if start >= end or (text[start:stop].strip() and nested.indent_at(text, start) <= indent):
            return
        at = field.end() if field else start + nested.indent_at(text, start)
        value = text[at:stop].rstrip()
        quote = value[:1] if value[:1] in ("'", '"') and value[-1:] == value[:1] else ""
        if value.strip(quote) and not nested.is_block(text, at) and not value.startswith("{{"):
            yield Span(at + len(quote), at + len(value) - len(quote), KUBERNETES_RULE)
