"""Ruby gems of the system, of users, of Ruby versions and of applications (Bundler).

A gem home is a directory with a subdirectory ``specifications``.  A Gemfile.lock is compared with
the installed gems; what it declares does not count as installed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders, version_keys
from envlock.capture.files.ownership import Claims
from envlock.formats.ruby import (
    Gem,
    Lockfile,
    parse_lockfile,
    parse_ruby_version,
    parse_sources,
    parse_specification,
)
from envlock.model.record import Record
from envlock.model.text import from_bytes, sort_key
from envlock.secrets.urls import clean_facts, clean_origin

_SPECIFICATIONS = "specifications"
_PATTERNS = (f"**/{_SPECIFICATIONS}/*.gemspec", f"**/{_SPECIFICATIONS}/default/*.gemspec")
_HOME = re.compile(
    r"(?P<prefix>.*?)/(?P<kind>lib(?:/[^/]+)?/ruby/gems|lib(?:/[^/]+)?/rubygems-integration"
    r"|share/rubygems-integration|share/gem/ruby|\.gem/ruby|var/lib/gems|ruby)"
    r"/(?P<abi>\d[^/]*|all)\Z"
)
_CONFIG = re.compile(
    r"(?P<prefix>.*?)/lib/(?:[^/]+/)?ruby/(?P<abi>\d[^/]*)/(?:[^/]+/)?rbconfig\.rb"
)
_MANAGERS = (("/.rbenv/versions/", "rbenv"), ("/installs/ruby/", "asdf"), ("/.rubies/", "chruby"))
_BUNDLES = ("/vendor/bundle", "/.bundle", "/vendor")
_LARGEST = 1024 * 1024
_LOCKFILE = "Gemfile.lock"
_SETTINGS = ("/etc/gemrc", "/root/.gemrc", "/home/*/.gemrc", "/root/.config/gem/gemrc")
_MOST_SERVERS = 20


class _Spec(NamedTuple):
    """A gem, its specification file, its home, and whether it came with Ruby."""

    gem: Gem
    path: str
    home: str
    is_default: bool


class _GemSet(NamedTuple):
    """The gem homes of one name, and key -> gem."""

    homes: frozenset[str]
    abi: str
    version: str
    specs: Mapping[str, _Spec]


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each gem home, each gem in it, and each application with a lockfile."""
    gem_sets = _gem_sets(context)
    published = _published(context)
    for name, gem_set in gem_sets.items():
        facts = clean_facts({"version": gem_set.version, "abi": gem_set.abi})
        if facts:
            yield Record("gem", name, clean_facts({**facts, "url": " ".join(published.servers)}))
        for key, spec in gem_set.specs.items():
            yield Record("gem", f"{name}/{key}", _facts(spec, published, context))
    yield from _applications(gem_sets, context)
    yield from _from_git(gem_sets, context)


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path of the gems and their specifications."""
    owners = {}
    artifacts = {}
    published = _published(context)
    for name, gem_set in _gem_sets(context).items():
        for key, spec in gem_set.specs.items():
            owner, full_name = f"gem {name}/{key}", spec.gem.full_name
            owners[spec.path] = owner
            artifacts[owner] = "" if spec.is_default else _artifact(spec.gem, published)
            owners[f"{spec.home}/gems/{full_name}"] = owner
            for folder in context.glob(f"{spec.home}/extensions/*/*/{full_name}"):
                owners[folder] = owner
    return claim_folders(context, owners, artifacts=artifacts)


class _Published(NamedTuple):
    """Where the gems may have come from: URLs of servers, and full name -> SHA-256."""

    servers: tuple[str, ...]
    checksums: Mapping[str, str]


def _published(context: Context) -> _Published:
    """Return what the lockfiles of Bundler and the settings of RubyGems say of gem servers."""
    servers: dict[str, None] = {}
    checksums: dict[str, str] = {}
    for path in context.glob(f"**/{_LOCKFILE}"):
        lock = parse_lockfile(context.text(path) or "") if "/gems/" not in path else None
        if lock is not None:
            servers |= dict.fromkeys(lock.servers)
            checksums = {**lock.checksums, **checksums}
    for path in context.glob(*_SETTINGS):
        servers |= dict.fromkeys(parse_sources(context.text(path, _LARGEST) or ""))
    return _Published(_clean(servers), checksums)


def _clean(urls: Iterable[str]) -> tuple[str, ...]:
    """Return URLs of servers without what may be secret."""
    clean = (clean_origin(url).rstrip("/") for url in urls)
    found = dict.fromkeys(url for url in clean if url.startswith(("http://", "https://")))
    return tuple(found)[:_MOST_SERVERS]


def _artifact(gem: Gem, published: _Published) -> str:
    """Return the words for the package file of a gem."""
    sha256 = published.checksums.get(gem.full_name, "-")
    servers = " ".join(published.servers).encode().hex() or "-"
    return " ".join(("gem", gem.name, gem.version, gem.platform or "-", sha256, servers))


def _gem_sets(context: Context) -> dict[str, _GemSet]:
    specs: dict[tuple[str, str], list[_Spec]] = {}
    for path in context.glob(*_PATTERNS):
        spec = _spec(path, context)
        if spec is not None:
            specs.setdefault(_base(spec.home), []).append(spec)
    homes = {base: found[0].home for base, found in specs.items()}
    names = unique_names({base: (homes[base], base[0]) for base in specs})
    versions = _versions(context)
    found = {}
    for base in sorted(specs, key=lambda base: sort_key(names[base])):
        match = _HOME.match(homes[base])
        abi = match["abi"] if match and match["abi"] != "all" else ""
        version = versions.get((match["prefix"], abi), "") if match else ""
        folders = frozenset(spec.home for spec in specs[base])
        found[names[base]] = _GemSet(folders, abi, version, _keyed(specs[base]))
    return found


def _base(home: str) -> tuple[str, str]:
    """Return the wanted name of a home, and what distinguishes it from others of that name.

    Debian spreads the gems of one Ruby over several directories; they count as one home.
    """
    match = _HOME.match(home)
    if match is None:
        return logical_name(home), home
    prefix, kind, abi = match.group("prefix", "kind", "abi")
    suffix = "" if abi == "all" else f"-{abi}"
    if kind in ("share/gem/ruby", ".gem/ruby"):
        return f"user{suffix}", home
    if prefix in ("/usr", "/usr/local") or kind == "var/lib/gems":
        return f"{'system' if prefix == '/usr' else 'local'}{suffix}", ""
    for folder, manager in _MANAGERS:
        if folder in f"{prefix}/":
            return f"{manager}{suffix}", home
    for end in _BUNDLES:
        prefix = prefix.removesuffix(end)
    return f"{logical_name(prefix or '/')}{suffix}", home


def _versions(context: Context) -> dict[tuple[str, str], str]:
    """Return (prefix, ABI) -> exact version of every Ruby that has an rbconfig.rb."""
    found = {}
    for path in context.glob("**/rbconfig.rb"):
        match = _CONFIG.match(path)
        if match:
            version = parse_ruby_version(context.text(path, _LARGEST) or "")
            found[match["prefix"], match["abi"]] = version
    return found


def _spec(path: str, context: Context) -> _Spec | None:
    folder, stem = posixpath.dirname(path), posixpath.basename(path).removesuffix(".gemspec")
    is_default = posixpath.basename(folder) == "default"
    home = posixpath.dirname(posixpath.dirname(folder) if is_default else folder)
    raw = context.read(path, _LARGEST)
    # Not as text: the line of the stub separates paths by zero bytes.
    gem = parse_specification(stem, from_bytes(raw)) if raw is not None else None
    if gem is None:
        if raw is not None:
            context.gap(path, "not a specification with a name and a version")
        return None
    return _Spec(gem, path, home, is_default)


def _keyed(specs: list[_Spec]) -> dict[str, _Spec]:
    """Return key -> gem; an installed gem replaces the same one that came with Ruby."""
    found = {tuple(spec.gem): spec for spec in sorted(specs, key=lambda spec: not spec.is_default)}
    keys = version_keys(found)
    return {keys[gem]: found[gem] for gem in sorted(found, key=lambda gem: sort_key(keys[gem]))}


def _facts(spec: _Spec, published: _Published, context: Context) -> dict[str, str]:
    owner = context.owner(spec.path)
    return clean_facts(
        {
            "version": spec.gem.version,
            "platform": spec.gem.platform,
            "default": "true" if spec.is_default else "",
            "sha256": "" if spec.is_default else published.checksums.get(spec.gem.full_name, ""),
            "packaged-by": "" if owner.startswith("gem ") else owner,
        }
    )


def _applications(gem_sets: Mapping[str, _GemSet], context: Context) -> Iterator[Record]:
    """Yield a record for each Gemfile.lock that no package owns."""
    installed: dict[str, set[str]] = {}
    for gem_set in gem_sets.values():
        for spec in gem_set.specs.values():
            installed.setdefault(spec.gem.name, set()).add(spec.gem.version)
    locks = {}
    for path in context.glob(f"**/{_LOCKFILE}"):
        lock = (
            _lockfile(path, context) if not context.owner(path) and "/gems/" not in path else None
        )
        if lock is not None:
            locks[posixpath.dirname(path) or "/"] = lock
    taken = {f"\0{name}": ("", name) for name in gem_sets}
    wanted = {folder: (folder, logical_name(folder)) for folder in locks}
    names = unique_names(taken | wanted)
    for folder, lock in locks.items():
        yield Record("gem", names[folder], _declared(lock, installed))


def _lockfile(path: str, context: Context) -> Lockfile | None:
    text = context.text(path)
    lock = parse_lockfile(text) if text is not None else None
    if text is not None and lock is None:
        context.gap(path, "not a lockfile")
    return lock


def _declared(lock: Lockfile, installed: Mapping[str, set[str]]) -> dict[str, str]:
    missing = [name for name in lock.gems if name not in installed]
    differing = [name for name, v in lock.gems.items() if not v & installed.get(name, v)]
    return clean_facts(
        {
            "lockfile": _LOCKFILE,
            "declared": str(len(lock.gems)),
            "declared-missing": str(len(missing) or ""),
            "declared-differing": str(len(differing) or ""),
            "bundler": lock.bundler,
            "ruby": lock.ruby,
            "url": " ".join(_clean(lock.servers)),
        }
    )


def _from_git(gem_sets: Mapping[str, _GemSet], context: Context) -> Iterator[Record]:
    """Yield the gems that Bundler checked out with git: ``bundler/gems/NAME-REVISION``."""
    homes = {home: name for name, gem_set in gem_sets.items() for home in gem_set.homes}
    found: dict[str, set[tuple[str, ...]]] = {}
    for path in context.glob("**/bundler/gems/*/*.gemspec"):
        home, _, rest = path.partition("/bundler/gems/")
        gem, _, revision = rest.partition("/")[0].rpartition("-")
        if gem and revision and not context.owner(path):
            name = homes.get(home) or _base(home)[0]
            found.setdefault(name, set()).add((gem, revision))
    for name, gems in found.items():
        taken = gem_sets[name].specs if name in gem_sets else {}
        for (gem, revision), key in version_keys(gems).items():
            full_key = f"{name}/{f'{gem}@{revision}' if key in taken else key}"
            yield Record("gem", full_key, {"origin": "git", "revision": revision})


COLLECTOR = Collector(
    name="gem",
    sections=("gem",),
    reads=(*_PATTERNS, f"**/{_LOCKFILE}", "**/rbconfig.rb", *_SETTINGS),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "RubyGems guides, Specification Reference",
        "Bundler documentation, bundle lock",
    ),
)
