"""Programs whose command lines carry secrets that no name of an option tells: one row each."""

from __future__ import annotations

from typing import NamedTuple

from envlock.secrets.names import word_set


class Program(NamedTuple):
    """What of a program's arguments is a secret.

    `secret`: options whose next argument is one; `attached`: short options with it attached
    (`-pSECRET`); `account`: options whose argument holds one behind `separator`; `verbs`: words
    after which the argument of that number is one, 0 for the last; `only_after`: a word without
    which the row does not hold.
    """

    secret: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    separator: str = ":"
    verbs: tuple[tuple[str, int], ...] = ()
    only_after: str = ""
    accounts_begin: str = ""
    """What an account must begin with before the separator: `pass` in ``pass:SECRET``."""


_TABLE: tuple[tuple[str, Program], ...] = (
    (  # mysql(1): a password follows -p without a space
        """
        mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlsh mysqlpump mysqlslap
        mysqlbinlog mariadb mariadb-dump mariadb-admin mariadb-check mariadb-import mariadb-show
        mariadb-binlog xtrabackup mariabackup
        """,
        Program(attached=("-p",), verbs=(("password", 1),)),
    ),
    (  # ldapsearch(1), ldappasswd(1)
        "ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare ldapmodrdn ldapexop",
        Program(secret=("-w",), attached=("-w",)),
    ),
    ("ldappasswd", Program(secret=("-w", "-s", "-a"), attached=("-w", "-s", "-a"))),
    (
        """
        mongo mongosh mongodump mongorestore mongoimport mongoexport mongostat cqlsh rdesktop
        elasticsearch-users ncftpput ncftpget
        """,
        Program(secret=("-p",)),
    ),
    (  # smbclient(1): user%password
        "smbclient rpcclient net smbget smbcacls winexe wmic",
        Program(account=("-U", "--user"), separator="%"),
    ),
    (
        "docker podman nerdctl buildah helm oras crane",
        Program(secret=("-p",), account=("-u",), only_after="login"),
    ),
    ("skopeo", Program(account=("--creds", "--src-creds", "--dest-creds"))),
    ("az", Program(secret=("-p",), only_after="login")),
    (  # snmpcmd(1)
        "snmpget snmpwalk snmpset snmpbulkwalk snmpgetnext snmptrap snmpstatus snmpinform",
        Program(secret=("-c", "-A", "-X"), attached=("-c", "-A", "-X")),
    ),
    (
        """
        mosquitto_pub mosquitto_sub mosquitto_rr ipmitool zip unzip zipcloak sqlcmd bcp tsql sqsh
        osql
        """,
        Program(secret=("-P",), attached=("-P",)),
    ),
    ("isql iusql", Program(secret=("-P",), attached=("-P",), verbs=(("isql", 3), ("iusql", 3)))),
    ("7z 7za 7zr 7zz rar unrar", Program(attached=("-p", "-hp"))),
    (  # monitoring plugins: -p, and -a user:password
        "check_mysql check_mysql_query check_pgsql check_ldap check_imap check_pop check_mssql",
        Program(secret=("-p", "-P"), account=("-a",)),
    ),
    ("check_http check_curl", Program(account=("-a", "-b"))),
    ("check_snmp check_ifstatus check_ifoperstatus", Program(secret=("-C", "-A", "-X"))),
    ("plink pscp psftp", Program(secret=("-pw",))),
    ("useradd usermod sshpass", Program(secret=("-p",), attached=("-p",))),
    (
        "ipa ipa-client-install ipa-server-install ipa-replica-install",
        Program(secret=("-w", "-p", "-a")),
    ),
    (  # SQL*Plus: user/password@database
        "sqlplus expdp impdp sqlldr rman",
        Program(verbs=(("", 1),), separator="/"),
    ),
    ("redis-cli valkey-cli keydb-cli", Program(secret=("-a",))),
    ("http https xh", Program(account=("-a", "--auth"))),
    ("kadmin kadmin.local", Program(secret=("-w", "-pw"))),
    ("kubectl oc", Program(account=("--from-literal",), separator="=", only_after="secret")),
    ("curl", Program(account=("-u", "--user", "-U", "--proxy-user", "-E", "--cert"))),
    ("lftp open", Program(account=("-u",), separator=",")),
    ("twine", Program(secret=("-p",), only_after="upload")),
    (  # openssl-passphrase-options(1): pass:SECRET
        "openssl",
        Program(
            secret=("-k", "-K"),
            account=("-passin", "-passout", "-pass", "-password", "-passcerts"),
            accounts_begin="pass",
        ),
    ),
    ("htpasswd", Program(verbs=(("-b", 0), ("-nb", 0), ("-bc", 0), ("-cb", 0), ("-bn", 0)))),
    ("htpasswd", Program(verbs=(("-nbB", 0), ("-Bbn", 0), ("-bB", 0), ("-cbB", 0), ("-nBb", 0)))),
    ("xfreerdp xfreerdp3 wlfreerdp", Program(attached=("/p:",))),
    ("ssh-keygen", Program(secret=("-N", "-P"))),
    (
        "rabbitmqctl",
        Program(verbs=(("add_user", 2), ("change_password", 2), ("authenticate_user", 2))),
    ),
    ("etcdctl", Program(account=("--user",))),
    ("mc", Program(verbs=(("set", 4), ("set", 3), ("add", 4), ("add", 3)))),
    ("radtest", Program(verbs=(("radtest", 2), ("radtest", 5)))),
    ("wpa_passphrase", Program(verbs=(("wpa_passphrase", 2),))),
    ("nmcli", Program(verbs=(("password", 1), ("wifi-sec.psk", 1), ("psk", 1)))),
    ("samba-tool", Program(verbs=(("create", 2), ("add", 2)))),
    ("consul nomad serf", Program(secret=("-encrypt", "-token"), attached=("-encrypt=",))),
    ("ss-server ss-local ss-redir sslocal ssserver xmrig", Program(secret=("-k", "-p"))),
    ("ngrok", Program(verbs=(("authtoken", 1), ("add-authtoken", 1)))),
    ("vault", Program(verbs=(("login", 1),))),
    ("rclone", Program(verbs=(("obscure", 1),))),
    ("influx", Program(secret=("-t", "-password"))),
    ("keyctl", Program(verbs=(("add", 3), ("padd", 3)))),
    ("neo4j-admin", Program(verbs=(("set-initial-password", 1),))),
    (
        "crontab echo printf cryptsetup gh glab kinit",
        Program(),
    ),  # known only for what they write to others
    ("npm yarn pnpm aws gcloud git pip", Program()),  # and these for `config set NAME VALUE`
)

PROGRAMS = {
    name: tuple(row for names, row in _TABLE if name in names.split())
    for name in " ".join(names for names, _ in _TABLE).split()
}
"""By the name of the program, without its directory."""

READERS = word_set(
    """
    buildah chpasswd cryptsetup docker gh glab gpg gpg2 helm htpasswd kinit nerdctl oras
    passwd pdbedit podman skopeo smbpasswd su sudo vncpasswd
    """
)
"""Programs that read a password from a pipe: ``echo hunter2 | sudo -S``."""
ALWAYS_READ = word_set("chpasswd kinit vncpasswd")
READER_OPTIONS = word_set(
    """
    - --key-file --key-file=- --passphrase-fd --password-from-stdin --password-stdin --stdin
    --with-token -S -i -in -s -stdin su
    """
)
"""Options that make the others do so."""
