"""PHP packages and extensions that pear and pecl installed, from their registry."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.pear import PearPackage, parse_registry
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_REGISTRY = "/.registry/"
_PATTERNS = (f"**{_REGISTRY}*.reg", f"**{_REGISTRY}.channel.*/*.reg")
_LARGEST = 16 * 1024 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package of each registry."""
    for key, (path, package) in _packages(context).items():
        owner = context.owner(path)
        facts = {
            "version": package.version,
            "stability": package.stability,
            "channel": package.channel,
            "packaged-by": "" if owner.startswith("pear ") else owner,
        }
        yield Record("pear", key, clean_facts(facts))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each file of the packages."""
    found: dict[str, Claim] = {}
    for key, (path, package) in _packages(context).items():
        for file in (path, *package.files):
            folder, _, name = file.rpartition("/")
            real = f"{context.resolve(folder or '/').rstrip('/')}/{name}"
            found.setdefault(real, Claim(owner=f"pear {key}"))
    return found


def _packages(context: Context) -> dict[str, tuple[str, PearPackage]]:
    """Return key -> path in the registry, and the package; a damaged one is a gap."""
    found: dict[str, dict[str, tuple[str, PearPackage]]] = {}
    for path in context.glob(*_PATTERNS):
        raw = context.read(path, _LARGEST)
        package = parse_registry(raw) if raw is not None else None
        root = path.partition(_REGISTRY)[0]
        if package is None:
            if raw is not None:
                context.gap(path, "not a package of a registry")
        elif package.name in found.get(root, {}):
            context.gap(path, f"{package.name} is registered twice")
        else:
            found.setdefault(root, {})[package.name] = (path, package)
    names = unique_names({root: (root, logical_name(root or "/")) for root in found})
    return {
        f"{names[root]}/{name}": found[root][name]
        for root in sorted(found, key=lambda root: sort_key(names[root]))
        for name in sorted(found[root], key=sort_key)
    }


COLLECTOR = Collector(
    name="pear",
    sections=("pear",),
    reads=_PATTERNS,
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=("PEAR, PEAR/Registry.php", "PHP manual, serialize"),
)
