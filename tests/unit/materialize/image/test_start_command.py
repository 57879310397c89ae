"""The command that starts an image has what its lock names, and no value of a secret."""

from __future__ import annotations

from envlock.materialize.image.start_command import start_command
from envlock.model.lock import Lock
from envlock.model.record import Record


def lock(*records, **facts):
    return Lock.of([Record("process", "", {"cmd": '["app"]', **facts}), *records])


def words(described):
    return " ".join(start_command(described, "web:1"))


def test_published_ports_win_over_exposed_ones():
    exposed = lock(ports='["80/tcp","53/udp"]')
    assert words(exposed) == "docker run --rm -p 80:80 -p 53:53/udp web:1"
    published = lock(ports='["80/tcp","53/udp"]', published="8080:80/tcp :53/udp")
    assert words(published) == "docker run --rm -p 8080:80 -p 53/udp web:1"


def test_volumes_are_named_by_their_paths_and_a_directory_must_be_given():
    described = lock(
        volumes='["/var/lib/data","/srv"]', mounts="bind:/etc/app:ro volume:/srv tmpfs:/tmp"
    )
    assert words(described) == (
        "docker run --rm -v HOST_PATH:/etc/app:ro -v srv:/srv -v var-lib-data:/var/lib/data web:1"
    )


def test_a_secret_is_named_and_never_given():
    described = lock(
        Record("env", "LANG", {"value": "C.UTF-8"}), Record("env", "TOKEN", {"secret": "present"})
    )
    assert words(described) == "docker run --rm -e TOKEN web:1"


def test_an_image_of_a_machine_has_no_program_to_give_variables_to():
    session = Lock.of([Record("env", "TOKEN", {"secret": "present"})])
    assert start_command(session, "web") == ("docker", "run", "--rm", "web")
