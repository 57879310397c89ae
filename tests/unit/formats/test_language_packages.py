"""Parsers of language package managers: robustness, and details of single formats."""

import json
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envlock.formats import (
    conda,
    dotnet,
    go,
    homebrew,
    hpc,
    java,
    opkg,
    pear,
    perl,
    php,
    r,
    ruby,
    rust,
)
from envlock.secrets.urls import clean_origin

TEXT_PARSERS = [
    rust.parse_crates,
    rust.parse_crates_toml,
    dotnet.parse_deps,
    dotnet.parse_runtime_config,
    dotnet.parse_version_file,
    homebrew.parse_receipt,
    opkg.parse_opkg_list,
    opkg.parse_opkg_status,
    perl.parse_install_json,
    perl.parse_module_version,
    perl.parse_packlist,
    perl.parse_perllocal,
    php.parse_installed,
    php.parse_lockfile,
    conda.parse_package,
    conda.parse_specs,
    ruby.parse_full_name,
    ruby.parse_lockfile,
    ruby.parse_ruby_version,
    hpc.parse_spack,
    java.parse_manifest,
    java.parse_properties,
    java.parse_release,
    java.split_file_name,
    r.parse_description,
    r.parse_renv,
    lambda text: conda.channel_name(text, text[:3]),
    lambda text: ruby.parse_specification(text, text),
    lambda text: go.parse_modules("go1", text),
    lambda text: hpc.parse_easyconfig(text, text[:9]),
    lambda text: hpc.loaded_modules({"LOADEDMODULES": text, "_LMFILES_": text[::-1]}),
]
WORDS = [
    "name", "version", "spec", "database", "installs", "installed", "packages", "files", "_path",
    "paths_data", "paths", "sha256", "subdir", "channel", "requested_specs", "Packages", "Version",
    "v1", "bins", "features", "source", "dist", "reference", "arch", "target", "parameters", "root",
]  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(WORDS), st.text())
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
LINES = st.lists(
    st.sampled_from(
        [
            "# stub: a 1 ruby lib\n", "GEM\n", "    a (1)\n", "BUNDLED WITH\n", "Package: x\n",
            "Version: 1\n", "Built: R 4\n", "path\tx\n", "=>\tx\tv1\n", "dep\tx\n", "[v1]\n",
            '"a 1 (git+x#y)" = ["b"]\n', "toolchain = SYSTEM\n", "version = '1'\n", " \n", ":",
            "# update specs: ['a=1']\n", 'JAVA_VERSION="1"\n', "artifactId=a\n", "\udcff", "é-1",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("parse", TEXT_PARSERS)
@settings(max_examples=25)
@given(text=st.text(max_size=200) | LINES | DOCUMENTS.map(json.dumps))
def test_arbitrary_text_does_not_crash(parse, text):
    parse(text)


PHP = [b"a:1:{", b's:4:"name";', b's:1:"x";', b"i:1;", b"b:1;", b"N;", b"}", b"O:1:", b's:9:"']


@given(st.binary(max_size=200) | st.lists(st.sampled_from(PHP), max_size=12).map(b"".join))
@example(b"a:1:{i:0;" * 5000)
def test_arbitrary_registries_of_pear_do_not_crash(content):
    pear.parse_registry(content)


@given(st.binary(max_size=200))
def test_arbitrary_audit_sections_do_not_crash(content):
    rust.parse_audit(content)


def test_an_audit_section_that_inflates_excessively_is_rejected():
    bomb = zlib.compress(b" " * (64 << 20))
    assert rust.parse_audit(bomb) is None


@pytest.mark.parametrize(
    ("full_version", "text", "version", "suffix"),
    [
        ("1.2-foss-2023a", "version = '1.2'\n", "1.2", ""),
        ("1.2-foss-2023a-C-12", "version = '1.2'\nversionsuffix = '-C-%(v)s'\n", "1.2", "-C-12"),
        ("1.2.3-foss-2023a", "version = '1.' + local_x\n", "1.2.3", ""),
        ("1.2.3-foss-2023a", "version = local_x\nversionsuffix = '-x'  # y\n", "1.2.3", ""),
    ],
)  # fmt: skip
def test_computed_values_of_an_easyconfig_are_taken_from_its_directory(
    full_version, text, version, suffix
):
    text += "toolchain = {'name': 'foss', 'version': '2023a'}\n"
    found = hpc.parse_easyconfig(text, full_version)
    assert found == hpc.EasyConfig(version, suffix, "foss-2023a", "")


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("https://conda.example.org/conda-forge/linux-64", "conda-forge"),
        ("https://user:secret@conda.example.org/t/TOKEN/pkgs/main/noarch", "pkgs/main/noarch"),
        ("conda-forge", "conda-forge"),
        ("https://conda.example.org/linux-64", ""),
        ("file:///home/someone/channel", "local"),
        ("/home/someone/channel/linux-64", "local"),
    ],
)
def test_a_channel_name_has_no_server_and_no_credentials(channel, name):
    assert conda.channel_name(clean_origin(channel), "linux-64") == name
