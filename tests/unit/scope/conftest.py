"""A root directory that a test fills, and the view that edges have of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.captured_files import CapturedFiles
from envlock.model.lock import Lock
from envlock.model.process import ProcessConfig
from envlock.model.scope import Member, Root
from envlock.scope.closure import closure
from envlock.scope.edges import EDGES
from envlock.scope.graph import Around, File, Node
from envlock.scope.roots import begin, start
from envlock.targets.base import Target
from envlock.targets.kinds import open_target


class Files(CapturedFiles):
    """The files of a directory, with the run configuration that a test gives it."""

    config: ProcessConfig | None = None

    def process(self) -> ProcessConfig | None:
        return self.config


class Machine:
    """A root directory, who owns its paths, and the records of its lock."""

    def __init__(self, top: Path, target: Target) -> None:
        self.top = top
        self.owners: dict[str, str] = {}
        self.records: dict[str, dict[str, dict[str, str]]] = {}
        self.view = Files(
            target,
            owner=lambda path: self.owners.get(path, ""),
            digest=lambda _: "",
            open_file=lambda entry: target.open(entry.path),
        )

    def file(self, path: str, text: str | bytes = "", *, mode: int = 0o644, owner: str = "") -> str:
        """Write a file and return its path in the root."""
        where = self.top / path[1:]
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(text.encode() if isinstance(text, str) else text)
        where.chmod(mode)
        if owner:
            self.owners[path] = owner
        return path

    def program(self, path: str, text: str | bytes = "\x7fPROGRAM", *, owner: str = "") -> str:
        return self.file(path, text, mode=0o755, owner=owner)

    def link(self, path: str, target: str) -> None:
        where = self.top / path[1:]
        where.parent.mkdir(parents=True, exist_ok=True)
        where.symlink_to(target)

    def record(self, section: str, key: str, **facts: str) -> None:
        named = {name.replace("_", "-"): value for name, value in facts.items()}
        self.records.setdefault(section, {})[key] = named

    def around(self, variables: Mapping[str, str] | None = None, workdir: str = "/") -> Around:
        lock = Lock(sections=self.records)
        return Around(view=self.view, lock=lock, variables=variables or {}, workdir=workdir)

    def roots(self, root: str) -> list[Node]:
        """Return the first nodes of a root."""
        parsed = Root.parse(root)
        around = begin(parsed, self.around())
        return list(dict.fromkeys(need.node for need in start(parsed, around)))

    def closure(self, root: str) -> dict[str, Member]:
        """Return the members of the closure of the role ``app``, by name."""
        parsed = Root.parse(root)
        around = begin(parsed, self.around())
        members = closure("app", start(parsed, around), EDGES, around)
        return {member.name: member for member in members}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with closing(open_target(f"dir:{tmp_path}")) as target:
        yield Machine(tmp_path, target)


def files(nodes: list[Node]) -> list[str]:
    """Return the paths of those nodes that are files."""
    return [node.path for node in nodes if isinstance(node, File)]
