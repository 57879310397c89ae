"""The effective configuration: sources, their order, and errors with their line."""

from pathlib import Path

import pytest

from envlock.config.load import (
    Config,
    Environment,
    LocksConfig,
    NormalizeRule,
    Origin,
    Source,
    load,
)
from envlock.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / ".config" / "envlock").mkdir(parents=True)
    return folder


class World:
    """A project and a home directory with configuration files."""

    def __init__(self, project: Path, home: Path) -> None:
        self.project = project
        self.home = home

    def write(self, text: str) -> Path:
        path = self.project / "envlock.toml"
        path.write_bytes(text.encode())
        return path

    def write_user(self, text: str) -> Path:
        path = self.home / ".config" / "envlock" / "config.toml"
        path.write_text(text)
        return path

    def load(self, environ=None, flags=None, cwd: Path | None = None, **kwargs) -> Config:
        environ = {"HOME": str(self.home), **(environ or {})}
        return load(cwd or self.project, environ, flags or {}, **kwargs)

    def error(self, environ=None, flags=None) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.load(environ, flags)
        return caught.value


@pytest.fixture
def world(project: Path, home: Path) -> World:
    return World(project, home)


def test_defaults(world: World) -> None:
    config = world.load()
    assert config.root == world.project
    assert config.file is None
    assert (config.jobs, config.color) == (0, "auto")
    assert config.locks.dir == world.project / "locks"
    assert config.diff.fail_on == "low"
    assert config.materialize.layers == 64
    assert config.environments == {}
    assert config.normalize == ()
    assert config.store.path == world.home / ".local/share/envlock"
    assert set(config.origins.values()) == {Origin(Source.DEFAULT)}


def test_every_setting_of_a_file(world: World) -> None:
    file = world.write(
        """
        jobs = 3
        color = "never"
        locks.dir = "state/locks"
        locks.carry = "git"
        locks.carry-limit = 1000000
        locks.remote = "oci://registry.example.org/envs"
        locks.vendor = "kept"
        [environments.dev]
        target = "docker:web"
        [environments.prod]
        target = "ssh:web@prod.example.org"
        lock = "prod/x.lock"
        [capture]
        files = ["/srv/app/*.toml", "**/app.ini"]
        ignore = ["/srv/data"]
        env-allow = ["APP_*"]
        env-deny = ["APP_KEY"]
        key = "shop"
        with-state = ["/srv/database"]
        timeout = 5
        [check]
        fail-on = "critical"
        [diff]
        fail-on = "high"
        ignore = ["deb:linux-*", "env:TZ:value"]
        require = ["deb", "host.kernel"]
        presets = ["ci-runner"]
        baseline = "locks/baseline.toml"
        [materialize]
        layers = 4
        mirrors = ["https://mirror.example.org/debian", "file:///srv/debs"]
        snapshots = ["https://snapshots.example.org"]
        archives = ["https://archive.example.org/{filename}"]
        wheels = ["wheels", "~/wheels", "/srv/wheels"]
        [[normalize]]
        path = "/srv/cache"
        [[normalize]]
        path = "**/x"
        action = "keep"
        reason = "needed"
        [store]
        path = "~/store"
        """
    )
    config = world.load()
    project, home = world.project, world.home
    assert (config.file, config.root) == (file, project)
    assert (config.jobs, config.color) == (3, "never")
    assert config.locks == LocksConfig(
        dir=project / "state/locks",
        carry="git",
        carry_limit=1_000_000,
        remote="oci://registry.example.org/envs",
        vendor="kept",
    )
    assert config.environments == {
        "dev": Environment(
            name="dev", target="docker:web", lock=project / "state/locks/dev.lock", roots={}
        ),
        "prod": Environment(
            name="prod", target="ssh:web@prod.example.org", lock=project / "prod/x.lock", roots={}
        ),
    }
    assert config.capture.files == ("/srv/app/*.toml", "**/app.ini")
    assert config.capture.ignore == ("/srv/data",)
    assert config.capture.env_allow == ("APP_*",)
    assert config.capture.env_deny == ("APP_KEY",)
    assert config.capture.key == "shop"
    assert config.capture.with_state == ("/srv/database",)
    assert config.capture.timeout == 5
    assert config.check.fail_on == "critical"
    assert config.diff.fail_on == "high"
    assert config.diff.ignore == ("deb:linux-*", "env:TZ:value")
    assert config.diff.require == ("deb", "host.kernel")
    assert config.diff.presets == ("ci-runner",)
    assert config.diff.baseline == str(project / "locks/baseline.toml")
    assert config.materialize.layers == 4
    assert config.materialize.mirrors[0] == "https://mirror.example.org/debian"
    assert config.materialize.snapshots == ("https://snapshots.example.org",)
    assert config.materialize.archives == ("https://archive.example.org/{filename}",)
    assert config.materialize.wheels == (project / "wheels", home / "wheels", Path("/srv/wheels"))
    assert config.normalize == (
        NormalizeRule(path="/srv/cache", action="drop", reason=""),
        NormalizeRule(path="**/x", action="keep", reason="needed"),
    )
    assert config.store.path == home / "store"
    assert set(config.origins.values()) == {Origin(Source.PROJECT, "envlock.toml")}
    assert {"environments.dev", "environments.prod", "normalize", "diff.fail-on"} <= set(
        config.origins
    )


def test_each_source_overrides_the_ones_before(world: World) -> None:
    environ: dict[str, str] = {}
    flags: dict[str, object] = {"jobs": None}
    seen = [world.load(environ, flags)]
    user = world.write_user("jobs = 1")
    seen.append(world.load(environ, flags))
    world.write("jobs = 2")
    seen.append(world.load(environ, flags))
    environ["ENVLOCK_JOBS"] = "3"
    seen.append(world.load(environ, flags))
    flags["jobs"] = 4
    seen.append(world.load(environ, flags))
    assert [config.jobs for config in seen] == [0, 1, 2, 3, 4]
    assert [config.origins["jobs"] for config in seen] == [
        Origin(Source.DEFAULT),
        Origin(Source.USER, str(user)),
        Origin(Source.PROJECT, "envlock.toml"),
        Origin(Source.ENVIRONMENT, "ENVLOCK_JOBS"),
        Origin(Source.FLAG, "--jobs"),
    ]


def test_environments_are_merged_by_name_and_arrays_replaced_as_a_whole(world: World) -> None:
    world.write_user(
        '[environments.a]\ntarget = "host"\nlock = "a.lock"\n[environments.b]\n'
        '[[normalize]]\npath = "/u"\n'
    )
    world.write('[environments.b]\ntarget = "dir:/b"\n[[normalize]]\npath = "/p"\n')
    config = world.load()
    assert {name: e.target for name, e in config.environments.items()} == {
        "a": "host",
        "b": "dir:/b",
    }
    assert config.environments["a"].lock == world.home / ".config/envlock/a.lock"
    assert [rule.path for rule in config.normalize] == ["/p"]
    assert config.origins["environments.a"].source is Source.USER
    assert config.origins["environments.b"].source is Source.PROJECT


def test_paths_are_relative_to_the_source_they_are_written_in(world: World) -> None:
    below = world.project / "a" / "b"
    below.mkdir(parents=True)
    world.write('[locks]\ndir = "x"')
    world.write_user('[store]\npath = "s"')
    assert world.load(cwd=below).locks.dir == world.project / "x"
    assert world.load(cwd=below).store.path == world.home / ".config/envlock/s"
    assert world.load({"ENVLOCK_LOCKS_DIR": "y"}, cwd=below).locks.dir == below / "y"
    assert world.load(flags={"store.path": "z"}, cwd=below).store.path == below / "z"


def test_lists_in_variables_and_flags(world: World) -> None:
    config = world.load(
        {"ENVLOCK_CAPTURE_ENV_ALLOW": " A_*, ,B ", "ENVLOCK_CAPTURE_FILES": ""},
        {"diff.require": ["deb", "env"], "diff.ignore": "deb:x,deb:y", "materialize.layers": "7"},
    )
    assert config.capture.env_allow == ("A_*", "B")
    assert config.capture.files == ()
    assert config.diff.require == ("deb", "env")
    assert config.diff.ignore == ("deb:x", "deb:y")
    assert config.materialize.layers == 7


def test_the_nearest_file_in_the_checkout_is_used(world: World, tmp_path: Path) -> None:
    (tmp_path / "envlock.toml").write_text("jobs = 9")
    below = world.project / "a" / "b"
    below.mkdir(parents=True)
    assert world.load(cwd=below).jobs == 0
    world.write("jobs = 1")
    assert world.load(cwd=below).jobs == 1
    (world.project / "a" / "envlock.toml").write_text("jobs = 2")
    assert world.load(cwd=below).jobs == 2


def test_outside_a_checkout_only_the_working_directory_is_searched(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "envlock.toml").write_text("jobs = 9")
    (tmp_path / "plain").mkdir()
    assert world.load(cwd=tmp_path).jobs == 9
    assert world.load(cwd=tmp_path / "plain").jobs == 0
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    assert world.load(cwd=tmp_path / "plain").jobs == 9


def test_a_file_given_by_path_replaces_the_nearest(world: World, tmp_path: Path) -> None:
    world.write("jobs = 1")
    (tmp_path / "other.toml").write_text('jobs = 2\nlocks.dir = "l"')
    config = world.load(path=Path("../other.toml"))
    assert config.jobs == 2
    assert config.locks.dir.resolve() == tmp_path / "l"
    with pytest.raises(ConfigError, match="cannot read"):
        world.load(path=Path("missing.toml"))


def test_xdg_directories(world: World, tmp_path: Path) -> None:
    (tmp_path / "cfg" / "envlock").mkdir(parents=True)
    (tmp_path / "cfg" / "envlock" / "config.toml").write_text("jobs = 5")
    config = world.load({"XDG_CONFIG_HOME": str(tmp_path / "cfg"), "XDG_DATA_HOME": "/data"})
    assert config.jobs == 5
    assert config.store.path == Path("/data/envlock")
    relative = world.load({"XDG_CONFIG_HOME": "cfg", "XDG_DATA_HOME": "data"})
    assert relative.jobs == 0
    assert relative.store.path == world.home / ".local/share/envlock"


def test_crlf_and_byte_order(world: World) -> None:
    world.write("jobs = 2\r\n[diff]\r\nfail-on = 'high'\r\n")
    assert world.load().diff.fail_on == "high"


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("jobz = 1", 1, "unknown setting jobz", 'did you mean "jobs"?'),
        ("\n\n[diff]\nfail_on = 'low'", 4, "unknown setting diff.fail_on", '"fail-on"'),
        ("[difff]\nx = 1", 1, "unknown setting difff", '"diff"'),
        ("jobs = 1\n[zzz.yyy]", 2, "unknown setting zzz", "known: jobs, color, locks, "),
        ("[diff]\nzzz = 1", 2, "unknown setting diff.zzz", "known: fail-on, ignore, require"),
        ("[environments.dev]\ntargt = 'host'", 2, "environments.dev.targt", '"target"'),
        ("[[normalize]]\npath='/x'\n[[normalize]]\npath='/y'\nwhy=''", 5, "normalize[1].why", ""),
        ("\njobs = 'x'", 2, "jobs must be a whole number, not a string", ""),
        ("jobs = true", 1, "jobs must be a whole number, not true or false", ""),
        ("jobs = -1", 1, "jobs must be at least 0, not -1", ""),
        ("[materialize]\n\nlayers = 0", 3, "materialize.layers must be at least 1, not 0", ""),
        ("[diff]\nfail-on = 3", 2, "diff.fail-on must be a string, not the number 3", ""),
        ("[diff]\nfail-on = 'hihg'", 2, 'diff.fail-on does not allow "hihg"', '"high"'),
        ("[diff]\nrequire = 'deb'", 2, "diff.require must be a list of section names", ""),
        ("[diff]\nrequire = [\n'deb',\n'debb']", 2, 'diff.require does not allow "debb"', '"deb"'),
        (
            "[capture]\nfiles = [1]",
            2,
            "capture.files must contain only strings, not the number 1",
            "",
        ),
        ("[capture]\nfiles = ['etc/x']", 2, "cannot match a path", 'start it with "/"'),
        ("[capture]\nfiles = ['/\\u0000']\nignore=[\"/\\u0000\"]", 3, "null character", ""),
        ("[capture]\nenv-allow = 2020-01-01", 2, "not a date or time", ""),
        ("[[normalize]]\npath = 'x'", 2, "normalize[0].path", "start it"),
        ("\n[[normalize]]\nreason = 'x'", 2, "normalize[0] lacks path", ""),
        ("[[normalize]]\npath='/x'\naction='rm'", 3, 'normalize[0].action does not allow "rm"', ""),
        ("[normalize]\npath = '/x'", 1, "normalize must be an array of tables", ""),
        ("environments = 3", 1, "environments must be a table", ""),
        ("environments.dev = 'host'", 1, "environments.dev must be a table", ""),
        ("[environments.'a/b']", 1, "environments.a/b is not a valid name", "letters"),
        ("diff = 'high'", 1, "diff must be a table", ""),
        ("[materialize]\nmirrors = ['nonsense']", 2, "http, https and file URLs", ""),
        ("[materialize]\nmirrors = ['http://[']", 2, "an invalid URL", ""),
        ("jobs = ", 1, "the settings are not TOML: invalid value", ""),
        ("jobs = 1\njobs = 2", 2, "the settings are not TOML", ""),
    ],
)
def test_an_error_names_the_line(
    world: World, text: str, line: int, message: str, hint: str
) -> None:
    world.write(text)
    error = world.error()
    assert error.where == f"envlock.toml:{line}"
    assert message in error.message
    assert hint in error.hint


def test_an_error_in_a_variable_or_option_names_it(world: World) -> None:
    error = world.error({"ENVLOCK_JOBS": "many"})
    assert (error.where, error.message) == (
        "ENVLOCK_JOBS",
        "jobs must be a whole number, not a string",
    )
    error = world.error(flags={"diff.fail-on": "never"})
    assert error.where == "--fail-on"
    error = world.error(flags={"diff.require": ["debs"]})
    assert error.where == "diff.require"
    with pytest.raises(KeyError):
        world.load(flags={"no.such": 1})


@pytest.mark.parametrize("url", ["https://me:hunter2@example.org/x", "http://hunter2@[::1]/"])
def test_credentials_in_a_url_are_refused_and_not_repeated(world: World, url: str) -> None:
    world.write(f'[materialize]\nmirrors = ["{url}"]')
    error = world.error()
    assert "credentials" in error.message
    assert "hunter2" not in f"{error} {error.hint}"
    assert "hunter2" not in str(world.error({"ENVLOCK_MATERIALIZE_MIRRORS": url}))


def test_a_file_that_cannot_be_read(world: World) -> None:
    (world.project / "envlock.toml").write_bytes(b"# \xff\n")
    assert "UTF-8" in world.error().message
    (world.project / "envlock.toml").unlink()
    (world.project / "envlock.toml").symlink_to("envlock.toml")
    assert world.load().file is None


def test_without_home_variable_the_home_is_read_from_the_password_database(project: Path) -> None:
    import os
    import pwd

    config = load(project, {}, {})
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert config.store.path == Path(home) / ".local/share/envlock"
