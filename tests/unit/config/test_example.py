"""envlock.toml.example: it is generated, complete, and changes nothing."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from envlock.config.example import example
from envlock.config.load import load
from envlock.config.setting import Kind
from envlock.config.settings import SETTINGS, TABLES

EXAMPLE = Path(__file__).parents[3] / "envlock.toml.example"


def uncommented(text: str) -> str:
    return re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE)


def test_the_file_in_the_repository_is_current() -> None:
    assert EXAMPLE.read_text() == example()


def test_it_changes_nothing(tmp_path: Path) -> None:
    before = load(tmp_path, {"HOME": "/h"}, {})
    (tmp_path / "envlock.toml").write_text(example())
    after = load(tmp_path, {"HOME": "/h"}, {})
    assert after.file == tmp_path / "envlock.toml"
    assert after.origins == before.origins
    assert (after.capture, after.diff, after.materialize) == (
        before.capture,
        before.diff,
        before.materialize,
    )


def test_the_commented_values_are_all_the_defaults() -> None:
    document = tomllib.loads(uncommented(example()))
    examples = {key: document.pop(key) for key in TABLES}
    flat = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            flat[name] = value
    assert flat == {
        key: list(s.default) if isinstance(s.default, tuple) else s.default
        for key, s in SETTINGS.items()
    }
    for key, table in TABLES.items():
        rows = examples[key] if table.is_array else list(examples[key].values())
        shown = [table.example, *table.further]
        kinds = {field.key: field.kind for field in table.fields}
        assert rows == [
            {name: _as_toml(item, kinds[name]) for name, item in row.items()} for row in shown
        ]
        assert set().union(*shown) == {field.key for field in table.fields}


def test_it_loads_with_everything_uncommented(tmp_path: Path) -> None:
    (tmp_path / "envlock.toml").write_text(uncommented(example()))
    config = load(tmp_path, {"HOME": "/h"}, {})
    assert config.store.path == Path("/h/.local/share/envlock")
    assert config.environments["dev"].target == "docker:web"
    assert config.normalize[0].path == "/srv/cache"
    assert set(SETTINGS) <= set(config.origins)


def test_it_names_every_variable_and_flag() -> None:
    text = example()
    for setting in SETTINGS.values():
        assert setting.variable in text
        assert setting.flag in text
        assert len(setting.help) > 20
    assert all(len(line) <= 100 for line in text.splitlines())


def test_variables_and_flags_are_unique() -> None:
    variables = [setting.variable for setting in SETTINGS.values()]
    flags = [setting.flag for setting in SETTINGS.values() if setting.flag]
    assert len(set(variables)) == len(variables)
    assert len(set(flags)) == len(flags)


def test_reading_settings_does_not_import_tomlkit() -> None:
    code = "import envlock.config.load, envlock.config.edit, sys; print('tomlkit' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert output == b"False\n"


def _as_toml(value: object, kind: Kind) -> object:
    """Return the value that TOML has for one of a setting."""
    if not isinstance(value, tuple):
        return value
    if kind in (Kind.ROOTS, Kind.PAIRS):
        return dict(item.split("=", 1) for item in value)
    if kind is Kind.TRACES:
        roles = {item.split("=", 1)[0] for item in value}
        return {role: [i.split("=", 1)[1] for i in value if i.startswith(role)] for role in roles}
    return list(value)
