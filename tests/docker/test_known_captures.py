"""An image of the engine that was captured before is not read again, and gives the same bytes."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from envlock.targets.stream.temporary import LABEL
from tests.conftest import Cli

pytestmark = pytest.mark.docker

FILES = {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "opt/app": "one\n",
    "bin/sh": "#!/bin/false\n",
}


@pytest.fixture
def image() -> Iterator[Callable[..., str]]:
    """Return a function that imports an image of files; all are removed at the end."""
    made: list[str] = []

    def create(files: dict[str, str], *changes: str) -> str:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(content), 0o755
                archive.addfile(member, io.BytesIO(content.encode()))
        name = f"envlock-test/known-{uuid.uuid4().hex[:8]}:v1"
        options = [word for change in changes for word in ("-c", change)]
        argv = ["docker", "import", *options, "-", name]
        subprocess.run(argv, input=raw.getvalue(), check=True, capture_output=True)
        made.append(name)
        return name

    yield create
    for name in made:
        subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)


def created_since(engine, start: float) -> int:
    """Return how many containers were created to read images since a time."""
    filters = {"type": "container", "event": "create", "label": LABEL}
    return len(list(engine.events(since=start, until=time.time(), filters=filters)))


def test_a_known_image_is_not_read(engine, image, envlock: Cli):
    first = image(FILES, "ENV MODE=a-value-of-the-tests", 'CMD ["/opt/app"]')
    start = time.time()
    envlock("capture", f"image:{first}", "-o", "first.lock")
    assert created_since(engine, start) >= 1
    other = f"{first.rpartition(':')[0]}:v2"
    subprocess.run(["docker", "tag", first, other], check=True)
    try:
        time.sleep(1.1)  # events have whole seconds
        start = time.time()
        for name in (first, other):
            envlock("capture", f"image:{name}", "-o", "again.lock")
            assert (envlock.folder / "again.lock").read_bytes() == (
                envlock.folder / "first.lock"
            ).read_bytes()
        assert created_since(engine, start) == 0
        envlock("capture", f"image:{first}", "-o", "full.lock", "--full")
        assert created_since(engine, start) >= 1
        assert (envlock.folder / "full.lock").read_bytes() == (
            envlock.folder / "first.lock"
        ).read_bytes()
    finally:
        subprocess.run(["docker", "rmi", other], check=True, capture_output=True)


def test_another_image_of_the_same_name_is_read(engine, image, envlock: Cli):
    first = image(FILES)
    envlock("capture", f"image:{first}", "-o", "first.lock")
    second = image({**FILES, "opt/app": "two\n"})
    subprocess.run(["docker", "tag", second, first], check=True)
    envlock("capture", f"image:{first}", "-o", "second.lock")
    assert "/opt/app" in envlock("diff", "first.lock", "second.lock", status=1).out
