"""The twelve plants of each service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scope_plants import (
    LIBRARIES,
    Places,
    Plant,
    distrust,
    other_build,
    other_jar,
    other_node_package,
    other_wheel,
    other_zone,
    own_driver,
    rebuild,
    remove,
    replace_text,
    shadow,
    trust,
    upgrade,
)
from scope_services import APP


def _upgraded(packages: str, version: str, sign: str, path: str = "", old: bytes = b"") -> Plant:
    return Plant(
        "library upgraded",
        f"{packages} is {version}",
        sign,
        lambda places: upgrade(places.root, packages, version, path, old),
    )


def _interpreter(packages: str, version: str, sign: str, path: str, old: bytes = b"") -> Plant:
    plant = _upgraded(packages, version, sign, path, old)
    return plant._replace(kind="interpreter patch level")


def _missing(package: str, sign: str) -> Plant:
    return Plant(
        "library missing", f"without {package}", sign, lambda places: remove(places.root, package)
    )


def _shadowed(library: str, sign: str) -> Plant:
    return Plant(
        "library shadowed",
        f"another {library} in /usr/local/lib",
        sign,
        lambda places: shadow(places.root, library, "usr/local/lib"),
    )


def _set(kind: str, name: str, value: str) -> Plant:
    return Plant(kind, f"{name}={value}", rf"\b{name}\b", environ={name: value})


def _config(path: str, pattern: str, text: str, sign: str) -> Plant:
    return Plant(
        "configuration",
        f"/{path} says {text.strip()}",
        sign,
        lambda places: replace_text(places.root, path, pattern, text),
    )


def _program(what: str, sign: str, change: Callable[[Places], None]) -> Plant:
    return Plant("program called at run time", what, sign, change)


def _no_program(package: str, sign: str) -> Plant:
    return _program(f"without {package}", sign, lambda places: remove(places.root, package))


def _other_program(package: str, version: str, path: str) -> Plant:
    return _program(
        f"{package} is {version}",
        rf"\b{package}\b",
        lambda places: upgrade(places.root, package, version, path),
    )


_ZONE = Plant("time zone", "America/New_York", r"time.?zone|localtime|\bTZ\b|New_York", other_zone)
_LIMIT = Plant(
    "limits", "256 open files", r"nofile|open.files", options=("--ulimit", "nofile=256:256")
)
_TRUST = Plant(
    "certificate authority", "trusts Planted Test CA", r"Planted|planted|certificate \(all\)", trust
)
_DISTRUST = Plant(
    "certificate authority",
    "does not trust ISRG Root X1",
    r"ISRG[ _]Root[ _]X1|certificate \(all\)",
    distrust,
)
_PYTHON = _interpreter(
    "python3.11-minimal libpython3.11-minimal libpython3.11-stdlib python3.11",
    "3.11.4-1",
    r"\b(lib)?python3\.11(-minimal|-stdlib)?(:amd64|\b(?!/))|3\.11\.4|interpreter",
    "usr/bin/python3.11",
    b"3.11.2",
)
_OPENSSL_CNF = _config(
    "etc/ssl/openssl.cnf",
    r"^\[openssl_init\]$",
    "[openssl_init]\nssl_conf = planted\n[planted]\nsystem_default = old\n"
    "[old]\nMinProtocol = TLSv1\n",
    r"openssl\.cnf",
)

BREAKERS: Mapping[str, tuple[Plant, ...]] = {
    "flask": (
        _upgraded("libpq5", "15.99-0+deb12u1", r"\blibpq5?\b", f"{LIBRARIES}/libpq.so.5"),
        _missing("libgssapi-krb5-2", r"libgssapi"),
        _shadowed("libz.so.1", r"\blibz\b|zlib1g"),
        _PYTHON,
        Plant("distribution version", "werkzeug 3.1.3", r"(?i)\bwerkzeug\b",
              lambda places: other_wheel(places, "werkzeug==3.1.3")),
        Plant("native build", "numpy built elsewhere", r"\bnumpy\b",
              lambda places: other_build(places.root, "numpy")),
        _set("locale", "LANG", "C"),
        _TRUST,
        _set("variable", "OMP_NUM_THREADS", "1"),
        _OPENSSL_CNF,
        _other_program("jq", "1.7.99-1", "usr/bin/jq"),
        Plant("driver floor", "a libcuda 470 in the image", r"libcuda\b|\bdriver\b", own_driver),
    ),
    "django": (
        _upgraded("libssl3", "3.0.99-1~deb12u1", r"\blibssl3?\b", f"{LIBRARIES}/libssl.so.3"),
        _missing("libsqlite3-0", r"libsqlite3"),
        Plant("library shadowed", "another libexpat.so.1 by LD_LIBRARY_PATH",
              r"LD_LIBRARY_PATH|libexpat", lambda p: shadow(p.root, "libexpat.so.1", "opt/lib"),
              environ={"LD_LIBRARY_PATH": "/opt/lib"}),
        _PYTHON,
        Plant("distribution version", "sqlparse 0.5.1", r"\bsqlparse\b",
              lambda places: other_wheel(places, "sqlparse==0.5.1")),
        Plant("native build", "lxml built elsewhere", r"\blxml\b",
              lambda places: other_build(places.root, "lxml")),
        _set("locale", "LC_ALL", "POSIX"),
        _DISTRUST,
        _set("variable", "PYTHONOPTIMIZE", "2"),
        _config("etc/nsswitch.conf", r"^hosts:.*", "hosts:          files", r"nsswitch"),
        _no_program("poppler-utils", r"pdfinfo|poppler-utils"),
        _ZONE,
    ),
    "node": (
        _upgraded("libuv1", "1.48.0-1", r"\blibuv1?\b", f"{LIBRARIES}/libuv.so.1"),
        _missing("libc-ares2", r"\blibc-?ares"),
        _shadowed("libnghttp2.so.14", r"libnghttp2"),
        _interpreter("libnode108 nodejs", "18.99.0+dfsg-1", r"\blibnode108\b|\bnodejs\b|\bnode\b",
                     f"{LIBRARIES}/libnode.so.108"),
        Plant("distribution version", "semver 7.6.3", r"\bsemver\b",
              lambda places: other_node_package(places, "semver", "7.6.3")),
        Plant("native build", "sharp's addon built elsewhere", r"sharp-linux-x64",
              lambda p: _rebuilt(p, "node_modules/@img/sharp-linux-x64/lib/*.node")),
        _set("locale", "LANG", "C"),
        _TRUST,
        _set("variable", "NODE_OPTIONS", "--max-old-space-size=64"),
        _OPENSSL_CNF,
        _no_program("gifsicle", r"\bgifsicle\b"),
        _LIMIT,
    ),
    "php": (
        _upgraded("libpng16-16", "1.6.99-1", r"\blibpng16", f"{LIBRARIES}/libpng16.so.16"),
        _missing("libonig5", r"\blibonig"),
        _shadowed("libpcre2-8.so.0", r"libpcre2"),
        _interpreter("php8.2-fpm php8.2-common", "8.2.99-1~deb12u1",
                     r"php8\.2-(fpm|common)\b|php-fpm8\.2|8\.2\.99", "usr/sbin/php-fpm8.2"),
        _upgraded("nginx", "1.22.99-1", r"\bnginx(:amd64)?\b(?!/)", "usr/sbin/nginx")._replace(
            kind="program version"),
        Plant("native build", "the gd extension built elsewhere", r"php8\.2-gd\b|\bgd\.so",
              lambda places: _rebuilt(places, "gd.so", "usr/lib/php/*/")),
        _set("locale", "LC_ALL", "POSIX"),
        _TRUST,
        _set("variable", "HTTPS_PROXY", "http://proxy.example.org:3128"),
        _config("etc/php/8.2/fpm/php.ini", r"^memory_limit = .*", "memory_limit = 16M",
                r"php\.ini|memory_limit"),
        _other_program("jpegoptim", "1.9.9-1", "usr/bin/jpegoptim"),
        _ZONE,
    ),
    "java": (
        _upgraded("zlib1g", "1:1.2.99.dfsg-1", r"\bzlib1g\b|\blibz\b", "lib/*/libz.so.1"),
        _missing("liblcms2-2", r"\bliblcms2?"),
        _shadowed("libstdc++.so.6", r"libstdc\+\+"),
        _interpreter("openjdk-17-jre-headless", "17.0.99+1-1", r"openjdk-17|17\.0\.99",
                     "usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"),
        Plant("distribution version", "rates 1.3", r"\brates\b", other_jar),
        _set("locale", "LC_ALL", "POSIX"),
        _TRUST,
        _set("variable", "JAVA_TOOL_OPTIONS", "-Xmx64m"),
        _config("etc/java-17-openjdk/security/java.security", r"^jdk.tls.disabledAlgorithms=.*",
                r"jdk.tls.disabledAlgorithms=SSLv3, \\", r"java\.security"),
        _no_program("zip", r"\bzip\b"),
        _LIMIT,
        _ZONE,
    ),
}  # fmt: skip
"""Name of a service -> its plants."""


def _rebuilt(places: Places, pattern: str, folder: str = f"{APP.lstrip('/')}/") -> None:
    rebuild(places.root, f"{folder}{pattern}")
