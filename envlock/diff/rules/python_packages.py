"""Rules for Python environments and the distributions in them."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.fixes import languages
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind
OLDER = Relation.OLDER

PYTHON_RULES: tuple[Rule, ...] = (
    Rule(
        id="PYTHON-INTERPRETER",
        severity=CRITICAL,
        sections=("python",),
        fields=("version", "implementation"),
        when=predicates.python_differs,
        why="compiled packages are built for one X.Y; syntax and library differ",
        next="create the environment again with one version of Python on both sides",
        source="PEP 425 compatibility tags",
    ),
    Rule(
        id="PYTHON-ENVIRONMENT-MISSING",
        severity=HIGH,
        breaks=True,
        sections=("python",),
        fields=("",),
        kinds=(REMOVED,),
        when=predicates.is_interpreter,
        why="there is no such Python environment on {right_name}",
        fix=languages.create_environment,
        next="create the Python environment {key} on {right_name}",
        source="PEP 405",
    ),
    Rule(
        id="PYTHON-AUTHORITIES",
        severity=HIGH,
        sections=("python",),
        fields=("authorities",),
        why="programs that use the certificates of {key} trust servers on one side only",
        next="add the authorities on both sides, or set SSL_CERT_FILE or REQUESTS_CA_BUNDLE there",
        source="RFC 5280 section 6; Requests documentation, SSL Cert Verification",
    ),
    Rule(
        id="PYTHON-EDITED",
        severity=HIGH,
        sections=("python",),
        fields=("edited", "edited-files", "missing-files"),
        why="installed files differ from those of the package",
        fix=languages.restore_python,
        next="make the same change on both sides, or in a package of its own",
        source="the RECORD of the distribution, PEP 376",
    ),
    Rule(
        id="PYTHON-UNSHADOWED",
        severity=MEDIUM,
        sections=("python",),
        fields=("startup", "startup-code", "shadowed"),
        kinds=(REMOVED,),
        why="only on {left_name}, code that belongs to no package affects what is imported",
        next="compare the files that the interpreter runs at startup",
        source="Python library reference, site",
    ),
    Rule(
        id="PYTHON-SHADOWED",
        severity=HIGH,
        sections=("python",),
        fields=("startup", "startup-code", "shadowed"),
        why="code that belongs to no package affects what is imported",
        next="compare the files that the interpreter runs at startup",
        source="Python library reference, site",
    ),
    Rule(
        id="PYTHON-INSTALLER",
        severity=INFO,
        sections=("python",),
        fields=("installer", "requested", "packaged-by", "managed-by", "externally-managed"),
        why="another tool installed it; the installed version is compared separately",
        source="packaging.python.org, Recording installed projects",
    ),
    Rule(
        id="PYTHON-MISSING",
        severity=HIGH,
        breaks=True,
        sections=("python",),
        fields=("",),
        kinds=(REMOVED,),
        why="what imports it fails",
        fix=languages.install,
        next="install {key} {left} on {right_name}",
        source="ModuleNotFoundError",
    ),
    Rule(
        id="PYTHON-DOWNGRADE",
        severity=HIGH,
        sections=("python",),
        fields=("version",),
        relation=OLDER,
        why="older on {right_name}: it lacks fixes and features of {left}",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source="PEP 440",
    ),
    Rule(
        id="PYTHON-MAJOR",
        severity=HIGH,
        sections=("python",),
        fields=("version",),
        when=predicates.major_differs,
        why="a new major version, or minor one before 1.0, may break code that uses it",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source="semantic versioning 2.0.0, items 4 and 8",
    ),
    Rule(
        id="PYTHON-MINOR",
        severity=MEDIUM,
        sections=("python",),
        fields=("version",),
        when=predicates.minor_differs,
        why="a new minor version",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source="semantic versioning 2.0.0, item 7",
    ),
    Rule(
        id="PYTHON-PATCH",
        severity=LOW,
        sections=("python",),
        fields=("version",),
        why="a new patch version",
        fix=languages.install,
        next="bring {key} to one version on both sides",
        source="semantic versioning 2.0.0, item 6",
    ),
    Rule(
        id="PYTHON-EXTRA",
        severity=LOW,
        sections=("python",),
        fields=("",),
        why="only {right_name} has it",
        fix=languages.remove_python,
        next="install it on {left_name} too, or remove it",
        source="PEP 376",
    ),
)
