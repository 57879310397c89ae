"""Java, PHP, Ruby, R and Perl: the runtime, and what it loads."""

from __future__ import annotations

import zipfile

import pytest

from envlock.model.process import ProcessConfig
from tests.unit.scope.conftest import Machine

HOME = "/usr/lib/jvm/java-17"


@pytest.fixture
def java(machine: Machine) -> Machine:
    machine.program(f"{HOME}/bin/java", owner="deb jre-headless:amd64")
    machine.link("/usr/bin/java", f"{HOME}/bin/java")
    for name in ("server/libjvm.so", "modules", "libzip.so"):
        machine.file(f"{HOME}/lib/{name}", owner="deb jre-headless:amd64")
    machine.file(f"{HOME}/lib/libawt_xawt.so", owner="deb jre:amd64")
    machine.file("/etc/ssl/certs/java/cacerts", owner="deb ca-certificates-java:all")
    machine.link(f"{HOME}/lib/security/cacerts", "/etc/ssl/certs/java/cacerts")
    machine.record("java", "java-17", version="17")
    archive(machine, "/opt/shop/shop.jar", "Class-Path: lib/a.jar lib/gone.jar\n")
    archive(machine, "/opt/shop/lib/a.jar")
    archive(machine, "/opt/shop/lib/b.jar")
    machine.record("java", "shop/shop", path="/opt/shop/shop.jar")
    machine.record("java", "shop/shop/inner", version="1")
    machine.record("java", "lib/a", path="/opt/shop/lib/a.jar")
    machine.record("java", "lib/b", path="/opt/shop/lib/b.jar")
    return machine


def archive(machine: Machine, path: str, manifest: str = "") -> None:
    (machine.top / path[1:]).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(machine.top / path[1:], "w") as packed:
        packed.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\n{manifest}\n")


RUNTIME = {"deb:jre-headless:amd64", "deb:ca-certificates-java:all", "java:java-17"}


@pytest.mark.parametrize(
    ("command", "archives"),
    [
        ("java -Xmx1g -jar shop.jar --port 80", {"shop/shop", "shop/shop/inner", "lib/a"}),
        ("java -cp lib/* Main", {"lib/a", "lib/b"}),
        ("java --class-path=/opt/shop/lib/b.jar -Dx=y Main", {"lib/b"}),
        ("java -javaagent:lib/b.jar=x Main", {"lib/b", "lib/a"}),
        ("java -version", {"lib/a"}),
    ],
)
def test_a_java_process_needs_its_runtime_and_its_archives(
    java: Machine, command: str, archives: set[str]
) -> None:
    java.view.config = ProcessConfig(
        cmd=tuple(command.split()),
        workdir="/opt/shop",
        environ={"CLASSPATH": "lib/a.jar", "PATH": "/usr/bin"},
    )
    assert set(java.closure("process")) == RUNTIME | {f"java:{key}" for key in archives}


def test_a_start_script_needs_the_archives_beside_it(java: Machine) -> None:
    java.program("/opt/shop/bin/shop", '#!/bin/sh\nexec "$JAVACMD" Main\n')
    found = set(java.closure("exe:/opt/shop/bin/shop"))
    assert found == RUNTIME | {"java:lib/a", "java:lib/b"}


def test_a_damaged_archive_has_no_class_path(java: Machine) -> None:
    java.file("/opt/shop/shop.jar", b"PK\3\4 not an archive")
    java.view.config = ProcessConfig(cmd=("java", "-jar", "/opt/shop/shop.jar"))
    assert "java:lib/a" not in java.closure("process")


def test_php_needs_the_extensions_that_its_own_configuration_loads(machine: Machine) -> None:
    machine.program("/usr/sbin/php-fpm8.2", owner="deb php-fpm:amd64")
    for name in ("pdo", "mysql", "xdebug"):
        machine.file(f"/usr/lib/php/20220829/{name}.so", owner=f"deb php-{name}:amd64")
    machine.file("/etc/php/8.2/mods-available/pdo.ini", "; extension=off.so\nextension=pdo.so\n")
    machine.link("/etc/php/8.2/fpm/conf.d/10-pdo.ini", "/etc/php/8.2/mods-available/pdo.ini")
    machine.file("/etc/php/8.2/fpm/php.ini", "[x]\nextension = mysql\n")
    machine.file("/etc/php/8.2/cli/php.ini", "zend_extension=xdebug\n")
    machine.file("/etc/php/8.2/fpm/pool.d/www.conf")
    for path in ("mods-available/pdo.ini", "fpm/php.ini", "cli/php.ini", "fpm/pool.d/www.conf"):
        machine.record("file", f"/etc/php/8.2/{path}", sha256="0")
    members = machine.closure("exe:php-fpm8.2")
    assert set(members) == {
        "deb:php-fpm:amd64",
        "deb:php-pdo:amd64",
        "deb:php-mysql:amd64",
        "file:/etc/php/8.2/mods-available/pdo.ini",
        "file:/etc/php/8.2/fpm/php.ini",
        "file:/etc/php/8.2/fpm/pool.d/www.conf",
    }
    assert members["deb:php-pdo:amd64"].via == "deb:php-fpm:amd64 → php-fpm8.2 → pdo.ini"


def test_a_php_script_needs_what_composer_installed(machine: Machine) -> None:
    machine.program("/usr/local/bin/php", owner="deb php:amd64")
    machine.file("/srv/app/bin/console.php")
    machine.file("/srv/app/composer.lock")
    machine.file("/srv/app/vendor/psr/log/composer.json", owner="composer app/psr/log")
    machine.view.config = ProcessConfig(cmd=("php", "bin/console.php"), workdir="/srv/app")
    assert set(machine.closure("process")) == {"deb:php:amd64", "composer:app/psr/log"}


def test_ruby_needs_the_gems_that_are_not_those_of_the_system(machine: Machine) -> None:
    machine.program("/usr/local/bin/ruby", owner="deb ruby:amd64")
    gems = "/usr/local/lib/ruby/gems/3.2.0"
    machine.file(f"{gems}/specifications/rack-3.gemspec", owner="gem local/rack")
    machine.file("/var/lib/gems/3.2.0/specifications/os-1.gemspec", owner="deb ruby-os:all")
    machine.file(f"{gems}/extensions/x86_64/nokogiri.so", owner="gem local/nokogiri")
    bundle = "/srv/app/vendor/bundle/ruby/3.2.0"
    machine.file(f"{bundle}/specifications/puma-6.gemspec", owner="gem app/puma")
    machine.view.config = ProcessConfig(cmd=("ruby", "app.rb"), workdir="/srv/app")
    assert set(machine.closure("process")) == {
        "deb:ruby:amd64",
        "gem:local/rack",
        "gem:local/nokogiri",
        "gem:app/puma",
    }


def test_a_perl_script_needs_the_modules_it_uses(machine: Machine) -> None:
    machine.program("/usr/bin/perl", owner="deb perl-base:amd64")
    machine.file("/usr/share/perl5/JSON.pm", owner="deb libjson-perl:all")
    machine.file("/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm", owner="deb libdbi-perl:amd64")
    machine.program("/srv/report", "#!/usr/bin/perl -w\nuse strict;\nuse JSON;\n  require DBI;\n")
    assert set(machine.closure("exe:/srv/report")) == {
        "deb:perl-base:amd64",
        "deb:libjson-perl:all",
        "deb:libdbi-perl:amd64",
    }


def test_r_needs_the_packages_in_its_own_libraries(machine: Machine) -> None:
    machine.program("/usr/bin/Rscript", owner="deb r-base-core:amd64")
    machine.file("/usr/local/lib/R/site-library/dplyr/DESCRIPTION", owner="r local/dplyr")
    machine.file("/usr/lib/R/library/base/DESCRIPTION", owner="deb r-base-core:amd64")
    assert set(machine.closure("exe:Rscript")) == {"deb:r-base-core:amd64", "r:local/dplyr"}
