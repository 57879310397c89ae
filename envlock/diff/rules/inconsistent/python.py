"""Rules for Python environments whose parts do not fit each other."""

from __future__ import annotations

from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
_REINSTALL = "reinstall {package} in {environment}"
_TAGS = "packaging.python.org, Platform compatibility tags"

INCONSISTENT_PYTHON: tuple[Rule, ...] = (
    Rule(
        id="PYTHON-INTERPRETER-GONE",
        severity=CRITICAL,
        why="the interpreter of a virtual environment is gone: nothing in it starts",
        next="install that release of Python again, or make the environment anew",
        source="PEP 405",
    ),
    Rule(
        id="PYTHON-INTERPRETER-OTHER",
        severity=CRITICAL,
        why="the interpreter does not see what was installed for another release",
        next="make the environment anew with its interpreter of today",
        source="PEP 405; site-packages of pythonX.Y",
    ),
    Rule(
        id="PYTHON-SCRIPTS",
        severity=HIGH,
        breaks=True,
        why="the programs of a virtual environment that was moved or copied name the old place",
        next="make the environment anew where it is to be",
        source="PEP 405; execve(2), interpreter scripts",
    ),
    Rule(
        id="PYTHON-PATH-GONE",
        severity=HIGH,
        breaks=True,
        why="modules in a directory that a .pth file adds cannot be imported",
        next="restore the directory, or remove the .pth file",
        source="Python library reference, site",
    ),
    Rule(
        id="PYTHON-LEFTOVERS",
        severity=MEDIUM,
        why="pip was interrupted while it replaced a distribution, which may be incomplete",
        next="remove the directories that begin with ~ and reinstall those distributions",
        source="pip, Ignoring invalid distribution",
    ),
    Rule(
        id="PYTHON-SOURCE-GONE",
        severity=HIGH,
        breaks=True,
        why="an editable installation leads to a checkout that is gone: its import fails",
        next="restore the checkout, or install {package} from a wheel",
        source="PEP 610, dir_info.editable",
    ),
    Rule(
        id="PYTHON-DOUBLED",
        severity=HIGH,
        why="two versions of one distribution are recorded: its files may be of either",
        next=_REINSTALL,
        source="packaging.python.org, Recording installed projects",
    ),
    Rule(
        id="PYTHON-OVERLAP",
        severity=HIGH,
        why="two distributions own one module: the one installed last has overwritten the other",
        next="uninstall both, then install the one that is needed",
        source="packaging.python.org, Recording installed projects",
    ),
    Rule(
        id="PYTHON-REQUIREMENT",
        severity=HIGH,
        breaks=True,
        why="a requirement of a distribution is not installed, or too old",
        next=_REINSTALL,
        source="packaging.python.org, Core metadata: Requires-Dist; pip check",
    ),
    Rule(
        id="PYTHON-REQUIREMENT-NEWER",
        severity=MEDIUM,
        why="a distribution allows only older versions of a requirement",
        next=_REINSTALL,
        source="packaging.python.org, Core metadata: Requires-Dist; pip check",
    ),
    Rule(
        id="PYTHON-ABI",
        severity=HIGH,
        breaks=True,
        why="a wheel for another release of the interpreter: its compiled modules cannot be loaded",
        next=_REINSTALL,
        source=_TAGS,
    ),
    Rule(
        id="PYTHON-PLATFORM",
        severity=HIGH,
        breaks=True,
        why="a wheel for another machine: its compiled modules cannot be loaded",
        next=_REINSTALL,
        source=_TAGS,
    ),
    Rule(
        id="PYTHON-LIBC",
        severity=HIGH,
        breaks=True,
        why="a wheel for another or a newer C library: its compiled modules cannot be loaded",
        next="install {package} in {environment} in a build for this system",
        source=f"{_TAGS}; PEP 600; PEP 656",
    ),
    Rule(
        id="PYTHON-LIBRARY",
        severity=HIGH,
        breaks=True,
        why="the import of a compiled module fails: a library that it needs does not exist",
        next="install the library, or {package} in {environment} as a wheel that brings it",
        source="ld.so(8); ImportError: cannot open shared object file",
    ),
    Rule(
        id="PYTHON-SYMBOL",
        severity=HIGH,
        breaks=True,
        why="the import of a compiled module fails: it was built with newer libraries",
        next="build {package} on this system, or install a published wheel",
        source="Linux Standard Base, Symbol Versioning; ld.so(8)",
    ),
    Rule(
        id="PYTHON-HIDDEN",
        severity=HIGH,
        why="what an account installed for itself hides another version that others rely on",
        next="uninstall {package} for the account, or set PYTHONNOUSERSITE=1",
        source="Python library reference, site: user site",
    ),
    Rule(
        id="PYTHON-HIDDEN-NEWER",
        severity=MEDIUM,
        why="what an account installed for itself hides an older version of the system",
        next="uninstall {package} for the account, or set PYTHONNOUSERSITE=1",
        source="Python library reference, site: user site",
    ),
)
"""What does not fit in a Python environment."""
