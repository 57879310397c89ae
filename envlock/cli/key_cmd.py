"""``envlock key``: make a key by which values that are not recorded can be compared."""

from __future__ import annotations

import argparse

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.config.value_key import create_key, key_path
from envlock.errors import ExitStatus


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the key, and say how a project uses it."""
    config = read_config(arguments, console)
    path = key_path(config.key_folder, arguments.name)
    create_key(path)
    console.say(Message.WROTE, path=path)
    console.hint(
        f'set key = "{arguments.name}" under [capture] in envlock.toml, and copy the file to each '
        "machine that captures; never into the repository"
    )
    return ExitStatus.OK
