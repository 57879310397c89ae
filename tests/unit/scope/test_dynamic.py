"""The table of known dynamic loading, configuration of packages, and what is always needed."""

from __future__ import annotations

import pytest

from envlock.model.scope import MemberClass, RootKind
from envlock.scope.always import always, changes_programs
from envlock.scope.edges.dynamic import ROWS, Row
from tests.unit.scope.conftest import Machine

LIB = "/usr/lib/x86_64-linux-gnu"

EXAMPLES = {
    "name service (NSS) modules": (f"{LIB}/libc.so.6", f"{LIB}/libnss_ldap.so.2"),
    "character set conversion (gconv)": (f"{LIB}/libc.so.6", f"{LIB}/gconv/gconv-modules"),
    "locales": (f"{LIB}/libc.so.6", "/usr/lib/locale/C.utf8/LC_CTYPE"),
    "time zones": (f"{LIB}/libc.so.6", "/usr/share/zoneinfo/UTC"),
    "trusted certificates": (f"{LIB}/libssl.so.3", "/etc/ssl/certs/ca-certificates.crt"),
    "OpenSSL configuration and providers": (
        f"{LIB}/libcrypto.so.3", f"{LIB}/ossl-modules/legacy.so"),
    "NSS (TLS) modules": (f"{LIB}/libnss3.so", f"{LIB}/nss/libsoftokn3.so"),
    "PKCS #11 modules": (f"{LIB}/libp11-kit.so.0.3", f"{LIB}/pkcs11/p11-kit-trust.so"),
    "Kerberos configuration and plug-ins": (f"{LIB}/libkrb5.so.3", "/etc/krb5.conf"),
    "SASL mechanisms": (f"{LIB}/libsasl2.so.2", f"{LIB}/sasl2/libplain.so"),
    "LDAP configuration": (f"{LIB}/libldap-2.5.so.0", "/etc/ldap/ldap.conf"),
    "PAM service of a program": ("/usr/bin/su", f"{LIB}/security/pam_unix.so"),
    "ICU data": ("/usr/lib/libicuuc.so.72", "/usr/share/icu/72/icudt72l.dat"),
    "OpenGL and EGL drivers": (f"{LIB}/libGL.so.1", f"{LIB}/dri/iris_dri.so"),
    "Vulkan drivers": (f"{LIB}/libvulkan.so.1", f"{LIB}/libvulkan_lvp.so"),
    "CUDA driver": ("/opt/app/libcudart.so.12", f"{LIB}/libcuda.so.1"),
    "Qt plug-ins of the user interface": (
        f"{LIB}/libQt6Gui.so.6", f"{LIB}/qt6/plugins/platforms/libqxcb.so"),
    "Qt plug-ins for databases": (
        f"{LIB}/libQt5Sql.so.5", f"{LIB}/qt5/plugins/sqldrivers/libqsqlite.so"),
    "Qt plug-ins for TLS": (f"{LIB}/libQt6Network.so.6", f"{LIB}/qt6/plugins/tls/libx.so"),
    "image loaders of GdkPixbuf": (
        f"{LIB}/libgdk_pixbuf-2.0.so.0", f"{LIB}/gdk-pixbuf-2.0/2.10.0/loaders/libsvg.so"),
    "GIO modules": (f"{LIB}/libgio-2.0.so.0", f"{LIB}/gio/modules/libgiognutls.so"),
    "ImageMagick coders and policy": (
        f"{LIB}/libMagickCore-6.Q16.so.6", "/etc/ImageMagick-6/policy.xml"),
    "image codecs of libheif and libvips": (
        f"{LIB}/libheif.so.1", f"{LIB}/libheif/plugins/libheif-x265.so"),
    "GStreamer plug-ins": (f"{LIB}/libgstreamer-1.0.so.0", f"{LIB}/gstreamer-1.0/libgstogg.so"),
    "fontconfig": (f"{LIB}/libfontconfig.so.1", "/etc/fonts/fonts.conf"),
    "fonts and their settings": (f"{LIB}/libfontconfig.so.1", "/usr/share/fonts/truetype/a.ttf"),
    "ODBC drivers": (f"{LIB}/libodbc.so.2", "/opt/driver/libtds.so"),
    "MariaDB and MySQL client plug-ins": (
        f"{LIB}/libmariadb.so.3", f"{LIB}/libmariadb3/plugin/dialog.so"),
    "PROJ and GDAL data": (f"{LIB}/libproj.so.25", "/usr/share/proj/proj.db"),
    "file types (magic)": (f"{LIB}/libmagic.so.1", "/usr/lib/file/magic.mgc"),
    "XML catalogues": (f"{LIB}/libxml2.so.2", "/etc/xml/catalog"),
    "XML security libraries": (f"{LIB}/libxmlsec1.so.1", f"{LIB}/libxmlsec1-openssl.so.1"),
    "text recognition data": (
        f"{LIB}/libtesseract.so.5", "/usr/share/tesseract-ocr/5/tessdata/eng.traineddata"),
    "sound configuration": (f"{LIB}/libasound.so.2", "/usr/share/alsa/alsa.conf"),
    "server extensions of PostgreSQL": (
        "/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/lib/pgcrypto.so"),
    "nginx modules": ("/usr/sbin/nginx", "/usr/lib/nginx/modules/echo.so"),
    "Apache modules": ("/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_mime.so"),
}  # fmt: skip
"""Subject of a row -> what triggers it, and what is then needed."""

RECORDS = {
    "PAM modules": ("libpam.so.0", "setting", "pam.login"),
    "ROCm driver": ("libamdhip64.so.6", "host.driver", "amdgpu"),
    "chosen BLAS and LAPACK": ("libblas.so.3.11.0", "blas", "libblas.so.3"),
    "CUDA driver": ("libcudart.so.12", "host.driver", "nvidia"),
}
"""Subject of a row -> what triggers it, and a record that is then needed."""


@pytest.fixture
def configured(machine: Machine) -> Machine:
    """A root with the configuration that the lookups read."""
    machine.file("/etc/nsswitch.conf", "passwd: files ldap [NOTFOUND=return]\n# hosts: gone\n")
    machine.file("/etc/nginx/modules-enabled/a.conf", "load_module modules/echo.so;\n")
    machine.link("/usr/share/nginx/modules", "../../lib/nginx/modules")
    load = "LoadModule mime /usr/lib/apache2/modules/mod_mime.so\n"
    machine.file("/etc/apache2/mods-enabled/mime.load", load)
    machine.file("/etc/odbcinst.ini", "[FreeTDS]\nDriver = /opt/driver/libtds.so\n")
    icd = '{"ICD": {"library_path": "libvulkan_lvp.so"}}'
    machine.file("/usr/share/vulkan/icd.d/lvp.json", icd)
    machine.file("/etc/pam.d/su", "@include common-auth\n")
    machine.file("/etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_unix.so nullok\n")
    return machine


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.subject)
def test_each_row_brings_in_its_example_and_nothing_without_its_trigger(
    configured: Machine, row: Row
) -> None:
    subject = row.subject
    if subject in EXAMPLES:
        trigger, needed = EXAMPLES[subject]
        configured.program(trigger, owner="deb trigger:amd64")
        configured.file(needed, owner="deb needed:amd64")
        assert "deb:needed:amd64" in configured.closure(f"exe:{trigger}")
    if subject in RECORDS:
        name, section, key = RECORDS[subject]
        configured.program(f"{LIB}/{name}", owner="deb trigger:amd64")
        configured.record(section, key, value="x")
        assert f"{section}:{key}" in configured.closure(f"exe:{LIB}/{name}")
    assert subject in EXAMPLES or subject in RECORDS
    configured.program("/usr/bin/other", owner="deb other:amd64")
    assert set(configured.closure("exe:/usr/bin/other")) == {"deb:other:amd64"}


def test_each_row_names_its_source_and_triggers_nothing_by_an_empty_name() -> None:
    assert len({row.subject for row in ROWS}) == len(ROWS)
    assert all(row.source and (row.paths or row.records or row.lookup) for row in ROWS)
    assert all(row.trigger.strip("* ") for row in ROWS)


def test_a_library_that_a_wheel_bundles_does_not_use_the_configuration_of_the_system(
    machine: Machine,
) -> None:
    bundled = machine.program("/opt/x.libs/libcrypto-81d66ed9.so.3", owner="python x/y")
    machine.file("/etc/ssl/openssl.cnf", owner="deb openssl:amd64")
    assert set(machine.closure(f"exe:{bundled}")) == {"python:x/y"}


def test_changed_and_added_configuration_of_a_package_is_needed(machine: Machine) -> None:
    status = "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
    machine.file("/var/lib/dpkg/status", status)
    machine.file(
        "/var/lib/dpkg/info/nginx.list",
        "/.\n/etc\n/etc/nginx\n/etc/nginx/nginx.conf\n/etc/cron.d/nginx\n/usr/sbin/nginx\n",
    )
    machine.record("deb", "nginx:amd64", version="1")
    machine.program("/usr/sbin/nginx", owner="deb nginx:amd64")
    for path in ("/etc/nginx/sites-enabled/shop", "/etc/cron.d/nginx", "/etc/cron.d/other",
                 "/etc/other/x"):  # fmt: skip
        machine.record("file", path, sha256="0")
    members = machine.closure("exe:nginx")
    assert set(members) == {
        "deb:nginx:amd64",
        "file:/etc/nginx/sites-enabled/shop",
        "file:/etc/cron.d/nginx",
    }
    assert members["file:/etc/cron.d/nginx"].member_class is MemberClass.LOADED


NEEDED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LC_ALL", "https_proxy", "OMP_NUM_THREADS",
          "CUDA_VISIBLE_DEVICES", "JAVA_OPTS", "NODE_ENV", "SSL_CERT_FILE", "TZ")  # fmt: skip
OTHER = ("APP_SECRET", "EDITOR", "MANPATH", "PS1", "PATHS", "MY_LANG", "path")


@pytest.mark.parametrize("name", NEEDED)
def test_variables_that_change_how_programs_run_are_always_needed(name: str) -> None:
    assert changes_programs(name)


@pytest.mark.parametrize("name", OTHER)
def test_other_variables_are_needed_by_a_process_alone(machine: Machine, name: str) -> None:
    assert not changes_programs(name)
    machine.record("env", name, value="x")
    machine.record("env", "HOME", value="/root")
    around = machine.around()
    assert [member.key for member in always(around, RootKind.PROCESS)] == [name]
    assert list(always(around, RootKind.EXE)) == []


def test_the_system_is_always_needed_as_far_as_it_is_recorded(machine: Machine) -> None:
    machine.record("os", "", id="debian")
    machine.record("certificate", "a", sha256="0")
    machine.record("setting", "nsswitch.hosts", value="files")
    machine.record("setting", "login.x", value="y")
    machine.record("file", "/etc/ld.so.conf.d/x.conf", sha256="0")
    names = {member.name for member in always(machine.around())}
    assert names == {
        "os:",
        "certificate:*",
        "setting:nsswitch.hosts",
        "file:/etc/ld.so.conf.d/x.conf",
    }


def test_how_a_process_was_started_is_always_compared(machine: Machine) -> None:
    """Limits, mounts and capabilities of a container decide, whatever it runs."""
    machine.record("process", "", memory="128MiB", cap_drop="NET_RAW")
    assert [member.name for member in always(machine.around(), RootKind.PROCESS)] == ["process:"]


def test_fonts_are_of_the_weak_class_and_bring_in_nothing_else(machine: Machine) -> None:
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n{more}\n"
        for name, more in (("fonts-x", "Depends: fonts-tools\n"), ("fonts-tools", ""))
    )
    machine.file("/var/lib/dpkg/status", status)
    machine.record("deb", "fonts-x:all", version="1")
    machine.record("deb", "fonts-tools:all", version="1")
    machine.program(f"{LIB}/libfontconfig.so.1", owner="deb libfontconfig1:amd64")
    machine.file("/usr/share/fonts/truetype/x.ttf", owner="deb fonts-x:all")
    members = machine.closure(f"exe:{LIB}/libfontconfig.so.1")
    assert members["deb:fonts-x:all"].member_class is MemberClass.DEPENDS
    assert "deb:fonts-tools:all" not in members


def test_a_program_has_the_directory_of_its_name_below_etc(machine: Machine) -> None:
    machine.program("/usr/sbin/nginx", owner="deb nginx:amd64")
    for path in ("/etc/nginx/conf.d/shop.conf", "/etc/nginx-other/x", "/etc/other/nginx"):
        machine.record("file", path, class_="config-local")
    members = machine.closure("exe:nginx")
    assert set(members) == {"deb:nginx:amd64", "file:/etc/nginx/conf.d/shop.conf"}
