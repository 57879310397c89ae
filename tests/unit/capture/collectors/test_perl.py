"""The perl collector finds what Perl's own ExtUtils::Installed finds."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from envlock.formats.perl import parse_module_version
from envlock.model.depth import Depth
from tests.conftest import unavailable

MODULES = {
    "Shop::Cart": ("our $VERSION = '1.20';", "1.20"),
    "Shop": ("$Shop::VERSION = 0.07;", "0.07"),
    "Tool": ("use version; our $VERSION = version->declare('v1.2.3');", ""),
}
ASK = """
use ExtUtils::Installed;
my $found = ExtUtils::Installed->new(inc_override => [@ARGV]);
print "$_\\n" for grep { $_ ne 'Perl' } $found->modules;
"""


@pytest.fixture
def root(tmp_path):
    """Return a root into which Perl's own tools installed distributions."""
    for tool in ("perl", "make"):
        if not shutil.which(tool):
            unavailable("perl", f"{tool} is not here")
    root = tmp_path / "root"
    for module, (line, _) in MODULES.items():
        source = tmp_path / module.replace("::", "-")
        file = source / "lib" / f"{module.replace('::', '/')}.pm"
        file.parent.mkdir(parents=True)
        file.write_text(f"package {module};\n{line}\n1;\n")
        (source / "MANIFEST").write_text("Makefile.PL\nMANIFEST\n")
        version = f"VERSION_FROM => 'lib/{module.replace('::', '/')}.pm'"
        (source / "Makefile.PL").write_text(
            f"use ExtUtils::MakeMaker; WriteMakefile(NAME => '{module}', {version});\n"
        )
        for argv in (["perl", "Makefile.PL"], ["make"], ["make", "install", f"DESTDIR={root}"]):
            subprocess.run(argv, cwd=source, check=True, capture_output=True)
    for packlist in root.rglob(".packlist"):  # which hold where the root was
        packlist.write_text(packlist.read_text().replace(str(root), ""))
    return root


def test_the_distributions_and_their_files_are_those_that_perl_finds(root, captured):
    folders = [str(path.parent) for path in root.rglob("auto") if path.is_dir()]
    argv = ["perl", "-e", ASK, *folders]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
    found = captured(root, depth=Depth.FULL)
    perl = found.lock.sections["perl"]
    assert {key.partition("/")[2] for key in perl} == set(told) == MODULES.keys()
    for key, facts in perl.items():
        module = key.partition("/")[2]
        # perllocal.pod states the version that Makefile.PL found, also where it is computed.
        assert facts["version"] == (MODULES[module][1] or "v1.2.3")
    owners = {row.entry.path: row.owner for row in found.tree.rows}
    (module,) = (path for path in owners if path.endswith("/Shop/Cart.pm"))
    assert owners[module] == "perl local/Shop::Cart"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("our $VERSION = '1.02';", "1.02"),
        ("our $VERSION = 1.5;", "1.5"),
        ('$Foo::Bar::VERSION = "0.1_02";', "0.1_02"),
        ("package Foo 1.2;", "1.2"),
        ("package Foo v1.2.3 {", "v1.2.3"),
        ("use vars qw($VERSION); $VERSION = 'v2.0.1';", "v2.0.1"),
        ("# $VERSION = 3;", ""),
        ("our $VERSION = Other->VERSION;", ""),
        ("our $VERSION = '1.0' . $suffix;", ""),
        ("1;\n__END__\n$VERSION = 3;", ""),
        ("=head1\n\n$VERSION = 3;\n\n=cut\n", ""),
        ("if ($VERSION == 3) {}", ""),
    ],
)
def test_only_a_plain_number_is_the_version_of_a_module(text, version):
    assert parse_module_version(text) == version
