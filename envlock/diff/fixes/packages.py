"""Commands of the package managers of operating systems: one line for what goes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import NO_FIX, Commands, Surroundings, command, filled, is_name
from envlock.diff.predicates import package_name
from envlock.model.facts import Family, packages_of
from envlock.versions.relation import Relation

_MANAGED = frozenset(packages_of(Family.DEBIAN, Family.SYSTEM))
_CONTENT = ("", "version")
_ZYPPER = ("opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled", "suse")
_TDNF = ("mariner", "azurelinux", "photon")


def install(delta: Delta, around: Surroundings) -> Commands:
    """Return how to install the left versions of a package and of what goes with it."""
    if not around.is_one_release:
        return NO_FIX  # versions of another release do not fit
    members = [member for member in _members(delta, around) if member.left]
    match delta.section:
        case "deb":
            return _apt(members, around)
        case "rpm":
            return _rpm(members, around)
        case "apk":
            return _apk(members)
        case _:
            return NO_FIX  # pacman installs only the newest version by name


def remove(delta: Delta, around: Surroundings) -> Commands:
    """Return how to remove what only the right side has; configuration files stay."""
    members = [member for member in _members(delta, around) if member.kind is ChangeKind.ADDED]
    names = _sorted(_name(member, around) for member in members)
    tool = {
        "deb": ("apt-get", "remove"),
        "rpm": (_rpm_tool(around), "remove"),
        "apk": ("apk", "del"),
        "pacman": ("pacman", "-R"),
    }.get(delta.section)
    return command(*tool, *names) if tool and names and all(map(is_name, names)) else NO_FIX


def install_or_remove(delta: Delta, around: Surroundings) -> Commands:
    """Return how to install a package as on the left side, or to remove it."""
    return (remove if delta.kind is ChangeKind.ADDED else install)(delta, around)


def reinstall(owner: str, around: Surroundings, *, conffile: bool = False) -> Commands:
    """Return how to install a package again in the version that is installed.

    `owner` is its record, such as ``deb curl:amd64``.  Without a version the newest one would come.
    """
    section, _, key = owner.partition(" ")
    facts = around.after(section, key)
    delta = Delta(section, key, "", ChangeKind.CHANGED, None, None, facts)
    name, version = _name(delta, around), facts.get("version", "")
    if not is_name(name) or not is_name(version):
        return NO_FIX
    match section:
        case "deb":
            restore = ("-o", "Dpkg::Options::=--force-confmiss") if conffile else ()
            words = ("apt-get", "install", "--reinstall", *restore, f"{name}={version}")
            is_automatic = facts.get("mark") == "auto"
            mark = command("apt-mark", "auto", name) if is_automatic else NO_FIX
            return (*command(*words), *mark)
        case "rpm":
            tool = _rpm_tool(around)
            if tool == "zypper":
                return command(tool, "install", "--force", f"{name}={version}")
            return command(tool, "reinstall", f"{name}-{version}")
        case "apk":
            return command("apk", "fix", name)
        case _:
            return NO_FIX


def finish(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to finish an installation that the right side has begun."""
    if delta.right is None:
        return NO_FIX
    if delta.section == "deb":
        return command("dpkg", "--configure", "-a")
    if delta.section == "apk":
        return filled("apk fix {name}", {"name": package_name(delta)})
    return NO_FIX


def mark(delta: Delta, around: Surroundings) -> Commands:
    """Return how to give a package the mark that it has on the left side."""
    name = _name(delta, around)
    if not is_name(name):
        return NO_FIX
    if delta.section == "deb":
        if delta.left in ("auto", "manual"):
            held = command("apt-mark", "unhold", name) if delta.right == "hold" else NO_FIX
            return (*held, *command("apt-mark", delta.left, name))
        if delta.left == "hold":
            return command("apt-mark", "hold", name)
        return command("apt-mark", "unhold", name) if delta.right == "hold" else NO_FIX
    if delta.section == "pacman":
        options = {"auto": "--asdeps", "manual": "--asexplicit"}
        option = options.get(delta.left or "")
        return command("pacman", "-D", option, name) if option else NO_FIX
    return NO_FIX


def together(deltas: Iterable[Delta]) -> dict[str, tuple[Delta, ...]]:
    """Return record -> the differences of packages that one command has to remove at once.

    Those are packages of one source package, which often require each other in one version, and
    what was installed as a dependency of one of them.
    """
    found = {d.record: d for d in deltas if d.section in _MANAGED and d.field in _CONTENT}
    leaders: dict[tuple[str, str, bool], str] = {}
    group_of: dict[str, str] = {}
    for record, delta in found.items():
        if delta.kind is ChangeKind.UNKNOWN:
            continue
        source = delta.facts.get("source") or package_name(delta)
        is_extra = delta.kind is ChangeKind.ADDED
        group_of[record] = leaders.setdefault((delta.section, source, is_extra), record)
    for record, delta in found.items():
        cause = found.get(delta.explained_by)
        if record in group_of and cause is not None and cause.kind is delta.kind:
            group_of[record] = group_of.get(cause.record, cause.record)
    groups: dict[str, list[Delta]] = {}
    for record, leader in group_of.items():
        groups.setdefault(leader, []).append(found[record])
    return {
        delta.record: tuple(members)
        for members in groups.values()
        if len(members) > 1
        for delta in members
    }


def _members(delta: Delta, around: Surroundings) -> tuple[Delta, ...]:
    return around.together.get(delta.record, (delta,))


def _apt(members: list[Delta], around: Surroundings) -> Commands:
    versions = {_name(member, around): member.left or "" for member in members}
    wanted = _pairs(versions, "{}={}")
    if not wanted:
        return NO_FIX
    is_newer = any(member.relation is Relation.NEWER for member in members)
    options = ("--allow-downgrades",) if is_newer else ()
    automatic = _sorted(
        _name(member, around) for member in members if member.facts.get("mark") == "auto"
    )
    # apt takes what is named for wanted by the user.
    marks = command("apt-mark", "auto", *automatic) if automatic else NO_FIX
    return (
        *command("apt-get", "install", "--no-install-recommends", *options, *wanted),
        *marks,
    )


def _rpm(members: list[Delta], around: Surroundings) -> Commands:
    versions = {_name(member, around): member.left or "" for member in members}
    is_newer = any(member.relation is Relation.NEWER for member in members)
    tool = _rpm_tool(around)
    if tool == "zypper":
        wanted = _pairs(versions, "{}={}")
        options = ("--oldpackage",) if is_newer else ()
        return command(tool, "install", *options, *wanted) if wanted else NO_FIX
    wanted = _pairs(versions, "{}-{}")
    return command(tool, "downgrade" if is_newer else "install", *wanted) if wanted else NO_FIX


def _apk(members: list[Delta]) -> Commands:
    versions = {package_name(member): member.left or "" for member in members}
    wanted = _pairs(versions, "{}={}")
    if not wanted:
        return NO_FIX
    # The first command pins the versions in the world file; the second one keeps only the names.
    return (*command("apk", "add", *wanted), *command("apk", "add", *sorted(versions)))


def _pairs(versions: Mapping[str, str], template: str) -> tuple[str, ...]:
    """Return a word for each package, nothing if a name or version is not plain."""
    if not all(is_name(name) and is_name(version) for name, version in versions.items()):
        return ()
    return tuple(template.format(name, versions[name]) for name in sorted(versions))


def _name(delta: Delta, around: Surroundings) -> str:
    """Return the name of a package, with its architecture if that is a foreign one."""
    name = package_name(delta)
    arch = delta.key.rpartition(":")[2] if delta.section == "deb" and ":" in delta.key else ""
    if arch in ("", "all") or around.debian_architecture in ("", arch):
        return name
    return f"{name}:{arch}"


def _rpm_tool(around: Surroundings) -> str:
    system, release = around.system, around.after("os").get("version", "")
    if system in _ZYPPER:
        return "zypper"
    if system in _TDNF:
        return "tdnf"
    is_old = (system, release.partition(".")[0]) in (("rhel", "7"), ("centos", "7"), ("amzn", "2"))
    return "yum" if is_old else "dnf"


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))
