"""Settings that differ within one file, format by format."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.diff.file_settings import settings
from envlock.formats.config import format_of

NGINX = """
http {
    server { listen 80; server_name example.org www.example.org; }
    server { listen 443; server_name example.org; }
}
"""


def show(_name, value):
    return value


def differences(path, left, right):
    return settings(path, left.encode(), right.encode(), show)


def test_a_directive_by_its_path():
    found = differences("/etc/nginx/sites-enabled/default", NGINX, NGINX.replace("443", "8443"))
    assert found == [("http/server[example.org]#2/listen", "443", "8443")]


def test_a_drop_in_that_takes_back_differs_from_one_that_adds():
    reset, adds = "[Service]\nExecStart=\nExecStart=/b\n", "[Service]\nExecStart=/b\n"
    path = "/etc/systemd/system/x.service.d/10-x.conf"
    assert differences(path, adds, reset) == [("Service.ExecStart", '"/b"', '["", "/b"]')]
    assert differences("/etc/systemd/system/x.service", adds, reset) == []


def test_a_setting_of_a_compose_file():
    compose = "services:\n  web:\n    image: 'web:1'\n    ports: ['80:80']\n"
    found = differences("/srv/compose.yml", compose, compose.replace("web:1", "web:2"))
    assert found == [("services.web.image", "web:1", "web:2")]


texts = st.one_of(
    st.text(max_size=60),
    st.text("[]{}=;:#'\"\\\n \tabc$-&*!|>%@`,?/.", max_size=60),
)


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
