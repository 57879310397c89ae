"""Lookups of the table of known dynamic loading that need more than a pattern of paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.formats.json_values import json_or_none, text_at
from envlock.model.text import from_bytes
from envlock.scope.folders import expand, files_below
from envlock.scope.graph import Around

_LOAD_MODULE = re.compile(r"^[ \t]*load_module[ \t]+[\"']?([^\"';\s]+)", re.MULTILINE)
_LOAD_APACHE = re.compile(r"^[ \t]*LoadModule[ \t]+\S+[ \t]+[\"']?([^\"'\s]+)", re.MULTILINE)
_DRIVER = re.compile(r"^[ \t]*(?:Driver|Setup)(?:64)?[ \t]*=[ \t]*(/\S+)", re.MULTILINE)
_NSS = re.compile(r"^[ \t]*(?P<database>[a-z_]+):(?P<services>[^#\n]*)", re.MULTILINE)
_PAM = re.compile(
    r"^[ \t]*-?(?:auth|account|password|session)[ \t]+(?:\[[^\]\n]*\]|\S+)[ \t]+(\S+)", re.MULTILINE
)
_PAM_INCLUDE = re.compile(
    r"^[ \t]*(?:@include|-?(?:auth|account|password|session)[ \t]+(?:include|substack))[ \t]+(\S+)",
    re.MULTILINE,
)
_NGINX_ROOTS = ("/usr/share/nginx", "/etc/nginx", "/usr/lib64/nginx", "/usr/lib/nginx")
_APACHE_ROOTS = (
    "/etc/httpd",
    "/usr/lib/apache2",
    "/usr/local/apache2",
    "/usr/lib64/httpd",
    "/etc/apache2",
)
_LIBRARIES = ("/usr/lib/*-linux-*", "/lib/*-linux-*", "/usr/lib64", "/lib64", "/usr/lib")
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
_FONT = re.compile(r"\.(?:ttf|otf|ttc|pfb|pcf(?:\.gz)?|woff2?)\Z", re.IGNORECASE)
READS = (
    "/etc/nsswitch.conf",
    "/etc/nginx/*.conf",
    "/etc/nginx/modules-enabled/*.conf",
    "/usr/share/nginx/modules-available/*.conf",
    "/usr/share/nginx/modules/*.conf",
    "/etc/apache2/mods-enabled/*.load",
    "/etc/httpd/conf.modules.d/*.conf",
    "/etc/httpd/conf/httpd.conf",
    "/usr/local/apache2/conf/httpd.conf",
    "/etc/pam.d/*",
)
"""Paths that the lookups read."""


def _text(path: str, around: Around) -> str:
    return from_bytes(around.view.read(path) or b"")


def _texts(patterns: tuple[str, ...], around: Around) -> Iterator[str]:
    for pattern in patterns:
        for path in expand(pattern, around):
            yield _text(path, around)


def nss_modules(path: str, around: Around) -> Iterator[str]:
    """Yield the modules of the services in nsswitch.conf, beside the C library."""
    yield "/etc/nsswitch.conf"
    names = dict.fromkeys(
        word
        for match in _NSS.finditer(_text("/etc/nsswitch.conf", around))
        for word in match["services"].split()
        if word[0] != "["
    )
    for name in names or ("files", "dns"):
        for folder in (posixpath.dirname(path), "/usr/lib64", "/usr/lib"):
            module = f"{folder}/libnss_{name}.so.2"
            if around.view.stat(module) is not None:
                yield module
                break


def pam_service(path: str, around: Around) -> Iterator[str]:
    """Yield the PAM configuration of a program, by its name."""
    yield from expand(f"/etc/pam.d/{posixpath.basename(path)}", around)


def pam_modules(path: str, around: Around) -> Iterator[str]:
    """Yield the modules that a PAM configuration names, and the configurations it includes."""
    text = _text(path, around)
    for name in dict.fromkeys(_PAM_INCLUDE.findall(text)):
        yield f"/etc/pam.d/{name}"
    for name in dict.fromkeys(_PAM.findall(text)):
        if name.startswith("/"):
            yield name
        elif name.endswith(".so"):
            for folder in _LIBRARIES:
                yield from expand(f"{folder}/security/{name}", around)


def vulkan_drivers(_path: str, around: Around) -> Iterator[str]:
    """Yield the libraries that the manifests of Vulkan drivers name."""
    patterns = ("/usr/share/vulkan/icd.d/*.json", "/etc/vulkan/icd.d/*.json")
    for text in _texts(patterns, around):
        library = text_at(json_or_none(text), "ICD", "library_path")
        if library.startswith("/"):
            yield library
        elif library:
            for folder in _LIBRARIES:
                yield from expand(f"{folder}/{library}", around)


def fonts(_path: str, around: Around) -> Iterator[str]:
    """Yield the font files of the system."""
    for folder in _FONTS:
        yield from (p for p in files_below(folder, around, most=2000) if _FONT.search(p))


def odbc_drivers(_path: str, around: Around) -> Iterator[str]:
    """Yield the drivers in odbcinst.ini."""
    yield from dict.fromkeys(_DRIVER.findall(_text("/etc/odbcinst.ini", around)))


def nginx_modules(_path: str, around: Around) -> Iterator[str]:
    """Yield the modules that the configuration of nginx loads."""
    patterns = (
        "/etc/nginx/nginx.conf",
        "/etc/nginx/modules-enabled/*.conf",
        "/usr/share/nginx/modules/*.conf",
    )
    for text in _texts(patterns, around):
        for module in _LOAD_MODULE.findall(text):
            yield from _first(module, _NGINX_ROOTS, around)


def apache_modules(_path: str, around: Around) -> Iterator[str]:
    """Yield the modules that the configuration of Apache loads."""
    patterns = (
        "/etc/apache2/mods-enabled/*.load",
        "/etc/httpd/conf.modules.d/*.conf",
        "/etc/httpd/conf/httpd.conf",
        "/usr/local/apache2/conf/httpd.conf",
    )
    for text in _texts(patterns, around):
        for module in _LOAD_APACHE.findall(text):
            yield from _first(module, _APACHE_ROOTS, around)


def _first(module: str, roots: tuple[str, ...], around: Around) -> Iterator[str]:
    """Yield the first existing path of a module that is relative to one of `roots`."""
    for root in roots:
        path = posixpath.join(root, module)
        if around.view.stat(around.view.resolve(path)) is not None:
            yield path
            return
