"""Conditions of rules that section, key and field of a difference cannot express."""

from __future__ import annotations

import re

from envlock.diff.drift import Delta
from envlock.model.facts import SECTIONS, order_of
from envlock.model.record import Facts
from envlock.versions import dotted, pep440
from envlock.versions.ordering import upstream

_SET_ID = 0o6000
_WORLD_WRITABLE = 0o0002
_STICKY = 0o1000
_DEVELOPMENT = re.compile(r"-dev(?:-bin)?\Z|\Alinux-headers-|-headers\Z|-source\Z")
_DOCUMENTATION = re.compile(r"-(?:doc|docs|dbg|dbgsym|examples|manpages)\Z|\Amanpages")
_STABLE_UPDATE = re.compile(r"[+~]deb[0-9]+u[0-9]+")
_INTERPRETERS = {
    "python3": 2, "python": 2, "ruby": 2, "php": 2, "php-cli": 2, "r-base-core": 2, "R-core": 2,
    "erlang-base": 1, "nodejs": 1, "default-jre-headless": 2,
}  # fmt: skip
"""Package of an interpreter -> how many leading numbers decide what its modules fit."""
_RELEASE = re.compile(r"(?:\d+:)?(\d+)(?:\.(\d+))?")
_NO_SHELLS = frozenset({"nologin", "false", "sync", "halt", "shutdown"})
_RESTRICTIONS = frozenset({"ro", "noexec", "nosuid", "nodev"})
_TWO_WORDS = re.compile(r"(\S+) (\S+)\Z")


def both(delta: Delta) -> tuple[str, str]:
    """Return the two values, an empty text for a missing one."""
    return delta.left or "", delta.right or ""


def package_name(delta: Delta) -> str:
    """Return the name of a package, without architecture, version and environment."""
    if delta.section != "rpm":
        return delta.key.partition(":")[0].rpartition("/")[2]
    if has_version_in_key(delta):
        return delta.key.rpartition(f"-{delta.facts['version']}")[0]
    return delta.key.rpartition(".")[0] or delta.key


def is_explicit(delta: Delta) -> bool:
    """True for a package that was installed on request, not as a dependency."""
    return delta.facts.get("mark") in ("manual", "hold") or "requested" in delta.facts


def is_held(delta: Delta) -> bool:
    """True when the package is held back from upgrades on one side."""
    return "hold" in both(delta)


def is_left_over(delta: Delta) -> bool:
    """True when a removed Debian package left its configuration files on one side."""
    return any(state.endswith(" config-files") for state in both(delta))


def changes_interface(delta: Delta) -> bool:
    """True for an interpreter of another release, for which modules are installed apart."""
    parts = _INTERPRETERS.get(package_name(delta), 0)
    left, right = (_RELEASE.match(value) for value in both(delta))
    if left is None or right is None:
        return False
    return left.groups()[:parts] != right.groups()[:parts]


def is_pinned(delta: Delta) -> bool:
    """True when the package is held at a version on one side, by a mark or a constraint."""
    return is_held(delta) or delta.field == "constraint"


def has_version_in_key(delta: Delta) -> bool:
    """True when the key contains the version: several versions can be installed."""
    version = delta.facts.get("version", "")
    return bool(version) and f"-{version}" in delta.key


def is_library(delta: Delta) -> bool:
    """True for a package of shared libraries, by its name (in Debian: Debian Policy 8.1)."""
    name = package_name(delta)
    if delta.section == "deb":
        return name.startswith("lib") and any(char.isdigit() for char in name)
    return name.startswith("lib") or name.endswith(("-libs", "-lib"))


def is_development(delta: Delta) -> bool:
    """True for a Debian package that is needed to build programs, not to run them."""
    return _DEVELOPMENT.search(package_name(delta)) is not None


def is_documentation(delta: Delta) -> bool:
    """True for a Debian package of documentation or debug symbols."""
    return _DOCUMENTATION.search(package_name(delta)) is not None


def is_dependency_revision(delta: Delta) -> bool:
    """True when only the Debian revision of a package installed as a dependency differs.

    False if the revision is an update to a stable release (``+deb12u3``): those contain security
    fixes.
    """
    if is_explicit(delta) or upstream_differs(delta):
        return False
    left, right = (_STABLE_UPDATE.findall(value) for value in both(delta))
    return left == right


def is_core_library(delta: Delta) -> bool:
    """True for the packages of libraries that nearly every program is linked against."""
    section = SECTIONS.get(delta.section)
    return section is not None and package_name(delta) in section.core_libraries


def upstream_differs(delta: Delta) -> bool:
    """True when the upstream versions differ, not only the revisions of the distribution."""
    order = order_of(delta.section)
    left, right = both(delta)
    try:
        return upstream(order, left) != upstream(order, right)
    except ValueError:
        return True


def is_interpreter(delta: Delta) -> bool:
    """True for the record of a Python environment, False for a distribution in it."""
    return "/" not in delta.key


def python_differs(delta: Delta) -> bool:
    """True when the X.Y of a Python interpreter differs."""
    return is_interpreter(delta) and _release_differs(delta, 2)


def major_differs(delta: Delta) -> bool:
    """True when the major number differs, or the minor number of a version 0."""
    left, right = both(delta)
    zero = left.startswith(("0.", "v0.")) and right.startswith(("0.", "v0."))
    return _release_differs(delta, 2 if zero else 1)


def has_release(delta: Delta) -> bool:
    """True when both versions begin with major, minor and patch numbers."""
    try:
        return all(pep440.release(value) for value in both(delta))
    except ValueError:
        return False


def minor_differs(delta: Delta) -> bool:
    """True when the first two numbers of a Python version differ."""
    return _release_differs(delta, 2)


def leading_number_differs(delta: Delta) -> bool:
    """True when the first number of a dotted version differs."""
    return _leading_differs(delta, 1)


def kernel_differs(delta: Delta) -> bool:
    """True when the X.Y of a kernel differs."""
    return _leading_differs(delta, 2)


def is_older_libc(delta: Delta) -> bool:
    """True when ``NAME VERSION`` has another name or an older version on the right."""
    left, right = (_TWO_WORDS.match(value) for value in both(delta))
    if left is None or right is None or left[1] != right[1]:
        return True
    try:
        return dotted.compare(left[2], right[2]) > 0
    except ValueError:
        return True


def is_lower_level(delta: Delta) -> bool:
    """True when the right side has the lower level or limit."""
    left, right = both(delta)
    if left == "unlimited" or right == "unlimited":
        return left == "unlimited"
    try:
        return dotted.compare(left.rpartition("v")[2], right.rpartition("v")[2]) > 0
    except ValueError:
        return False


def loses_utf8(delta: Delta) -> bool:
    """True when only the left side has a UTF-8 character set."""
    left, right = ("utf8" in value.lower().replace("-", "") for value in both(delta))
    return left and not right


def gains_utf8(delta: Delta) -> bool:
    """True when only the right side has a UTF-8 character set."""
    return loses_utf8(delta._replace(left=delta.right, right=delta.left))


def loses_privilege(delta: Delta) -> bool:
    """True when the left mode has an additional set-id bit or lets anyone write."""
    return gains_privilege(delta._replace(left=delta.right, right=delta.left))


def is_masked(delta: Delta) -> bool:
    """True when the unit is masked on the right side."""
    return delta.right == "masked"


def gains_privilege(delta: Delta) -> bool:
    """True when the right mode has an additional set-id bit or lets anyone write."""
    left, right = _mode(delta.left), _mode(delta.right)
    runs = bool(_SET_ID & right & ~left) and not _is_directory(delta)
    return runs or (_is_open(right) and not _is_open(left))


def is_attribute(delta: Delta) -> bool:
    """True for an extended attribute of a file, which is named with its namespace."""
    return delta.field.startswith(("security.", "trusted.", "user."))


def differs_from_package(delta: Delta) -> bool:
    """True for a file that is missing or has other permissions than its package sets."""
    return record_differs_from_package(delta.facts)


def record_differs_from_package(facts: Facts) -> bool:
    """True for the record of a file that is missing or has other permissions than packaged."""
    is_missing = facts.get("class", "").endswith("-missing")
    return is_missing or any(fact.startswith("packaged-") for fact in facts)


def is_privileged(delta: Delta) -> bool:
    """True for a file whose mode has a set-id bit."""
    return bool(_mode(delta.facts.get("mode")) & _SET_ID) and not _is_directory(delta)


def holds_secret(delta: Delta) -> bool:
    """True for a file that is a secret or has secret values in it, such as a ``.env``."""
    name = delta.key.rpartition("/")[2]
    is_settings = name == ".env" or name.startswith(".env.")
    return delta.facts.get("class") == "secret" or "redacted" in delta.facts or is_settings


def is_root_account(delta: Delta) -> bool:
    """True for an account with uid 0 and another name than root."""
    uid = delta.right if delta.field == "uid" else delta.facts.get("uid")
    return uid == "0" and delta.key != "root"


def opens_login(delta: Delta) -> bool:
    """True when the account needs no password on the right side."""
    value = delta.right if delta.field == "password" else delta.facts.get("password")
    return value == "none"


def is_ageing(delta: Delta) -> bool:
    """True for when an account or its password ends, and not for whether it has one."""
    return "password" not in delta.facts if not delta.field else delta.field != "password"


def is_checkout(delta: Delta) -> bool:
    """True for what git keeps of a working copy."""
    return delta.key.endswith("/.git")


def ends_account(delta: Delta) -> bool:
    """True when an account ends, or has to change its password, on the right side."""
    return bool(delta.field) or not {"expires", "must-change"}.isdisjoint(delta.facts)


def gains_shell(delta: Delta) -> bool:
    """True when an account has a login shell on the right side only."""
    left, right = (value.rpartition("/")[2] in _NO_SHELLS for value in both(delta))
    return left and not right


def needs_no_shell(delta: Delta) -> bool:
    """True for an account whose shell only refuses a login."""
    return delta.facts.get("shell", "").rpartition("/")[2] in _NO_SHELLS


def gains_word(delta: Delta) -> bool:
    """True when the right comma-separated list has an item that the left one lacks."""
    left, right = (set(value.split(",")) for value in both(delta))
    return bool(right - left - {""})


def gains_restriction(delta: Delta) -> bool:
    """True when the right mount options have a restriction that the left ones lack."""
    left, right = (_RESTRICTIONS & set(value.split(",")) for value in both(delta))
    return bool(right - left)


def becomes_root(delta: Delta) -> bool:
    """True when the process runs as root on the right side only."""
    left, right = (value.partition(":")[0] in ("", "0", "root") for value in both(delta))
    return right and not left


def _release_differs(delta: Delta, parts: int) -> bool:
    left, right = both(delta)
    try:
        return pep440.release(left)[:parts] != pep440.release(right)[:parts]
    except ValueError:
        return True


def _leading_differs(delta: Delta, parts: int) -> bool:
    left, right = both(delta)
    try:
        return dotted.leading(left)[:parts] != dotted.leading(right)[:parts]
    except ValueError:
        return True


def _mode(text: str | None) -> int:
    try:
        return int(text or "0", 8)
    except ValueError:
        return 0


def has_files(delta: Delta) -> bool:
    """True for anything but a directory, and for a directory with such below it."""
    return not all(map(_is_directory, (delta, *delta.below)))


def _is_directory(delta: Delta) -> bool:
    """True for a directory, where set-group-ID only makes new files inherit its group."""
    return delta.facts.get("type") == "directory"


def _is_open(mode: int) -> bool:
    """True when anyone can write; a sticky directory protects its entries."""
    return bool(mode & _WORLD_WRITABLE) and not mode & _STICKY
