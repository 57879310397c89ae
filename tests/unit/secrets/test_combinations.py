"""Every name that means a secret is found in every syntax."""

from __future__ import annotations

import pytest

from envlock.secrets.arguments import redact_arguments
from envlock.secrets.names import Grade, grade_name
from envlock.secrets.settings import redact_settings
from tests.unit.secrets.samples import MARKER
from tests.unit.secrets.test_names import SECRET

NAMES = [name for name in SECRET.split() if grade_name(name) >= Grade.SECRET]
VALUES = (f"Hunter2-{MARKER}", f"s3cr3t{MARKER}")

FORMS = (
    ("/etc/a.ini", "[x]\n{N} = {S}\n"),
    ("/etc/a.conf", "{N}={S}\n"),
    ("/etc/a.conf", "{N}: {S}\n"),
    ("/etc/a.conf", "{N} {S}\n"),
    ("/etc/a.conf", "# {N}={S}\n"),
    ("/etc/a.conf", "https://x/y?{N}={S}&a=b\n"),
    ("/srv/.env", 'export {N}="{S}"\n'),
    ("/etc/default/a", "{N}='{S}'\n"),
    ("/srv/a.yml", "a:\n  {N}: {S}\n"),
    ("/srv/a.yml", "env:\n- name: {N}\n  value: {S}\n"),
    ("/srv/a.yml", "environment:\n  - {N}={S}\n"),
    ("/srv/a.yml", "{N}: |\n  {S}\n"),
    ("/srv/a.json", '{"a":{"{N}":"{S}","b":1}}'),
    ("/srv/a.json", '[{"name": "{N}", "value": "{S}"}]'),
    ("/srv/a.toml", '{N} = "{S}"\n'),
    ("/srv/a.xml", '<c {N}="{S}"/>'),
    ("/srv/a.xml", '<property name="{N}" value="{S}"/>'),
    ("/srv/a.xml", "<property><name>{N}</name><value>{S}</value></property>"),
    ("/srv/a.tf", 'variable "{N}" {\n  default = "{S}"\n}\n'),
    ("/srv/config.php", "'{N}' => '{S}',\n"),
    ("/srv/config.php", "define('{N}', '{S}');\n"),
    ("/srv/settings.py", "x = {'{N}': '{S}'}\n"),
    ("/srv/app.py", "x['{N}'] = '{S}'\n"),
    ("/srv/run.sh", "{N}={S} ./run\n"),
    ("/srv/run.sh", "x --{N} {S}\n"),
    ("/srv/run.sh", "java -D{N}={S} x\n"),
    ("/srv/run.sh", "curl -H '{N}: {S}' x\n"),
    ("/etc/s.service", 'Environment="A=1" "{N}={S}"\n'),
    ("/srv/Dockerfile", "ENV {N} {S}\n"),
    ("/etc/cron.d/a", "* * * * * root {N}={S} x\n"),
)


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_every_name_in_a_syntax(path: str, form: str) -> None:
    for name in NAMES:
        for value in VALUES:
            text = form.replace("{N}", name).replace("{S}", value)
            assert MARKER not in redact_settings(path, text).text, text


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_arguments(name: str) -> None:
    value = VALUES[0]
    for argv in (
        ["x", f"--{name}", value],
        ["x", f"--{name}={value}"],
        ["x", "-e", f"{name}={value}"],
        ["x", "-H", f"{name}: {value}"],
        ["java", f"-D{name}={value}"],
        ["sh", "-c", f"{name}={value} x"],
    ):
        assert MARKER not in " ".join(redact_arguments(argv)), argv
