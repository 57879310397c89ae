"""In which step a gap is mended, what its fix needs, and what no program does by itself."""

import pytest

from envlock.apply.gap import Auto, Difference, Need, Phase, State
from envlock.apply.rules import gap_of
from envlock.model.severity import Severity

INSTALL = (("apt-get", "install", "x=1"),)


def difference(section, key="", field="", state=State.MISSING, **more):
    given = {"wanted": "1", "present": None, "fix": INSTALL, **more}
    return Difference("0", section, key, field, state, severity=Severity.HIGH, why="", **given)


@pytest.mark.parametrize(
    ("found", "phase", "auto", "needs"),
    [
        (difference("deb", "curl:amd64"), Phase.PACKAGES, Auto.YES, (Need.ROOT,)),
        (
            difference("deb", "curl:amd64", "version", State.WRONG, is_newer=True),
            Phase.PACKAGES,
            Auto.ASK,
            (Need.ROOT,),
        ),
        (
            difference("deb", "libc6:amd64", "version", State.WRONG, is_newer=True),
            Phase.PACKAGES,
            Auto.NEVER,
            (Need.ROOT,),
        ),
        (
            difference("deb", "curl:amd64", state=State.EXTRA),
            Phase.PACKAGES,
            Auto.ASK,
            (Need.ROOT,),
        ),
        (
            difference("deb", "linux-image-amd64:amd64"),
            Phase.PACKAGES,
            Auto.NEVER,
            (Need.ROOT, Need.REBOOT),
        ),
        (
            difference("deb", "nvidia-driver-550:amd64"),
            Phase.PACKAGES,
            Auto.NEVER,
            (Need.ROOT, Need.REBOOT),
        ),
        (difference("os", fix=()), Phase.MACHINE, Auto.NEVER, ()),
        (difference("file", "/etc/sudoers", "mode"), Phase.FILES, Auto.NEVER, (Need.ROOT,)),
        (difference("file", "/etc/fstab", "sha256"), Phase.FILES, Auto.NEVER, (Need.ROOT,)),
        (difference("user", "app", "uid", State.WRONG), Phase.ACCOUNTS, Auto.NEVER, (Need.ROOT,)),
        (difference("user", "app", state=State.EXTRA), Phase.ACCOUNTS, Auto.NEVER, (Need.ROOT,)),
        (
            difference("group", "docker", "members"),
            Phase.ACCOUNTS,
            Auto.YES,
            (Need.ROOT, Need.RELOGIN),
        ),
        (
            difference("file", "/var/lib/shop", state=State.EXTRA),
            Phase.FILES,
            Auto.NEVER,
            (Need.ROOT,),
        ),
        (difference("service", "ssh.service"), Phase.SERVICES, Auto.NEVER, (Need.ROOT,)),
        (difference("service", "nginx.service"), Phase.SERVICES, Auto.YES, (Need.ROOT,)),
        (
            difference("env", "LANG", fix=(("export", "LANG=C"),)),
            Phase.SESSION,
            Auto.YES,
            (Need.RELOGIN,),
        ),
        (
            difference("python", "app/flask", fix=(("/home/u/v/bin/pip", "install", "flask==3"),)),
            Phase.LANGUAGES,
            Auto.YES,
            (),
        ),
        (
            difference("host.driver", "nvidia", fix=()),
            Phase.HARDWARE,
            Auto.NEVER,
            (Need.REBOOT, Need.ADMIN),
        ),
    ],
)
def test_step_and_caution(found, phase, auto, needs):
    gap = gap_of(found)
    assert (gap.phase, gap.auto, gap.needs) == (phase, auto, needs)
    assert bool(gap.caution) is (auto is not Auto.YES)


def test_what_is_unknown_is_left_to_a_person():
    gap = gap_of(difference("deb", "curl:amd64", state=State.UNKNOWN))
    assert (gap.auto, gap.needs) == (Auto.NEVER, ())
