"""What lies behind a linked directory is the same record, from every kind of target."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.coverage import Status
from envlock.model.depth import Depth
from envlock.model.glob import literal_folder
from envlock.targets.base import Capability
from envlock.targets.kinds import open_target
from envlock.targets.stream.oci import OciTarget
from tests.conftest import unavailable
from tests.targets.conftest import engine_target, layout_of, remote_target, tar_of

GOLDEN = Path(__file__).parents[1] / "collectors"
COLLECTORS = {collector.name: collector for collector in collectors()}
CASES = sorted(
    path.parent
    for path in GOLDEN.glob("*/*/rootfs")
    if not (path.parent / "process.json").exists() and COLLECTORS[path.parent.parent.name].reads
)
SYSTEM = ("cron", "service", "certificate", "login", "user", "setting")
HAVE_LINKS = "linked-spool", "linked-folders", "opensuse"
"""Cases that are not merged with the others: they have links of their own."""
SKIPPED = Status.SKIPPED, Status.UNSUPPORTED

ABSOLUTE, RELATIVE, CHAIN, PARENT = "absolute", "relative", "chain of two", "parent"


def link(root: Path, folder: str, form: str) -> None:
    """Move a directory of `root` away and leave a link to it."""
    place = root / folder
    if form == PARENT:
        place, form = place.parent.resolve(), ABSOLUTE
    name = "-".join(place.relative_to(root).parts)
    (root / "moved").mkdir(exist_ok=True)
    place.rename(root / "moved" / name)
    target = f"/moved/{name}"
    if form == RELATIVE:
        target = os.path.relpath(root / target[1:], place.parent.resolve())
    if form == CHAIN:
        (root / "hop").mkdir(exist_ok=True)
        (root / "hop" / name).symlink_to(target)
        target = f"/hop/{name}"
    place.symlink_to(target)


def captured(target, only, capabilities=None):
    """Return the records and the coverage of some collectors, in a capture of all paths."""
    with closing(target):
        if capabilities is not None:
            target.capabilities = capabilities
        request = Request(depth=Depth.FULL, only=frozenset(only))
        found = capture(target, collectors(), request)
    records = [
        (record.section, record.key, dict(record.facts))
        for record in found.lock.records()
        if record.section not in ("file", "tree")
    ]
    covered = {name: cover for name, cover in found.coverage.items() if cover.status not in SKIPPED}
    return sorted(records, key=repr), {
        k: v for k, v in covered.items() if k not in ("file", "tree")
    }


@pytest.fixture
def plain(tmp_path):
    """Return a root with jobs, units, authorities and accounts, without a link."""
    root = tmp_path / "plain"
    for name in SYSTEM:
        for case in (case for case in CASES if case.parent.name == name):
            if case.name in HAVE_LINKS:
                continue
            shutil.copytree(case / "rootfs", root, symlinks=True, dirs_exist_ok=True)
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    wanted.mkdir(parents=True, exist_ok=True)
    (wanted / "linked.service").symlink_to("/usr/lib/systemd/system/linked.service")
    (root / "etc/ssl/cert.pem").unlink(missing_ok=True)
    return root


@pytest.fixture
def linked(plain, tmp_path):
    """Return the same root with links of every form on the way to what is read."""
    root = tmp_path / "linked"
    shutil.copytree(plain, root, symlinks=True)
    for folder, form in (
        ("etc/cron.d", ABSOLUTE),
        ("etc/systemd/system/multi-user.target.wants", RELATIVE),
        ("etc/systemd/system", CHAIN),
        ("etc/sudoers.d", RELATIVE),
        ("usr/local/share/ca-certificates", PARENT),
        ("etc/ssl/certs", CHAIN),
    ):
        link(root, folder, form)
    file = root / "etc/cron.daily"
    file.mkdir(exist_ok=True)
    (root / "etc/passwd").rename(root / "moved/accounts")
    (root / "etc/passwd").symlink_to("../moved/accounts")
    return root


CHROOT = "import os, sys, time; os.chroot(sys.argv[1]); print(flush=True); time.sleep(600)"


def process_target(request, root):
    if os.geteuid():
        unavailable("root", "only root may change its root directory")
    argv = [sys.executable, "-c", CHROOT, str(root)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE)
    request.addfinalizer(lambda: process.communicate(timeout=60))
    request.addfinalizer(process.kill)
    process.stdout.readline()
    return open_target(f"pid:{process.pid}")


def opened(request, kind, root, tmp_path):
    if kind == "dir":
        return open_target(f"dir:{root}")
    if kind == "oci":
        return OciTarget.at(layout_of(tmp_path / f"layout-{root.name}", [tar_of(root)]))
    if kind == "pid":
        return process_target(request, root)
    if kind in ("remote", "tar"):
        return remote_target(kind, root)
    return engine_target(request, kind, root)


PLANTED = pytest.mark.plants_secrets("in the layout that is captured")
KINDS = (
    "dir",
    pytest.param("oci", marks=PLANTED),
    "docker",
    "image",
    "podman",
    "pid",
    "remote",
    "tar",
)


@pytest.mark.parametrize("kind", KINDS)
def test_links_change_no_record(request, kind, plain, linked, tmp_path):
    expected, covered = captured(open_target(f"dir:{plain}"), SYSTEM)
    found, cover = captured(opened(request, kind, linked, tmp_path), SYSTEM)
    assert found == expected
    assert cover == covered


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_and_a_link_to_nothing_are_gaps(request, kind, plain, tmp_path):
    """A link that climbs out of the root ends at its top, so this one leads to nothing."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/job").write_text("* * * * * root /usr/bin/outside\n")
    shutil.rmtree(plain / "etc/cron.d")
    (plain / "etc/cron.d").symlink_to("../../outside")
    shutil.rmtree(plain / "etc/sudoers.d", ignore_errors=True)
    (plain / "etc/sudoers.d").symlink_to("sudoers.d")
    found, cover = captured(opened(request, kind, plain, tmp_path), ("cron", "login"))
    assert "outside" not in str(found)
    nothing = "/etc/cron.d", "a link to nothing"
    assert nothing in map(tuple, cover["cron"].gaps)
    assert ("/etc/sudoers.d", "loop of symbolic links") in map(tuple, cover["login"].gaps)


@pytest.mark.parametrize("kind", KINDS)
def test_two_names_of_one_directory_give_each_job_once(request, kind, tmp_path):
    root = tmp_path / "alpine"
    (root / "etc/crontabs").mkdir(parents=True)
    (root / "etc/crontabs/root").write_text("0 2 * * * run-parts /etc/periodic/daily\n")
    (root / "var/spool/cron").mkdir(parents=True)
    (root / "var/spool/cron/crontabs").symlink_to("/etc/crontabs")
    found, cover = captured(opened(request, kind, root, tmp_path), ("cron",))
    tables = [key for _, key, _ in found if "crontabs/root" in key]
    assert len({key.split()[0] for key in tables}) == 1, tables
    assert cover["cron"].status is Status.OK


def folders_of(root: Path, name: str) -> list[str]:
    """Return the directories of a case that a collector declares, those below others left out.

    The kernel lays out its own: the relative links in them would lead elsewhere.
    """
    wanted = {literal_folder(pattern) for pattern in COLLECTORS[name].reads} - {"", "/"}
    wanted = {folder for folder in wanted if not folder.startswith(("/proc", "/sys"))}
    found = {
        path[1:]
        for path in wanted
        if path.count("/") > 1 and (root / path[1:]).is_dir() and not (root / path[1:]).is_symlink()
    }
    return sorted(f for f in found if not any(f.startswith(f"{other}/") for other in found))


@PLANTED
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_every_collector_reads_through_links(case, tmp_path):
    """Each directory that it declares is linked, in every form: a directory and an image agree."""
    name = case.parent.name
    capabilities = COLLECTORS[name].needs | {Capability.FILES}
    before = captured(open_target(f"dir:{case / 'rootfs'}"), (name,), capabilities)
    forms = (ABSOLUTE, RELATIVE, CHAIN, PARENT) if folders_of(case / "rootfs", name) else ()
    for form in forms:
        root = tmp_path / form.replace(" ", "-")
        shutil.copytree(case / "rootfs", root, symlinks=True)
        for folder in folders_of(root, name):
            if form != PARENT or "/" in folder:
                link(root, folder, form)
                break
        here = captured(open_target(f"dir:{root}"), (name,), capabilities)
        layout = layout_of(tmp_path / f"layout-{root.name}", [tar_of(root)])
        assert captured(OciTarget.at(layout), (name,), capabilities) == here, form
        if not COLLECTORS[name].needs_scan:
            assert here == before, form
