"""Rules for the packages of languages and of HPC package managers, and for loaded modules."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.fixes import languages
from envlock.diff.rules.rule import Rule
from envlock.model.facts import Family, packages_of
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

_PACKAGES = packages_of(Family.LANGUAGE, Family.HPC)
_BUILD = (
    "build", "channel", "subdir", "hash", "compiler", "variants", "target", "system", "toolchain",
    "suffix", "built", "platform", "features", "profile", "cgo", "tags", "sha1", "implementor",
    "variant",
)  # fmt: skip
_ADDED, _REMOVED, _CHANGED, _UNKNOWN = ChangeKind
_SEMVER = "semantic versioning 2.0.0, items 4 and 6 to 8"

LANGUAGE_RULES: tuple[Rule, ...] = (
    Rule(
        id="LANGUAGE-MISSING",
        severity=Severity.HIGH,
        breaks=True,
        sections=_PACKAGES,
        fields=("",),
        kinds=(_REMOVED,),
        why="what needs it fails",
        fix=languages.install,
        next="install {key} {left} on {right_name}",
        source="what is not installed is not loaded",
    ),
    Rule(
        id="LANGUAGE-DOWNGRADE",
        severity=Severity.HIGH,
        sections=_PACKAGES,
        fields=("version",),
        relation=Relation.OLDER,
        why="older on {right_name}: it lacks fixes and features of {left}",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source="the version order of its package manager",
    ),
    Rule(
        id="LANGUAGE-MAJOR",
        severity=Severity.HIGH,
        sections=_PACKAGES,
        fields=("version",),
        kinds=(_CHANGED,),
        when=lambda delta: predicates.has_release(delta) and predicates.major_differs(delta),
        why="a new major version, or minor one before 1.0, may break code that uses it",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source=_SEMVER,
    ),
    Rule(
        id="LANGUAGE-COMPILED",
        severity=Severity.MEDIUM,
        sections=_PACKAGES,
        fields=("compiled",),
        why="the same version with other compiled files: built or downloaded elsewhere",
        fix=languages.install,
        next="install {key} again on {right_name} from the lockfile of the project",
        source="what is compiled depends on the compiler, the platform and its libraries",
    ),
    Rule(
        id="LANGUAGE-PATCH",
        severity=Severity.LOW,
        sections=_PACKAGES,
        fields=("version",),
        kinds=(_CHANGED,),
        when=lambda delta: predicates.has_release(delta) and not predicates.minor_differs(delta),
        why="a new patch version",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source=_SEMVER,
    ),
    Rule(
        id="LANGUAGE-UPDATE",
        severity=Severity.MEDIUM,
        sections=_PACKAGES,
        fields=("version",),
        why="another version",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source=_SEMVER,
    ),
    Rule(
        id="LANGUAGE-BUILD",
        severity=Severity.MEDIUM,
        sections=_PACKAGES,
        fields=_BUILD,
        why="another build of the same version: for another platform, or with other options",
        next="install both from one build",
        source="what its package manager records of a build",
    ),
    Rule(
        id="LANGUAGE-DECLARED",
        severity=Severity.MEDIUM,
        sections=_PACKAGES,
        fields=("declared", "declared-missing", "declared-differing", "lockfile"),
        why="the installed version differs from that in the lockfile of the application",
        next="install what the lockfile declares on both sides",
        source="the lockfile of the application",
    ),
    Rule(
        id="LANGUAGE-MANAGER",
        severity=Severity.INFO,
        sections=_PACKAGES,
        fields=("requested", "packaged-by", "managed-by", "bundler", "repository", "default"),
        why="it was installed in another way; the installed version is compared separately",
        source="what its package manager records of an installation",
    ),
    Rule(
        id="LANGUAGE-EXTRA",
        severity=Severity.LOW,
        sections=_PACKAGES,
        fields=("",),
        why="only {right_name} has it",
        next="install it on {left_name} too, or remove it",
        source="what is not loaded does no harm",
    ),
    Rule(
        id="MODULE-LOADED",
        severity=Severity.MEDIUM,
        sections=("module",),
        why="a loaded module decides which programs and libraries the process finds",
        fix=languages.install,
        next="load the same modules on both sides",
        source="module(1)",
    ),
)
