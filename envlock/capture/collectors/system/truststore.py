"""Truststores of Java: the whole set by digest, certificates that no vendor put there by alias.

A JDK reads its own ``cacerts`` and not the bundle of the system, unless a distribution linked
the two.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.trusted import BUNDLES, set_facts, trusted_bundle
from envlock.capture.obstacle import LINK_TO_NOTHING, NOT_A_FILE
from envlock.formats.java_stores import Trusted, parse_java_store
from envlock.model.record import Record
from envlock.model.tree import EntryType

_STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/etc/pki/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "**/lib/security/cacerts",
    "**/lib/security/jssecacerts",
)
_LIMIT = 8 * 1024 * 1024
_CONTENTS = frozenset({EntryType.FILE, EntryType.HARDLINK})


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each store, and one for each certificate that no vendor put there.

    The key of a store is its path; facts: ``count``, ``sha256`` (over the sorted digests of the
    certificates) or ``encrypted``, ``format``.  The key of a certificate is the path and its alias;
    facts: ``subject``, ``sha256``.  The vendor's are those of the system's bundle, and those with
    an alias as Debian and the JDK write it.
    """
    bundle: frozenset[str] | None = None
    for path in context.glob(*_STORES):
        if not _is_store(path, context):
            continue
        content = context.read(path, _LIMIT)
        store = parse_java_store(content) if content else None
        if store is None:
            if content is not None:
                context.gap(path, "no key store that can be read")
            continue
        if not store.is_complete:
            context.gap(path, "parts of the key store are encrypted")
        if bundle is None:
            bundle = frozenset(each.sha256 for each in trusted_bundle(context))
        facts = {"encrypted": "true"}
        if store.is_complete:
            facts = set_facts(each.certificate for each in store.trusted)
        yield Record("truststore", path, facts | {"format": store.format})
        yield from _added(path, store.trusted, bundle)


def _is_store(path: str, context: Context) -> bool:
    """True for a file; a link leads to a store that is listed itself, or (a gap) to nothing."""
    entry = context.stat(path)
    if entry is None or entry.type in _CONTENTS:
        return entry is not None
    if entry.type is not EntryType.SYMLINK:
        context.gap(path, NOT_A_FILE)
    elif context.stat(context.resolve(path)) is None:
        context.gap(path, LINK_TO_NOTHING)
    return False


def _added(path: str, trusted: tuple[Trusted, ...], bundle: frozenset[str]) -> Iterator[Record]:
    for alias, certificate in trusted:
        is_vendor = alias.startswith("debian:") or alias.endswith(" [jdk]")
        if not is_vendor and certificate.sha256 not in bundle:
            facts = {"subject": certificate.subject, "sha256": certificate.sha256}
            present = {name: value for name, value in facts.items() if value}
            yield Record("truststore", f"{path} {alias}".rstrip(), present)


COLLECTOR = Collector(
    name="truststore",
    sections=("truststore",),
    reads=(*_STORES, *BUNDLES),
    collect=collect,
    needs_scan=True,
    sources=("keytool(1)", "RFC 7292", "update-ca-certificates(8)"),
)
