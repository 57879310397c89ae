"""References to what a registry holds: ``oci://HOST[:PORT]/REPOSITORY[:TAG|@DIGEST][#SERVICE]``."""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.errors import TargetNameError

PREFIX = "oci://"
DEFAULT_TAG = "latest"

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,252}\Z")
_LONGEST = 255


class Reference(NamedTuple):
    """A repository of a registry, and one manifest in it, by `tag` or by `digest`.

    `service` is one of the services of an index; empty where the manifest itself is meant.
    """

    host: str
    repository: str
    tag: str = ""
    digest: str = ""
    service: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return the reference of a text; without a tag or digest it has `DEFAULT_TAG`.

        Raise TargetNameError saying what is wrong with it.
        """
        if not text.startswith(PREFIX):
            raise TargetNameError(f"not a reference to a registry: {text}", hint=_HINT)
        host, slash, rest = text.removeprefix(PREFIX).partition("/")
        if "@" in host or not _HOST.match(host):
            raise TargetNameError(f"not the name of a registry's host: {_shown(host)}", hint=_HINT)
        rest, sharp, service = rest.partition("#")
        name, at, digest = rest.partition("@")
        name, colon, tag = name.partition(":")
        if not slash or len(name) > _LONGEST or not _REPOSITORY.match(name):
            raise TargetNameError(
                f"not the name of a repository: {name or 'nothing'}",
                where=text if "@" not in host else "",
                hint="names have small letters, digits, and . _ - / between them",
            )
        if (at and not _DIGEST.match(digest)) or (colon and not _TAG.match(tag)):
            raise TargetNameError(f"not a tag or digest: {digest or tag or 'nothing'}", where=text)
        if sharp and not _SERVICE.match(service):
            raise TargetNameError("not the name of a service after #", where=text)
        return cls(host, name, tag if tag or at else DEFAULT_TAG, digest, service)

    @property
    def wanted(self) -> str:
        """What the URL of the manifest ends in: the digest, else the tag."""
        return self.digest or self.tag

    @property
    def is_loopback(self) -> bool:
        """True when the host is this machine itself: plain HTTP is then allowed."""
        name = self.host.rpartition(":")[0] if re.search(r":\d+\Z", self.host) else self.host
        if name == "localhost":
            return True
        import ipaddress

        try:
            return ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        tag = f":{self.tag}" if self.tag else ""
        end = f"@{self.digest}" if self.digest else ""
        service = f"#{self.service}" if self.service else ""
        return f"{PREFIX}{self.host}/{self.repository}{tag}{end}{service}"


def is_digest(text: str) -> bool:
    """True for ``sha256:`` and 64 hexadecimal digits in small letters."""
    return _DIGEST.match(text) is not None


def _shown(host: str) -> str:
    """Return what may be shown of a text that stands where a host should be."""
    return "one with a user name or password" if "@" in host else (host or "nothing")


_HINT = "write oci://HOST/REPOSITORY:TAG; credentials belong into `docker login`"
