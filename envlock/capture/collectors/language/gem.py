"""Ruby gems: of the system, of users, of Ruby versions and of applications (Bundler).

A home of gems is a folder with a folder ``specifications``.  A Gemfile.lock is compared with what
is installed; what it declares is not counted as installed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
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
    parse_specification,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

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


class _Spec(NamedTuple):
    """A gem with its specification file, the home it is in, and whether Ruby came with it."""

    gem: Gem
    path: str
    home: str
    is_default: bool


class _Place(NamedTuple):
    """Homes under one name, and key -> gem."""

    homes: frozenset[str]
    abi: str
    version: str
    specs: Mapping[str, _Spec]


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each home, for each gem in it, and for each application with a lock."""
    places = _places(context)
    for name, place in places.items():
        facts = clean_facts({"version": place.version, "abi": place.abi})
        if facts:
            yield Record("gem", name, facts)
        for key, spec in place.specs.items():
            yield Record("gem", f"{name}/{key}", _facts(spec, context))
    yield from _applications(places, context)
    yield from _from_git(places, context)


def claims(context: Context) -> Claims:
    """Return what lies in the folders of the gems, and their specifications."""
    owners = {}
    for name, place in _places(context).items():
        for key, spec in place.specs.items():
            owner, full_name = f"gem {name}/{key}", spec.gem.full_name
            owners[spec.path] = owner
            owners[f"{spec.home}/gems/{full_name}"] = owner
            for folder in context.glob(f"{spec.home}/extensions/*/*/{full_name}"):
                owners[folder] = owner
    return claim_folders(context, owners)


def _places(context: Context) -> dict[str, _Place]:
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
        found[names[base]] = _Place(folders, abi, version, _keyed(specs[base]))
    return found


def _base(home: str) -> tuple[str, str]:
    """Return the wanted name of a home, and what else tells it from others of that name.

    Debian spreads the gems of one Ruby over several folders; they are one home.
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
    """Return (prefix, ABI) -> exact version of every Ruby that has its configuration there."""
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
    text = context.text(path, _LARGEST)
    gem = parse_specification(stem, text) if text is not None else None
    if gem is None:
        if text is not None:
            context.gap(path, "no specification with a name and a version")
        return None
    return _Spec(gem, path, home, is_default)


def _keyed(specs: list[_Spec]) -> dict[str, _Spec]:
    """Return key -> gem; of one that came with Ruby and was installed as well, the latter."""
    found = {tuple(spec.gem): spec for spec in sorted(specs, key=lambda spec: not spec.is_default)}
    keys = version_keys(found)
    return {keys[gem]: found[gem] for gem in sorted(found, key=lambda gem: sort_key(keys[gem]))}


def _facts(spec: _Spec, context: Context) -> dict[str, str]:
    owner = context.owner(spec.path)
    return clean_facts(
        {
            "version": spec.gem.version,
            "platform": spec.gem.platform,
            "default": "true" if spec.is_default else "",
            "packaged-by": "" if owner.startswith("gem ") else owner,
        }
    )


def _applications(places: Mapping[str, _Place], context: Context) -> Iterator[Record]:
    """Yield a record for each Gemfile.lock that no package brought."""
    installed: dict[str, set[str]] = {}
    for place in places.values():
        for spec in place.specs.values():
            installed.setdefault(spec.gem.name, set()).add(spec.gem.version)
    locks = {}
    for path in context.glob(f"**/{_LOCKFILE}"):
        lock = (
            _lockfile(path, context) if not context.owner(path) and "/gems/" not in path else None
        )
        if lock is not None:
            locks[posixpath.dirname(path) or "/"] = lock
    taken = {f"\0{name}": ("", name) for name in places}
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
        }
    )


def _from_git(places: Mapping[str, _Place], context: Context) -> Iterator[Record]:
    """Yield the gems that Bundler checked out of a repository: ``bundler/gems/NAME-REVISION``."""
    homes = {home: name for name, place in places.items() for home in place.homes}
    found: dict[str, set[tuple[str, ...]]] = {}
    for path in context.glob("**/bundler/gems/*/*.gemspec"):
        home, _, rest = path.partition("/bundler/gems/")
        gem, _, revision = rest.partition("/")[0].rpartition("-")
        if gem and revision and not context.owner(path):
            name = homes.get(home) or _base(home)[0]
            found.setdefault(name, set()).add((gem, revision))
    for name, gems in found.items():
        taken = places[name].specs if name in places else {}
        for (gem, revision), key in version_keys(gems).items():
            place = f"{name}/{f'{gem}@{revision}' if key in taken else key}"
            yield Record("gem", place, {"origin": "git", "revision": revision})


COLLECTOR = Collector(
    name="gem",
    sections=("gem",),
    reads=(*_PATTERNS, f"**/{_LOCKFILE}", "**/rbconfig.rb"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "RubyGems guides, Specification Reference",
        "Bundler documentation, bundle lock",
    ),
)
