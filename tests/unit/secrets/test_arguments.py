"""Secrets in arguments are replaced, judged by the whole list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.arguments import redact_arguments

S = "Zq7vK2hunter"

PLANTED = [
    ["x", "--token", S],
    ["consul", "agent", "-encrypt", f"{S}aaaa=="],
    ["vault", "server", "-dev", f"-dev-root-token-id={S}"],
    ["ngrok", "authtoken", S],
    ["ss-server", "-k", S],
    ["socat", "x", f"proxy:p:80,proxyauth=bob:{S}"],
    ["x", "-u", f"bob:{S}"],
    ["x", f"--password={S}"],
    ["x", "--password", S, "--port", "80"],
    ["x", "-password", S],
    ["x", f"--db-password={S}"],
    ["x", "--api-key", S],
    ["x", "--secret", S],
    ["x", "--auth", f"bob:{S}"],
    ["x", f"DB_PASSWORD={S}"],
    ["env", f"PGPASSWORD={S}", "psql"],
    ["x", "-e", f"TOKEN={S}"],
    ["x", "-H", f"Authorization: Bearer {S}"],
    ["x", "--header", f"X-Api-Key: {S}"],
    ["x", f"--header=PRIVATE-TOKEN: {S}"],
    ["java", f"-Ddb.password={S}", "-jar", "x.jar"],
    ["java", f"-Djavax.net.ssl.keyStorePassword={S}"],
    ["mysql", f"-p{S}"],
    ["/usr/bin/mysql", "-uroot", f"-p{S}", "db"],
    ["mysqladmin", "password", S],
    ["sudo", "-u", "x", "mysqldump", f"-p{S}"],
    ["mysqld", f"--password={S}"],
    ["curl", "-u", f"bob:{S}", "https://x"],
    ["curl", f"-ubob:{S}"],
    ["curl", f"--user=bob:{S}"],
    ["curl", f"https://bob:{S}@x/"],
    ["curl", f"https://x/?token={S}"],
    ["curl", "-d", f"password={S}&a=b"],
    ["curl", "-d", f'{{"password": "{S}"}}'],
    ["wget", f"--http-password={S}"],
    ["sshpass", "-p", S, "ssh", "x"],
    ["sshpass", f"-p{S}"],
    ["ldapsearch", "-x", "-w", S],
    ["redis-cli", "-a", S],
    ["mongosh", "-u", "x", "-p", S],
    ["smbclient", "//x/y", "-U", f"bob%{S}"],
    ["openssl", "rsa", "-passin", f"pass:{S}"],
    ["docker", "login", "-u", "bob", "-p", S],
    ["skopeo", "copy", "--src-creds", f"bob:{S}"],
    ["kubectl", "create", "secret", "generic", "x", f"--from-literal=a={S}"],
    ["htpasswd", "-nbB", "bob", S],
    ["npm", "config", "set", "//r/:_authToken", S],
    ["aws", "configure", "set", "aws_secret_access_key", S],
    ["sqlplus", f"scott/{S}@db"],
    ["snmpget", "-v2c", "-c", S, "h"],
    ["ipmitool", "-P", S, "power"],
    ["7z", "x", f"-p{S}", "x.7z"],
    ["zip", "-P", S, "x.zip"],
    ["keytool", "-storepass", S],
    ["plink", "-pw", S],
    ["rabbitmqctl", "add_user", "bob", S],
    ["nmcli", "dev", "wifi", "connect", "x", "password", S],
    ["wpa_passphrase", "ssid", S],
    ["vault", "login", S],
    ["mc", "alias", "set", "m", "https://x", "KEY", S],
    ["sh", "-c", f"mysql -p{S} db"],
    ["sh", "-c", f"exec x --token {S}"],
    ["bash", "-c", f"A=1 TOKEN={S} x"],
    ["bash", "-c", f"echo {S} | sudo -S x"],
    ["bash", "-c", f"echo 'bob:{S}' | chpasswd"],
    ["sh", "-c", f"sh -c 'curl -u bob:{S} x'"],
    ["sh", "-c", f'mkdir -p /etc/ppp; echo "bob * {S} *" >/etc/ppp/chap-secrets; sleep 300'],
    ["sh", "-c", f"echo {S} > /root/.pgpass && run"],
    ["bash", "-c", f"printf '%s\\n' '{S}' 1>> '/etc/wireguard/private.key'"],
    ["x", f"/password:{S}"],
    ["lftp", "-u", f"bob,{S}", "x"],
    ["http", "-a", f"bob:{S}", "x"],
    ["x", "ghp_" + "aB3dE6gH9jK2" * 3],
    ["etcdctl", "--user", f"root:{S}"],
    ["erl", "-setcookie", S],
    ["x", "--connection", f"Server=db;Password={S};"],
    ["useradd", "-p", S, "bob"],
]

ORDINARY = [
    ["docker", "run", "-p", "80:80", "x"],
    ["ssh", "-p", "22", "h"],
    ["mysql", "-p", "db"],
    ["mysql", "-P", "3306"],
    ["python", "-u", "x.py"],
    ["nginx", "-g", "daemon off;"],
    ["x", "--password-file", "/etc/p"],
    ["x", "--token", "${TOKEN}"],
    ["x", "--token-file=/run/secrets/t"],
    ["x", "--auth", "basic"],
    ["x", "--auth-type", "ldap"],
    ["x", "--key", "/etc/x.key"],
    ["x", "--max-tokens", "4096"],
    ["x", "--password", ""],
    ["x", "--no-password"],
    ["x", "--password", "--port"],
    ["x", "--token", "TOKEN"],
    ["x", "--secret", "<secret>"],
    ["tar", "-p", "-xf", "x.tar"],
    ["curl", "-u", "bob", "x"],
    ["curl", "-o", "a:b", "x"],
    ["git", "commit", "-m", "token"],
    ["zip", "-r", "x.zip", "d"],
    ["redis-server", "--requirepass", ""],
    ["sudo", "-u", "postgres", "psql"],
    ["openssl", "rsa", "-passin", "file:/etc/p"],
    ["openssl", "rsa", "-passin", "env:P"],
    ["kubectl", "get", "secret", "x"],
    ["sh", "-c", 'mysql -p"$P" db'],
    ["passwd", "bob"],
    ["/usr/sbin/sshd", "-D"],
    ["x", "https://h:8080/a@b"],
    ["java", "-Xmx1g", "-Dfile.encoding=UTF-8", "-jar", "x.jar"],
    ["apt-get", "install", "password-store"],
    ["sh", "-c", "echo hello world > /srv/www/index.html"],
    ["sh", "-c", "echo ready; cat /run/secrets/x > /etc/x.conf"],
]


@pytest.mark.parametrize("argv", PLANTED, ids=" ".join)
def test_no_planted_secret_survives(argv: list[str]) -> None:
    redacted = redact_arguments(argv)
    assert len(redacted) == len(argv)
    assert S not in " ".join(redacted)
    assert "ghp_" not in " ".join(redacted)
    assert redact_arguments(redacted) == redacted


@pytest.mark.parametrize("argv", ORDINARY, ids=" ".join)
def test_ordinary_arguments_stay(argv: list[str]) -> None:
    assert redact_arguments(argv) == tuple(argv)


@pytest.mark.parametrize(
    ("argv", "redacted"),
    [
        (["mysql", "-phunter2", "db"], ("mysql", "-p***", "db")),
        (["curl", "-u", "bob:hunter2"], ("curl", "-u", "bob:***")),
        (["x", "--token", "hunter2", "a"], ("x", "--token", "***", "a")),
        (["java", "-Dp.password=hunter2"], ("java", "-Dp.password=***")),
        (["sh", "-c", "x --token hunter2; y"], ("sh", "-c", "x --token ***; y")),
    ],
)
def test_only_the_secret_is_replaced(argv: list[str], redacted: tuple[str, ...]) -> None:
    assert redact_arguments(argv) == redacted


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_list_keeps_its_length(argv: list[str]) -> None:
    assert len(redact_arguments(argv)) == len(argv)
