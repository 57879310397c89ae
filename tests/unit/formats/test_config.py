"""Parsers of configuration formats, compared with the programs and libraries that read them."""

import configparser
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.config import FORMATS, blocks, ini, lines, structured
from envlock.formats.config.values import MAX_DEPTH, NonString
from tests.conftest import unavailable

NGINX = """
user www-data;  # who
http {
    log_format main '$remote_addr "$request" # no comment';
    upstream app { server 10.0.0.1:80 weight=2; server 10.0.0.2:80; }
    server {
        listen 80; listen [::]:80;
        server_name example.org www.example.org;
        location / { proxy_set_header Host $host; return 301 "https://$host${request_uri}"; }
        location ~ \\.php$ { fastcgi_param A "b c"; }
    }
    server { listen 443; server_name example.org; }
    server { listen 81; }
}
"""

UNIT = """\
# a comment
[Unit]
Description=A thing \\
  # a comment in between
  that goes on
[Service]
ExecStartPre=/bin/a
ExecStartPre=/bin/b
ExecStart=/bin/old
ExecStart=
ExecStart=/bin/new
[Service]
Restart=always
"""


def test_nginx():
    assert blocks.parse_nginx(NGINX) == {
        "user": "www-data",
        "http": {
            "log_format": 'main "$remote_addr \\"$request\\" # no comment"',
            "upstream[app]": {"server": ["10.0.0.1:80 weight=2", "10.0.0.2:80"]},
            "server[example.org]": {
                "listen": ["80", "[::]:80"],
                "server_name": "example.org www.example.org",
                "location[/]": {
                    "proxy_set_header": "Host $host",
                    "return": "301 https://$host${request_uri}",
                },
                'location[~ "\\\\.php$"]': {"fastcgi_param": 'A "b c"'},
            },
            "server[example.org]#2": {"listen": "443", "server_name": "example.org"},
            "server[81]": {"listen": "81"},
        },
    }


@pytest.mark.parametrize(
    "text",
    ["a {", "a }", "}", "a", 'a "b;', "a {" * (MAX_DEPTH + 1) + "b;" + "}" * (MAX_DEPTH + 1),
     "content_by_lua_block { return #t }", "a {} a c;"],
)  # fmt: skip
def test_malformed_nginx_is_rejected(text):
    with pytest.raises(ValueError, match=r".+"):
        blocks.parse_nginx(text)


def test_bind():
    text = '// c\nzone "example.org" { type master; /* x { */ file "db"; };\noptions { a { b; }; };'
    assert blocks.parse_bind(text) == {
        "zone[example.org]": {"type": "master", "file": "db"},
        "options": {"a": {"b": ""}},
    }


def test_an_empty_value_in_a_unit_resets_the_name():
    assert ini.parse_unit(UNIT) == {
        "Unit": {"Description": "A thing that goes on"},
        "Service": {
            "ExecStartPre": ["/bin/a", "/bin/b"],
            "ExecStart": "/bin/new",
            "Restart": "always",
        },
    }


def test_ini():
    text = "; c\n[a]\nK = v ; kept\nlong =\n  one\n  two\nalone\nK = w\n[b c]\nx: 1\n"
    assert ini.parse_ini(text) == {
        "a": {"K": ["v ; kept", "w"], "long": "\none\ntwo", "alone": "(set)"},
        "b c": {"x": "1"},
    }


names = st.text("abcXYZ09_", min_size=1, max_size=6)


@given(st.dictionaries(names, st.dictionaries(names, st.text("ab 1/.", max_size=8)), min_size=1))
def test_ini_agrees_with_configparser(document):
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
        for section, options in document.items()
    )
    parser = configparser.RawConfigParser(default_section="")
    parser.optionxform = str
    parser.read_string(text)
    assert ini.parse_ini(text) == {name: dict(parser[name]) for name in parser.sections()}


def test_ssh():
    text = (
        "# c\nPort 22\nport 2222\nPermitRootLogin=no\n"
        "Match User git  Address 10.0.0.0/8\n  AllowTcpForwarding no\n"
        "Match User git\n  X11Forwarding no\n"
    )
    assert lines.parse_ssh(text) == {
        "port": ["22", "2222"],
        "permitrootlogin": "no",
        "match[User git Address 10.0.0.0/8]": {"allowtcpforwarding": "no"},
        "match[User git]": {"x11forwarding": "no"},
    }


def test_sshd_agrees_about_a_real_configuration(tmp_path):
    """`sshd -T` prints the effective settings: they include every setting outside of a block."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if sshd is None or not shutil.which("ssh-keygen") or os.geteuid():
        unavailable("ssh", "it takes root and an OpenSSH server")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    config = tmp_path / "sshd_config"
    text = (
        f'HostKey {key}\nPort 2022\n  X11Forwarding = yes\nLogLevel "VERBOSE"\nMaxAuthTries   3\n'
    )
    config.write_text(text)
    Path("/run/sshd").mkdir(exist_ok=True)
    argv = [sshd, "-T", "-f", config]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    printed = dict(line.split(" ", 1) for line in output.splitlines())
    for name, value in lines.parse_ssh(text).items():
        assert printed[name] == value.strip('"')


def test_assignments():
    text = '# c\nexport A=1\nB=\'x y\'\nC="q\\"r"  # c\nD=\nA=2\n'
    assert lines.parse_assignments(text) == {
        "A": ["1", "2"], "B": "x y", "C": 'q\\"r', "D": ""
    }  # fmt: skip
    for code in ("if true; then A=1; fi", "A=$(id) b", "A='x\ny'"):
        with pytest.raises(ValueError, match="assignment"):
            lines.parse_assignments(code)


def test_formats_of_one_setting_per_line():
    fstab = "UUID=1 / ext4 errors=remount-ro 0 1\nUUID=2 none swap sw 0 0\nt /tmp tmpfs\n"
    assert lines.parse_fstab(fstab) == {
        "/": {"device": "UUID=1", "type": "ext4", "options": "errors=remount-ro", "dump": "0",
              "pass": "1"},
        "UUID=2": {"device": "UUID=2", "type": "swap", "options": "sw", "dump": "0", "pass": "0"},
        "/tmp": {"device": "t", "type": "tmpfs"},
    }  # fmt: skip
    hosts = "127.0.0.1\tlocalhost  a # c\n::1 b\n127.0.0.1 c\n"
    assert lines.parse_hosts(hosts) == {"127.0.0.1": ["localhost a", "c"], "::1": "b"}
    assert lines.parse_sysctl("; c\nnet/ipv4/x=1\n-vm.y = 1\t2\n") == {
        "net.ipv4.x": "1", "-vm.y": "1 2"
    }  # fmt: skip
    keywords = "nameserver 1\nnameserver  2\noptions a  b\nbare\npasswd: files\n"
    assert lines.parse_keywords(keywords) == {
        "nameserver": ["1", "2"], "options": "a b", "bare": "(set)", "passwd": "files"
    }  # fmt: skip
    assert lines.parse_settings("a = 'x # y' # c\nb 3 # c\nc=on\n") == {
        "a": "x # y", "b": "3", "c": "on"
    }  # fmt: skip
    assert lines.parse_limits("* soft nofile 1024\n@x - core 0 # c\n") == {
        "* soft nofile": "1024", "@x - core": "0"
    }  # fmt: skip


def test_yaml():
    text = "a: 1\nb: '1'\nc: [x, yes]\nd: &d {e: null}\nf: *d\ng: !x y\n"
    assert structured.parse_yaml(text) == {
        "a": NonString("1"),
        "b": "1",
        "c": ["x", NonString("yes")],
        "d": {"e": NonString("null")},
        "f": {"e": NonString("null")},
        "g": NonString("!x y"),
    }
    assert structured.parse_yaml("a: 1\n---\nb: 2\n") == [
        {"a": NonString("1")},
        {"b": NonString("2")},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "[" * 5000,
        "{a: [",
        "? [a]\n: b",
        "\ta: 1",
        "a: *b",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in itertools.pairwise("abcdefgh")
        ),
        "x: " + "y" * (1 << 16),
    ],
    ids=["twice", "deep", "cut", "not a scalar", "tab", "no anchor", "laughs", "large"],
)
def test_malformed_or_excessive_yaml_is_rejected(text):
    with pytest.raises(ValueError, match=r".+"):
        structured.parse_yaml(text)


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text("ab:#'\"- \n", max_size=6))


def nested(inside):
    return st.one_of(
        inside, st.lists(inside, max_size=3), st.dictionaries(names, inside, max_size=3)
    )


trees = nested(nested(leaves))


@given(st.dictionaries(names, trees, max_size=4), st.booleans())
def test_yaml_agrees_with_the_library(document, flow):
    text = yaml.safe_dump(document, default_flow_style=flow)
    loaded = yaml.safe_load(text)
    assert as_text(structured.parse_yaml(text)) == as_text(loaded)


def as_text(value):
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, NonString):
        return ("non-string", value.text)
    if isinstance(value, str):
        return value
    word = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return ("non-string", word)


def test_json_with_duplicate_names_is_rejected():
    with pytest.raises(ValueError, match="twice"):
        structured.parse_json('{"a": 1, "a": 2}')


texts = st.one_of(
    st.text(max_size=60),
    st.text("[]{}=;:#'\"\\\n \tabc$-&*!|>%@`,?/.", max_size=60),
)


@given(texts, st.sampled_from(FORMATS))
def test_parsers_raise_only_value_error(text, form):
    try:
        form.parse(text)
    except (ValueError, RecursionError):
        return
