"""What programs and libraries load or read by a name that no file links to: a table with sources.

A row counts only where what triggers it is in the closure.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import NamedTuple

from envlock.model.glob import GlobSet
from envlock.model.scope import MemberClass
from envlock.scope.edges import dynamic_lookup
from envlock.scope.folders import expand
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node

Lookup = Callable[[str, Around], Iterator[str]]
"""(real path of what triggers the row, what is around) -> paths of what it loads."""


class Row(NamedTuple):
    """One row: what triggers it, what is then loaded or read, and the document that says so.

    `trigger` are patterns (with ``*``) of the name of a file in the closure, parted by spaces.  In
    `paths`, ``{here}`` is the directory of that file and ``{prefix}`` the one
    above it.  `records` are
    sections and keys (a prefix, if it ends with ``*``) of the lock; `lookup` finds further paths.
    `is_weak`: the application runs without, and may only look different.
    """

    subject: str
    trigger: str
    paths: tuple[str, ...] = ()
    records: tuple[tuple[str, str], ...] = ()
    lookup: Lookup | None = None
    source: str = ""
    is_weak: bool = False


ROWS = (
    Row("name service (NSS) modules", "libc.so.6 libc-2*", lookup=dynamic_lookup.nss_modules,
        source="nsswitch.conf(5), glibc manual, NSS Basics"),
    Row("character set conversion (gconv)", "libc.so.6 libc-2*",
        ("{here}/gconv/gconv-modules", "{here}/gconv/gconv-modules.d/*.conf"),
        source="glibc manual, iconv Implementation"),
    Row("locales", "libc.so.6 libc-2*",
        ("/usr/lib/locale/C.utf8/LC_CTYPE", "/usr/lib/locale/locale-archive"),
        source="locale(7), localedef(1)"),
    Row("time zones", "libc.so.6 libc-2* ld-musl* libc.musl*",
        ("/usr/share/zoneinfo/tzdata.zi", "/usr/share/zoneinfo/UTC", "/etc/localtime"),
        source="tzset(3)"),
    Row("trusted certificates", "libssl.so* libgnutls.so* libcurl* libmbedtls* libnss3.so*",
        ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
         "/etc/ssl/cert.pem", "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt"),
        source="update-ca-certificates(8), update-ca-trust(8)"),
    Row("OpenSSL configuration and providers", "libcrypto.so*",
        ("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies/back-ends/*",
         "{prefix}/ssl/openssl.cnf", "{here}/ossl-modules/*.so", "{here}/engines-[0-9]*/*.so"),
        source="config(5ssl), provider(7ssl)"),
    Row("NSS (TLS) modules", "libnss3.so*",
        ("{here}/libsoftokn3.so", "{here}/libfreebl*.so", "{here}/libnssckbi.so",
         "{here}/nss/*.so"), source="NSS, PKCS #11 modules"),
    Row("PKCS #11 modules", "libp11-kit.so*",
        ("{here}/pkcs11/*.so", "/usr/share/p11-kit/modules/*.module"), source="pkcs11.conf(5)"),
    Row("Kerberos configuration and plug-ins", "libkrb5.so* libgssapi_krb5.so*",
        ("/etc/krb5.conf", "{here}/krb5/plugins/*/*.so"), source="krb5.conf(5), plugins"),
    Row("SASL mechanisms", "libsasl2.so*", ("{here}/sasl2/*.so",), source="Cyrus SASL, plugins"),
    Row("LDAP configuration", "libldap*", ("/etc/ldap/ldap.conf", "/etc/openldap/ldap.conf"),
        source="ldap.conf(5)"),
    Row("PAM modules", "libpam.so*", records=(("setting", "pam.*"),), source="pam.conf(5)"),
    Row("PAM service of a program", "sshd su sudo login cron crond vsftpd dovecot samba atd",
        lookup=dynamic_lookup.pam_service, source="pam.conf(5)"),
    Row("ICU data", "libicudata* libicuuc*", ("{prefix}/share/icu/*/icudt*.dat",),
        source="ICU User Guide, ICU Data"),
    Row("OpenGL and EGL drivers", "libGL.so* libGLX.so* libEGL.so* libGLdispatch* libOpenGL*",
        ("/usr/share/glvnd/egl_vendor.d/*.json", "/etc/glvnd/egl_vendor.d/*.json",
         "{here}/libGLX_*.so.0", "{here}/libEGL_*.so.0", "{here}/dri/*_dri.so"),
        (("host.driver", "*"), ("host.gpu", "*")), source="libglvnd, EGL_external_platform"),
    Row("Vulkan drivers", "libvulkan.so*",
        ("/usr/share/vulkan/icd.d/*.json", "/etc/vulkan/icd.d/*.json"),
        (("host.driver", "*"), ("host.gpu", "*")), lookup=dynamic_lookup.vulkan_drivers,
        source="Vulkan loader, Driver interface"),
    Row("CUDA driver", "libcuda* libcublas* libnvrtc* libnccl* libcudnn* libtorch_cuda* "
        "libnvidia-ml*",
        ("/usr/lib/*/libcuda.so.1", "/usr/lib64/libcuda.so.1",
         "/usr/local/cuda/compat/libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1"),
        (("host.driver", "nvidia*"), ("host.gpu", "*"), ("cuda", "*")),
        source="CUDA Compatibility, CUDA Driver API"),
    Row("ROCm driver", "libamdhip64* libhsa-runtime64* librocblas* libMIOpen*", (),
        (("host.driver", "amdgpu*"), ("host.gpu", "*"), ("rocm", "*")),
        source="ROCm documentation, driver and user space compatibility"),
    Row("chosen BLAS and LAPACK", "libblas.so* liblapack.so* libopenblas*", (),
        (("blas", "*"), ("alternative", "libblas.so.3*"), ("alternative", "liblapack.so.3*")),
        source="Debian wiki, DebianScience/LinearAlgebraLibraries"),
    Row("Qt plug-ins of the user interface", "libQt5Gui* libQt6Gui*",
        tuple(f"{{here}}/qt[56]/plugins/{kind}/*.so" for kind in
              ("platforms", "imageformats", "platforminputcontexts", "xcbglintegrations")),
        source="Qt documentation, Deploying Plugins"),
    Row("Qt plug-ins for databases", "libQt5Sql* libQt6Sql*",
        ("{here}/qt[56]/plugins/sqldrivers/*.so",),
        source="Qt documentation, SQL Database Drivers"),
    Row("Qt plug-ins for TLS", "libQt6Network*", ("{here}/qt6/plugins/tls/*.so",),
        source="Qt documentation, QSslSocket"),
    Row("image loaders of GdkPixbuf", "libgdk_pixbuf*",
        ("{here}/gdk-pixbuf-2.0/*/loaders.cache", "{here}/gdk-pixbuf-2.0/*/loaders/*.so"),
        source="gdk-pixbuf-query-loaders(1)"),
    Row("GIO modules", "libgio-2*", ("{here}/gio/modules/*.so",), source="gio-querymodules(1)"),
    Row("ImageMagick coders and policy", "libMagickCore*",
        ("{here}/ImageMagick-*/modules-*/coders/*.so", "/etc/ImageMagick-*/*.xml"),
        source="ImageMagick, Resources"),
    Row("image codecs of libheif and libvips", "libheif.so* libvips*",
        ("{here}/libheif/plugins/*.so", "{here}/vips-modules-*/*.so"),
        source="libheif, plug-ins; libvips, modules"),
    Row("GStreamer plug-ins", "libgstreamer-1*", ("{here}/gstreamer-1.0/*.so",),
        source="gst-inspect-1.0(1)"),
    Row("fontconfig", "libfontconfig.so*", ("/etc/fonts/fonts.conf",), source="fonts-conf(5)"),
    Row("fonts and their settings", "libfontconfig.so*", ("/etc/fonts/conf.d/*.conf",),
        lookup=dynamic_lookup.fonts, source="fonts-conf(5)", is_weak=True),
    Row("ODBC drivers", "libodbc*.so*", ("/etc/odbcinst.ini", "/etc/odbc.ini"),
        lookup=dynamic_lookup.odbc_drivers, source="unixODBC, odbcinst.ini"),
    Row("MariaDB and MySQL client plug-ins", "libmariadb.so* libmysqlclient*",
        ("{here}/libmariadb3/plugin/*.so", "{here}/mysql/plugin/*.so"),
        source="MariaDB Connector/C, Plugins"),
    Row("PROJ and GDAL data", "libproj.so* libgdal.so*",
        ("{prefix}/../share/proj/proj.db", "{prefix}/share/proj/proj.db", "{here}/gdalplugins/*.so",
         "{prefix}/../share/gdal/gdalvrt.xsd"), source="PROJ, Resource files; GDAL, GDAL_DATA"),
    Row("file types (magic)", "libmagic.so*",
        ("/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc", "/etc/magic"), source="magic(5)"),
    Row("XML catalogues", "libxml2.so*", ("/etc/xml/catalog",), source="xmlcatalog(1)"),
    Row("XML security libraries", "libxmlsec1.so*",
        ("{here}/libxmlsec1-*.so*",), source="XML Security Library, xmlSecCryptoDLLoadLibrary"),
    Row("text recognition data", "libtesseract*", ("/usr/share/tesseract-ocr/*/tessdata/*",),
        source="tesseract(1), TESSDATA_PREFIX"),
    Row("sound configuration", "libasound.so*", ("/usr/share/alsa/alsa.conf",),
        source="ALSA, asoundrc"),
    Row("server extensions of PostgreSQL", "postgres", ("{prefix}/lib/*.so",),
        source="PostgreSQL documentation, dynamic_library_path"),
    Row("nginx modules", "nginx", lookup=dynamic_lookup.nginx_modules,
        source="nginx documentation, load_module"),
    Row("Apache modules", "apache2 httpd", lookup=dynamic_lookup.apache_modules,
        source="Apache HTTP Server documentation, mod_so"),
)  # fmt: skip
"""The known dynamic loading; the reference shows it."""
_TRIGGERS = tuple(GlobSet(f"/{glob}" for glob in row.trigger.split()) for row in ROWS)
READS = (
    *(path for row in ROWS for path in row.paths if path.startswith("/")),
    *dynamic_lookup.READS,
)
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield what the rows that a file triggers name, as far as it is there."""
    if not isinstance(node, File):
        return
    here, name = posixpath.split(node.path)
    for row, trigger in zip(ROWS, _TRIGGERS, strict=True):
        if trigger(f"/{name}"):
            yield from _of_row(row, node.path, here, around)
    if here.endswith("/pam.d"):
        yield from _files(dynamic_lookup.pam_modules(node.path, around), "", around)


def _of_row(row: Row, path: str, here: str, around: Around) -> Iterator[Need]:
    patterns = (p.format(here=here, prefix=posixpath.dirname(here)) for p in row.paths)
    found = (each for pattern in patterns for each in expand(pattern, around))
    member_class = MemberClass.DEPENDS if row.is_weak else MemberClass.LOADED
    yield from _files(found, row.subject, around, member_class)
    if row.lookup is not None:
        yield from _files(row.lookup(path, around), row.subject, around, member_class)
    for section, key in row.records:
        begin = key.rstrip("*")
        for each in around.lock.sections.get(section, {}):
            if each == key or (key.endswith("*") and each.startswith(begin)):
                yield Need(Item(section, each), row.subject, MemberClass.LOADED)


def _files(
    paths: Iterator[str],
    evidence: str,
    around: Around,
    member_class: MemberClass = MemberClass.LOADED,
) -> Iterator[Need]:
    for path in paths:
        found = around.real(path)
        if found is not None:
            yield Need(found, evidence, member_class)


EDGE = EdgeKind(
    name="dynamic",
    of="a program or library that loads or reads files by name",
    to="modules, data and configuration of the table of known dynamic loading",
    evidence="a row of the table whose trigger is in the closure",
    sources=("each row names its own",),
    needs=needs,
    reads=READS,
)
