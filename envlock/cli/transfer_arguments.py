"""The options of the verbs that send and receive locks."""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.cli.options import add_json, add_lock

_VENDOR = """\
Fetch the packages that a rebuild of a lock needs, and keep them in a folder or a registry, where
`envlock materialize` looks before it asks any mirror. Nothing that is there is deleted. If some
cannot be had, the others are kept, every place that was asked is listed, and the status is 5.
"""


def vendor(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock vendor``."""
    parser.description = _VENDOR
    add_lock(parser, text="a lockfile or a name")
    parser.add_argument(
        "--to",
        metavar="PLACE",
        default="",
        help="a directory, or oci://HOST/REPOSITORY[:TAG] (locks.vendor)",
    )
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    parser.add_argument("--yes", action="store_true", help="do not ask before the first push")
    add_json(parser)


_BUNDLE = """\
Write a lock, its file tree, the content that no package has, and the packages to one file, so that
another machine can rebuild it without a network. Nothing is written if a secret is found in what
was captured. The file is an OCI layout: other tools can copy it, too.
"""


def bundle(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock bundle``."""
    parser.description = _BUNDLE
    add_lock(parser, text="a lockfile or a name")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    parser.add_argument(
        "--thin", action="store_true", help="leave packages out; they are fetched for the rebuild"
    )
    parser.add_argument("--image", action="store_true", help="also put the image in, ready to run")
    parser.add_argument(
        "--since",
        metavar="OLD",
        default="",
        help="only what OLD lacks: a bundle that the other side took, or a lock it can rebuild",
    )
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    add_json(parser)


_UNBUNDLE = """\
Take the lock and its content out of a file that `envlock bundle` wrote. Every byte is verified; the
content goes to the store, packages to locks.vendor, the lock to locks/NAME.lock, named after the
file.
"""


def unbundle(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock unbundle``."""
    parser.description = _UNBUNDLE
    parser.add_argument("bundle", metavar="FILE", type=Path, help="a bundle")
    parser.add_argument("-o", "--output", metavar="LOCK", help="write the lock to this file")
    add_json(parser)


_PUSH = """\
Send a lock, its file tree and the content that no package has to a registry. What the registry has
is not sent again. Nothing is sent if a secret is found in it. Before the first push to a host what
travels is shown, and must be confirmed.
"""


def push(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock push``."""
    parser.description = _PUSH
    add_lock(parser, text="a lockfile or a name, also of a compose project: all its locks")
    parser.add_argument(
        "reference",
        nargs="?",
        metavar="REF",
        help="oci://HOST/REPOSITORY:TAG (locks.remote, with the name of the lock as tag)",
    )
    parser.add_argument(
        "--image", action="store_true", help="also send the image, so that engines can pull the tag"
    )
    parser.add_argument("--offline", action="store_true", help="build it of packages at hand")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="send everything, and refer to nothing of the versions that were sent before",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before the first push")
    add_json(parser)


_PULL = """\
Fetch a lock and its content from a registry. Every byte is verified; the content goes to the store.
"""


def pull(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock pull``."""
    parser.description = _PULL
    parser.add_argument(
        "reference",
        metavar="REF",
        help="oci://HOST/REPOSITORY:TAG[#SERVICE], or a name in locks.remote",
    )
    parser.add_argument(
        "-o", "--output", metavar="LOCK", help="write the lock to this file (locks/TAG.lock)"
    )
    add_json(parser)


_REGISTRY = """\
Try what a registry can do: uploads whole and in chunks, mounts of blobs, images, artifact types,
indexes, referrers, deletion. Blobs of a few bytes are written to the repository, without a tag, and
deleted again where it allows that.
"""


def registry(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock registry``."""
    parser.description = _REGISTRY
    parser.add_argument("action", choices=("probe",), help="probe: try what it can do")
    parser.add_argument("reference", metavar="REF", help="oci://HOST/REPOSITORY")
    add_json(parser)
