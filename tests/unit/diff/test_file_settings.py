"""Settings that differ inside one file: by name where the format is known, else by line."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.diff.file_settings import MAX_BYTES, MAX_SETTINGS, conceal, settings, structured
from envlock.formats.config import format_of

NGINX = """
http {
    server { listen 80; server_name example.org www.example.org; }
    server { listen 443; server_name example.org; }
}
"""


def show(_name, value):
    return value


def hide_passwords(name, value):
    return "(secret)" if "password" in name.lower() else value


@pytest.mark.parametrize(
    ("path", "left", "right", "found"),
    [
        ("/a.json", b'{"a": 1}', b'{"a": true}', [("a", "1", "true")]),
        ("/a.json", b'{"a": "1"}', b'{"a": 1}', [("a", '"1"', "1")]),
        ("/a.json", b'{"a": null}', b"{}", [("a", "null", None)]),
        ("/a.json", b"[1, 2, 3]", b"[1, 3]", [("1", "2", None)]),
        ("/a.json", b'{"a": {"b": 1}}', b'{"a": 2}', [("a", "{b: 1}", "2")]),
        ("/a.json", b'{"a.b": 1}', b'{"a.b": 2}', [('"a.b"', "1", "2")]),
        ("/a.toml", b"[x]\ny = 1\n", b"[x]\ny = 2\n", [("x.y", "1", "2")]),
        ("/a.toml", b"d = 2020-01-01", b"d = 2020-01-02", [("d", "2020-01-01", "2020-01-02")]),
        ("/a.ini", b"[x]\nA = 1\n", b"[x]\nA=1\nb=2\n", [("x.b", None, "2")]),
        ("/a.ini", b"[x]\nA = 1\n", b"; c\n[x]\nA=1\n", []),
        ("/u.service", b"[Service]\nExecStart=a\n", b"[Service]\nExecStart=b\n",
         [("Service.ExecStart", "a", "b")]),
    ],
)  # fmt: skip
def test_structured_files_by_key(path, left, right, found):
    assert structured(path, left, right, show) == found


def test_two_maps_that_share_few_keys_are_compared_by_key():
    left = "{" + ", ".join(f'"a{n}": {n}' for n in range(40)) + ', "password": "one"}'
    found = structured("/a.json", left.encode(), b'{"password": "two"}', hide_passwords)
    assert len(found) == 41
    assert ("password", "(secret)", "(secret)") in found


@pytest.mark.parametrize(
    "broken",
    [b"{", b"\xff", b"[" * 100_000, b'{"a": 1} x'],
    ids=["cut", "bytes", "deep", "tail"],
)
def test_broken_structure_is_not_compared_by_key(broken):
    assert structured("/a.json", broken, b"{}", show) is None


def test_a_repeated_key_is_compared_by_position():
    left, right = b"[Service]\nExecStart=a\nExecStart=b\n", b"[Service]\nExecStart=a\nExecStart=c\n"
    assert settings("/u.service", left, right, show) == [("Service.ExecStart.1", "b", "c")]


def test_other_text_by_line_with_secrets_hidden_by_name():
    left = b"port 1\npassword one\nsame\n"
    right = b"port 2\npassword two\nsame\nmore\n"
    assert settings("/etc/x", left, right, hide_passwords) == [
        ("line 1", "port 1", "port 2"),
        ("line 2", "(secret)", "(secret)"),
        ("new line 4", None, "more"),
    ]


@pytest.mark.parametrize("raw", [b"\0", b"\xff\xfe"])
def test_binary_content_is_not_explained(raw):
    assert settings("/bin/x", raw, b"text", show) is None


def test_too_many_differences_are_not_explained():
    left = "".join(f"{n}\n" for n in range(MAX_SETTINGS + 1)).encode()
    assert settings("/x", left, left.replace(b"\n", b"x\n"), show) is None


def test_values_below_a_secret_name_are_hidden():
    for path in ("/x.yaml", "/x.txt"):
        left = b"database:\n  passwords:\n    app: hunter2\n  port: 1\n"
        found = settings(path, left, left.replace(b"hunter2", b"other").replace(b"1", b"7"),
                         hide_passwords)  # fmt: skip
        assert [values for _, *values in found] == [["(secret)"] * 2, [ANY, ANY]]
        assert "hunter2" not in str(found)


def test_a_continued_line_belongs_to_the_name_before_it():
    left, right = b"run --password \\\n  hunter2\n", b"run --password \\\n  other\n"
    [(_, old, new)] = settings("/x.sh", left, right, lambda name, value: name)
    assert (old, new) == ("run.hunter2", "run.other")


def test_large_files_are_not_explained():
    assert settings("/x", b"a\n" * MAX_BYTES, b"b", show) is None


def test_hostile_text_is_given_up_in_bounded_time():
    left = "".join(f"{n % 99}\n" for n in range(20_000)).encode()
    right = "".join(f"{n % 98}\n" for n in range(20_000)).encode()
    assert settings("/x", left, right, show) is None
    assert settings("/x", b"\n" * 20_001, b"", show) is None


def test_order_matters_only_in_formats_where_it_does():
    left, right = b"Match User a\nX11Forwarding no\n", b"Match User b\nX11Forwarding yes\n"
    assert settings("/etc/ssh/sshd_config", left + right, right + left, show) != []
    assert settings("/x.ini", b"[a]\nx=1\n[b]\ny=1\n", b"[b]\ny=1\n[a]\nx=1\n", show) == []


def test_conceal_shows_nothing():
    assert conceal("a", "secret") == "(not shown)"


def test_deepdiff_is_not_imported_before_it_is_needed():
    code = """if True:
        import sys, envlock.diff.engine, envlock.report.json, envlock.report.text
        print({"deepdiff", "rich", "docker", "jsonschema"} & sys.modules.keys())
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def differences(path, left, right):
    return settings(path, left.encode(), right.encode(), show)


def test_a_directive_by_its_path():
    found = differences("/etc/nginx/sites-enabled/default", NGINX, NGINX.replace("443", "8443"))
    assert found == [("http/server[example.org]#2/listen", "443", "8443")]


def test_a_drop_in_that_resets_differs_from_one_that_adds():
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
def test_any_bytes_can_be_compared_and_every_value_is_redacted(raw, text, path):
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
