"""Configuration by name, format by format."""

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

from envlock.diff.edits import edits
from envlock.diff.file_settings import settings
from envlock.formats.config import FORMATS, blocks, format_of, ini, markup, words
from envlock.formats.config.values import MAX_DEPTH, Bare
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


def show(_name, value):
    return value


def differences(path, left, right):
    return settings(path, left.encode(), right.encode(), show)


def test_nginx():
    assert blocks.read_nginx(NGINX) == {
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


def test_a_directive_by_its_path():
    found = differences("/etc/nginx/sites-enabled/default", NGINX, NGINX.replace("443", "8443"))
    assert found == [("http/server[example.org]#2/listen", "443", "8443")]


@pytest.mark.parametrize(
    "text",
    ["a {", "a }", "}", "a", 'a "b;', "a {" * (MAX_DEPTH + 1) + "b;" + "}" * (MAX_DEPTH + 1),
     "content_by_lua_block { return #t }", "a {} a c;"],
)  # fmt: skip
def test_what_is_no_nginx(text):
    with pytest.raises(ValueError, match=r".+"):
        blocks.read_nginx(text)


def test_bind():
    text = '// c\nzone "example.org" { type master; /* x { */ file "db"; };\noptions { a { b; }; };'
    assert blocks.read_bind(text) == {
        "zone[example.org]": {"type": "master", "file": "db"},
        "options": {"a": {"b": ""}},
    }


def test_units_take_values_back():
    assert ini.read_unit(UNIT) == {
        "Unit": {"Description": "A thing that goes on"},
        "Service": {
            "ExecStartPre": ["/bin/a", "/bin/b"],
            "ExecStart": "/bin/new",
            "Restart": "always",
        },
    }


def test_a_drop_in_that_takes_back_differs_from_one_that_adds():
    reset, adds = "[Service]\nExecStart=\nExecStart=/b\n", "[Service]\nExecStart=/b\n"
    path = "/etc/systemd/system/x.service.d/10-x.conf"
    assert differences(path, adds, reset) == [("Service.ExecStart", '"/b"', '["", "/b"]')]
    assert differences("/etc/systemd/system/x.service", adds, reset) == []


def test_ini():
    text = "; c\n[a]\nK = v ; kept\nlong =\n  one\n  two\nalone\nK = w\n[b c]\nx: 1\n"
    assert ini.read_ini(text) == {
        "a": {"K": ["v ; kept", "w"], "long": "\none\ntwo", "alone": "(set)"},
        "b c": {"x": "1"},
    }


names = st.text("abcXYZ09_", min_size=1, max_size=6)


@given(st.dictionaries(names, st.dictionaries(names, st.text("ab 1/.", max_size=8)), min_size=1))
def test_ini_is_read_as_the_library_reads_it(document):
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
        for section, options in document.items()
    )
    parser = configparser.RawConfigParser(default_section="")
    parser.optionxform = str
    parser.read_string(text)
    assert ini.read_ini(text) == {name: dict(parser[name]) for name in parser.sections()}


def test_ssh():
    text = (
        "# c\nPort 22\nport 2222\nPermitRootLogin=no\n"
        "Match User git  Address 10.0.0.0/8\n  AllowTcpForwarding no\n"
        "Match User git\n  X11Forwarding no\n"
    )
    assert words.read_ssh(text) == {
        "port": ["22", "2222"],
        "permitrootlogin": "no",
        "match[User git Address 10.0.0.0/8]": {"allowtcpforwarding": "no"},
        "match[User git]": {"x11forwarding": "no"},
    }


def test_sshd_agrees_about_a_real_configuration(tmp_path):
    """`sshd -T` prints what it understood: every setting read here without a block is in it."""
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
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    printed = dict(line.split(" ", 1) for line in told.splitlines())
    for name, value in words.read_ssh(text).items():
        assert printed[name] == value.strip('"')


def test_assignments():
    text = '# c\nexport A=1\nB=\'x y\'\nC="q\\"r"  # c\nD=\nA=2\n'
    assert words.read_assignments(text) == {
        "A": ["1", "2"], "B": "x y", "C": 'q\\"r', "D": ""
    }  # fmt: skip
    for code in ("if true; then A=1; fi", "A=$(id) b", "A='x\ny'"):
        with pytest.raises(ValueError, match="assignment"):
            words.read_assignments(code)


def test_tables_of_words():
    fstab = "UUID=1 / ext4 errors=remount-ro 0 1\nUUID=2 none swap sw 0 0\nt /tmp tmpfs\n"
    assert words.read_fstab(fstab) == {
        "/": {"device": "UUID=1", "type": "ext4", "options": "errors=remount-ro", "dump": "0",
              "pass": "1"},
        "UUID=2": {"device": "UUID=2", "type": "swap", "options": "sw", "dump": "0", "pass": "0"},
        "/tmp": {"device": "t", "type": "tmpfs"},
    }  # fmt: skip
    hosts = "127.0.0.1\tlocalhost  a # c\n::1 b\n127.0.0.1 c\n"
    assert words.read_hosts(hosts) == {"127.0.0.1": ["localhost a", "c"], "::1": "b"}
    assert words.read_sysctl("; c\nnet/ipv4/x=1\n-vm.y = 1\t2\n") == {
        "net.ipv4.x": "1", "-vm.y": "1 2"
    }  # fmt: skip
    keywords = "nameserver 1\nnameserver  2\noptions a  b\nbare\npasswd: files\n"
    assert words.read_keywords(keywords) == {
        "nameserver": ["1", "2"], "options": "a b", "bare": "(set)", "passwd": "files"
    }  # fmt: skip
    assert words.read_settings("a = 'x # y' # c\nb 3 # c\nc=on\n") == {
        "a": "x # y", "b": "3", "c": "on"
    }  # fmt: skip
    assert words.read_limits("* soft nofile 1024\n@x - core 0 # c\n") == {
        "* soft nofile": "1024", "@x - core": "0"
    }  # fmt: skip


def test_yaml():
    text = "a: 1\nb: '1'\nc: [x, yes]\nd: &d {e: null}\nf: *d\ng: !x y\n"
    assert markup.read_yaml(text) == {
        "a": Bare("1"),
        "b": "1",
        "c": ["x", Bare("yes")],
        "d": {"e": Bare("null")},
        "f": {"e": Bare("null")},
        "g": Bare("!x y"),
    }
    assert markup.read_yaml("a: 1\n---\nb: 2\n") == [{"a": Bare("1")}, {"b": Bare("2")}]
    compose = "services:\n  web:\n    image: 'web:1'\n    ports: ['80:80']\n"
    found = differences("/srv/compose.yml", compose, compose.replace("web:1", "web:2"))
    assert found == [("services.web.image", "web:1", "web:2")]


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
    ids=["twice", "deep", "cut", "no scalar", "tab", "no anchor", "laughs", "large"],
)
def test_what_is_no_yaml_that_is_read(text):
    with pytest.raises(ValueError, match=r".+"):
        markup.read_yaml(text)


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text("ab:#'\"- \n", max_size=6))


def nested(inside):
    return st.one_of(
        inside, st.lists(inside, max_size=3), st.dictionaries(names, inside, max_size=3)
    )


trees = nested(nested(leaves))


@given(st.dictionaries(names, trees, max_size=4), st.booleans())
def test_yaml_is_read_as_the_library_reads_it(document, flow):
    text = yaml.safe_dump(document, default_flow_style=flow)
    loaded = yaml.safe_load(text)
    assert in_words(markup.read_yaml(text)) == in_words(loaded)


def in_words(value):
    if isinstance(value, dict):
        return {key: in_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_words(item) for item in value]
    if isinstance(value, Bare):
        return ("bare", value.text)
    if isinstance(value, str):
        return value
    word = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return ("bare", word)


def test_json_that_says_a_thing_twice_is_no_structure():
    with pytest.raises(ValueError, match="twice"):
        markup.read_json('{"a": 1, "a": 2}')


texts = st.one_of(
    st.text(max_size=60),
    st.text("[]{}=;:#'\"\\\n \tabc$-&*!|>%@`,?/.", max_size=60),
)


@given(texts, st.sampled_from(FORMATS))
def test_a_reader_raises_nothing_but_what_it_says(text, form):
    try:
        form.read(text)
    except (ValueError, RecursionError):
        return


PATHS = [
    "/x.json", "/x.toml", "/x.yaml", "/x.ini", "/x.service", "/etc/nginx/x", "/etc/ssh/sshd_config",
    "/etc/bind/x", "/etc/default/x", "/etc/fstab", "/etc/hosts", "/etc/sysctl.conf", "/x.conf",
    "/etc/login.defs", "/etc/security/limits.conf", "/etc/adduser.conf", "/x.txt",
    "/etc/systemd/system/x.service.d/y.conf",
]  # fmt: skip


@given(st.binary(max_size=80), texts.map(str.encode), st.sampled_from(PATHS))
def test_any_bytes_can_be_compared_and_nothing_is_shown_unasked(raw, text, path):
    for left, right in ((raw, text), (text, raw), (text, text + b"\nx = canary-value\n")):
        found = settings(path, left, right, lambda _name, _value: "hidden")
        assert "canary-value" not in str([values for _, *values in found or []])


@pytest.mark.parametrize(("opening", "closing"), [("{", "}"), ("[", "]"), ("a {", "}"), ("- ", "")])
@pytest.mark.parametrize("path", PATHS)
def test_deep_nesting_is_bounded(path, opening, closing):
    text = (opening * 20_000 + closing * 20_000).encode()
    settings(path, text, b"a = 1\n", show)


def test_real_files_of_this_machine_are_equal_to_themselves_and_read():
    read = 0
    for path in sorted(Path("/etc").rglob("*"))[:3000]:
        form = format_of(str(path))
        if form is None or not path.is_file() or path.is_symlink():
            continue
        raw = path.read_bytes()[: 1 << 16]
        assert settings(str(path), raw, raw, show) in ([], None)
        read += 1
    assert read


lines = st.lists(st.sampled_from("abc"), max_size=12)


@given(lines, lines)
def test_edits_turn_one_into_the_other_in_the_fewest_lines(left, right):
    found = edits(left, right, 24)
    made, place = [], 0
    for edit in found:
        made += left[place : edit.start] + right[edit.other : edit.stop]
        place = edit.end
    assert made + left[place:] == right
    cost = sum(e.end - e.start + e.stop - e.other for e in found)
    assert cost == len(left) + len(right) - 2 * common(left, right)
    assert not cost or edits(left, right, cost - 1) is None


def common(left, right):
    """Length of the longest common subsequence, the plain way."""
    above = [0] * (len(right) + 1)
    for a in left:
        row = [0]
        for n, b in enumerate(right):
            row.append(above[n] + 1 if a == b else max(row[n], above[n + 1]))
        above = row
    return above[-1]
